//! Function URLs, as cargo-lambda serves them: an HTTP request becomes an event, and the answer a response again.

use crate::cargo_lambda;
use crate::checks::{Check, Running};
use crate::emulator::Emulator;
use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use lambkin_tests::case::Exchange;
use lambkin_tests::cloud::{Cloud, Store};
use lambkin_tests::origin::Origin;
use lambkin_tests::{client, compare};
use std::sync::mpsc;
use std::time::Duration;
use tokio::net::TcpStream;

pub(crate) const CHECKS: [Check; 3] = [
    Check {
        name: "status_headers_cookies_and_body_come_through",
        run: |emulator| ask(emulator, REPORT),
    },
    Check { name: "a_binary_body_goes_both_ways", run: |emulator| ask(emulator, BINARY) },
    Check { name: "an_unknown_route_is_a_404", run: |emulator| ask(emulator, UNKNOWN) },
];

/// How long a chunk may take.
const PATIENCE: Duration = Duration::from_secs(20);

const REPORT: &str = r#"
request.method = "POST"
request.path = "/web/report"
request.query = "greeting=hello%20world&n=1"
request.headers = { x-client = "somebody", cookie = "session=abc; theme=dark", content-type = "text/plain" }
request.body.text = "grüße"
expect.status = 201
expect.headers = { content-type = "application/json", x-short = "stout", set-cookie = ["one=1", "two=2; Path=/"] }
expect.body.json = '''{
    "method": "POST",
    "target": "/web/report?greeting=hello%20world&n=1",
    "client": "somebody",
    "cookie": "session=abc; theme=dark",
    "body": "grüße"
}'''
"#;

const BINARY: &str = r#"
request.method = "POST"
request.path = "/web/binary"
request.headers.content-type = "application/octet-stream"
request.body.generated = { length = 4000, pattern = "binary" }
expect.status = 200
expect.headers.content-type = "application/octet-stream"
expect.body.generated = { length = 4000, pattern = "binary" }
"#;

const UNKNOWN: &str = "
request.path = '/nowhere'
expect.status = 404
";

fn ask<'a>(emulator: &'a Emulator, exchange: &'static str) -> Running<'a> {
    Box::pin(async move {
        let mut exchange: Exchange = toml::from_str(exchange).context("the exchange")?;
        exchange.request.path =
            format!("/lambda-url/{}{}", emulator.function, exchange.request.path);
        let answer = client::send(emulator.address, &exchange.request).await?;
        compare::answer(&answer, &exchange.expect)
    })
}

/// A guest that sends its second chunk only after the first one has arrived: no buffer on the way could pass this.
pub(crate) async fn streams(cloud: &Cloud) -> anyhow::Result<()> {
    let (arrived, arrival) = mpsc::channel();
    let origin = Origin::start("second", move || {
        let _ = arrival.recv_timeout(PATIENCE);
    })?;
    let app = cloud.folder().join("streaming");
    fs_err::create_dir_all(&app)?;
    let manifest = fs_err::read_to_string(crate::app_folder().join("lambkin.toml"))?;
    let grant = format!("source = \"web.js\"\ngrants.http = [\"http://{}\"]", origin.address());
    let manifest = manifest.replace("source = \"web.js\"", &grant);
    fs_err::write(app.join("lambkin.toml"), manifest.replace("emulated", "emulated-streaming"))?;
    for source in ["web.js", "function.js"] {
        fs_err::copy(crate::app_folder().join(source), app.join(source))?;
    }
    tokio::task::block_in_place(|| cloud.publish(&app, Store::S3))?;
    let mut environment = cloud.host_environment("emulated-streaming", Store::S3)?;
    environment.insert("LAMBKIN_RESPONSE_MODE".to_owned(), "stream".to_owned());
    let emulator = cargo_lambda::start_host(cloud, environment)?;
    let target = format!("/web/drip?between=http://{}/", origin.address());
    let read = read(&emulator, &target, &arrived);
    let outcome = tokio::time::timeout(2 * PATIENCE, read).await;
    let outcome = outcome.context("the stream does not end").flatten();
    outcome.with_context(|| format!("the output is:\n{}\n", emulator.output()))
}

async fn read(emulator: &Emulator, target: &str, arrived: &mpsc::Sender<()>) -> anyhow::Result<()> {
    let stream = TcpStream::connect(emulator.address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = http::Request::get(format!("/lambda-url/{}{target}", emulator.function))
        .header("host", emulator.address.to_string())
        .body(Empty::<bytes::Bytes>::new())?;
    let mut response = sender.send_request(request).await?;
    ensure!(response.status() == 200, "the status is {}", response.status());
    let mut text = String::new();
    while let Some(frame) = tokio::time::timeout(PATIENCE, response.frame())
        .await
        .with_context(|| format!("no more than {text:?} arrived"))?
    {
        if let Ok(chunk) = frame?.into_data() {
            text.push_str(std::str::from_utf8(&chunk)?);
        }
        if text == "first " {
            arrived.send(())?;
        }
    }
    driver.abort();
    ensure!(text == "first second", "the stream was {text:?}");
    Ok(())
}
