//! Answers that travel while the guest still writes them.

use crate::server::Server;
use crate::stage::{Host, Stage, guest, http_event};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use lambkin_local_cloud::api_gateway::{self, Definition};
use lambkin_local_cloud::lambda::{Answer, InvokeOptions, StreamError};
use lambkin_protocol::manifest::{Api, ApiType, ResponseTransferMode};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;

fn streaming_host(stage: &Stage) -> Host {
    stage.publish("shop", "web", "one");
    stage.host(&[("LAMBKIN_APP", "shop@live"), ("LAMBKIN_RESPONSE_MODE", "stream")])
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// Asks a function URL before `host`; gives the response with its body still to come.
async fn ask(
    host: &Host,
    path: &str,
) -> (api_gateway::Server, http::Response<hyper::body::Incoming>) {
    let api = Api {
        kind: ApiType::FunctionUrl,
        response_transfer_mode: ResponseTransferMode::Stream,
        ..Api::default()
    };
    let definition = Definition { api, ..Definition::default() };
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = api_gateway::Settings::new(loopback, definition, host.function.clone());
    let url = api_gateway::Server::start(settings).await.unwrap();
    let response = request(url.address(), path).await;
    (url, response)
}

/// Asks whatever answers at `address`; the response's body is still to come.
async fn request(address: SocketAddr, path: &str) -> http::Response<hyper::body::Incoming> {
    let connection = TcpStream::connect(address).await.unwrap();
    let (mut sender, driver) =
        hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.unwrap();
    tokio::spawn(driver);
    let request = http::Request::get(path).header("host", "x");
    let request = request.body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    // The sender keeps the connection open until the body is read.
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(sender);
    });
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn each_chunk_arrives_before_the_next_is_written() {
    let stage = Stage::start().await;
    let host = streaming_host(&stage);
    let (_url, response) = ask(&host, "/stream").await;
    comes_in_pieces(response).await;
}

/// Each of three pieces is here before the guest writes the next.
async fn comes_in_pieces(response: http::Response<hyper::body::Incoming>) {
    assert_eq!(
        (response.status().as_u16(), &response.headers()["set-cookie"]),
        (201, &"a=1".parse().unwrap())
    );
    let mut body = response.into_body();
    let mut arrived = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.unwrap().into_data() else { continue };
        let text = String::from_utf8(data.to_vec()).unwrap();
        // `<number> <when the guest wrote it>`
        let written: u128 = text.trim().split_once(' ').unwrap().1.parse().unwrap();
        arrived.push((written, now()));
    }
    assert_eq!(arrived.len(), 3, "{arrived:?}");
    for pair in arrived.windows(2) {
        assert!(pair[0].1 < pair[1].0, "it arrived after the next was written: {arrived:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_fails_midway_is_told_in_the_trailers() {
    let stage = Stage::start().await;
    let host = streaming_host(&stage);
    let event = http_event("x", "/broken").to_string();
    let answer = host.function.invoke(event.into(), InvokeOptions::default()).await.unwrap();
    let Answer::Streaming(mut stream) = answer else { panic!("not streamed: {answer:?}") };
    let mut text = Vec::new();
    let failure = loop {
        match stream.next().await {
            Some(Ok(chunk)) => text.extend_from_slice(&chunk),
            Some(Err(error)) => break error,
            None => panic!("it ended well: {}", String::from_utf8_lossy(&text)),
        }
    };
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("1 ") && text.contains("2 ") && !text.contains("3 17"), "{text}");
    let StreamError::Reported { error_type, body } = failure else { panic!("{failure:?}") };
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (error_type.as_str(), &body["errorType"]),
        ("Runtime.TruncatedResponse", &error_type.as_str().into())
    );
    host.log.wait_for_text("the well ran dry").unwrap();
    assert_eq!(host.processes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_a_broken_body_and_the_next_request_is_answered() {
    let stage = Stage::start().await;
    let host = streaming_host(&stage);
    let (_url, response) = ask(&host, "/broken").await;
    assert!(response.into_body().collect().await.is_err(), "a broken answer must not look whole");
    let (_url, response) = ask(&host, "/whole").await;
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_ok());
    assert_eq!(host.processes(), 1);
}

/// `lambkin dev` of an app with a web component and a function component behind what `[api]` says.
fn dev(stage: &Stage, api: &str) -> Server {
    let folder = stage.app("shop");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::copy(guest("web"), folder.join("web.wasm")).unwrap();
    let function = "export const handler = async (event) =>\n  \
        ({ statusCode: 202, body: event.path ?? event.rawPath });\n";
    fs_err::write(folder.join("function.js"), function).unwrap();
    let manifest = format!(
        "lambkin = 1\n[app]\nname = 'shop'\n\
        [component.web]\nlanguage = 'wasm'\nsource = 'web.wasm'\n\
        [component.function]\nlanguage = 'javascript'\nsource = 'function.js'\n\
        [api]\n{api}\n\
        [[route]]\npath = '/function'\ncomponent = 'function'\n\
        [[route]]\npath = '/{{proxy+}}'\ncomponent = 'web'\n"
    );
    fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(&folder);
    })
}

/// The status and the whole body.
async fn get(address: SocketAddr, path: &str) -> (u16, Bytes) {
    let response = request(address, path).await;
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_apis_and_function_urls_of_lambkin_dev_stream_when_the_manifest_says_so() {
    for (kind, nothing_there) in [("rest", 403), ("function-url", 404)] {
        let stage = Stage::start().await;
        let dev = dev(&stage, &format!("type = '{kind}'\nresponse_transfer_mode = 'stream'"));
        comes_in_pieces(request(dev.address, "/stream").await).await;
        dev.wait_for("201 GET /stream");
        let response = request(dev.address, "/broken").await;
        assert!(response.into_body().collect().await.is_err(), "{kind}: it must not look whole");
        // More than a buffered answer may have.
        assert_eq!(get(dev.address, "/large").await.1.len(), 7 * 1024 * 1024, "{kind}");
        // What a function component answers has a head as well; what no route takes is the API's, or the host's.
        let expected = (202, Bytes::from_static(b"/function"));
        assert_eq!(get(dev.address, "/function").await, expected, "{kind}");
        assert_eq!(get(dev.address, "/").await.0, nothing_there, "{kind}");
        assert_eq!(get(dev.address, "/fail").await.0, 500, "{kind}");
        dev.wait_for("it failed as asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_balancer_of_lambkin_dev_answers_as_on_aws() {
    for multi_value in [false, true] {
        let stage = Stage::start().await;
        let dev = dev(&stage, &format!("type = 'alb'\nmulti_value_headers = {multi_value}"));
        assert_eq!(
            get(dev.address, "/function?x=1").await,
            (202, Bytes::from_static(b"/function"))
        );
        let response = request(dev.address, "/stream").await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["set-cookie"], "a=1");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 3);
        // A load balancer takes 1 MiB.
        let (status, body) = get(dev.address, "/large").await;
        assert_eq!((status, body.starts_with(b"<html>")), (502, true));
        assert_eq!(get(dev.address, "/").await.0, 404);
    }
}
