//! Answers that travel while the guest still writes them.

use crate::server::Server;
use crate::stage::{Host, Stage, guest, http_event};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use lambkin_local_cloud::api_gateway::function_url;
use lambkin_local_cloud::lambda::{Answer, InvokeOptions, StreamError};
use std::net::SocketAddr;
use std::sync::Arc;
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
) -> (function_url::Server, http::Response<hyper::body::Incoming>) {
    let url = function_url::Server::start(function_url::Settings {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        function: host.function.clone(),
        on_request: Arc::new(|_| ()),
    })
    .await
    .unwrap();
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
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_api_of_lambkin_dev_streams_when_the_manifest_says_so() {
    let stage = Stage::start().await;
    let folder = stage.app("shop");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::copy(guest("web"), folder.join("web.wasm")).unwrap();
    let function =
        "export const handler = async (event) => ({ statusCode: 202, body: event.resource });\n";
    fs_err::write(folder.join("function.js"), function).unwrap();
    let manifest = "lambkin = 1\n[app]\nname = 'shop'\n\
        [component.web]\nlanguage = 'wasm'\nsource = 'web.wasm'\n\
        [component.function]\nlanguage = 'javascript'\nsource = 'function.js'\n\
        [api]\ntype = 'rest'\nresponse_transfer_mode = 'stream'\n\
        [[route]]\npath = '/function'\ncomponent = 'function'\n\
        [[route]]\npath = '/{proxy+}'\ncomponent = 'web'\n";
    fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    let dev = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(&folder);
    });
    comes_in_pieces(request(dev.address, "/stream").await).await;
    dev.wait_for("201 GET /stream");
    let response = request(dev.address, "/broken").await;
    assert!(response.into_body().collect().await.is_err(), "a broken answer must not look whole");
    // More than a buffered answer may have.
    let response = request(dev.address, "/large").await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), 7 * 1024 * 1024);
    // What a function component answers has a head as well; what no route takes is the API's.
    let response = request(dev.address, "/function").await;
    assert_eq!(response.status(), 202);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&*body, b"/function");
    assert_eq!(request(dev.address, "/").await.status(), 403);
    let response = request(dev.address, "/fail").await;
    assert_eq!(response.status(), 500);
    dev.wait_for("it failed as asked");
}
