//! `lambkin serve`: the host without Lambda, asked over real sockets.

use crate::serving::{Connection, GUEST, Idle, Serve, get, lambkin};
use crate::stage::Stage;
use crate::stage::guest as wasm;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join_all;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use serde_json::Value;
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// An app with a route to each of the guests.
fn app(folder: &std::path::Path) {
    for guest in ["web", "function"] {
        fs_err::copy(wasm(guest), folder.join(format!("{guest}.wasm"))).unwrap();
    }
    fs_err::write(folder.join("lambkin.toml"), GUEST).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_built_and_each_route_answers_by_its_component() {
    let folder = tempfile::tempdir().unwrap();
    app(folder.path());
    let serve = Serve::start(&[folder.path().to_str().unwrap()]);
    let answer = get(&serve, "/web/1?x=y").await;
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (answer.status, &body["path"], &body["version"]),
        (200, &"/web/1".into(), &"1".into())
    );

    let answer = get(&serve, "/function/7?x=a%20b").await;
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let event = &body["event"];
    assert_eq!((answer.status, &event["version"]), (200, &"2.0".into()));
    assert_eq!(event["pathParameters"]["id"], "7");
    assert_eq!(event["queryStringParameters"]["x"], "a b");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["headers"]["host"], serve.address.to_string());
    assert_eq!(event["requestContext"]["requestId"], body["requestId"]);

    let answer = get(&serve, "/nowhere").await;
    assert_eq!((answer.status, &answer.body[..]), (404, &br#"{"message":"Not Found"}"#[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_alone_gets_every_path_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.wasm");
    fs_err::copy(wasm("web"), &file).unwrap();
    let serve = Serve::start(&[file.to_str().unwrap(), "--log"]);
    assert_eq!(get(&serve, "/any/path").await.status, 200);
    assert!(serve.wait_for("GET /any/path").contains("200"));
    // Standard output of the guest is shown by the component's name.
    assert_eq!(get(&serve, "/log").await.status, 200);
    assert!(serve.wait_for("in JSON").contains("component"));
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_arrives_piece_by_piece() {
    let serve = Serve::web(&[]);
    let mut connection = Connection::open(&serve).await;
    let response = connection.send("GET", "/stream", Full::default()).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["set-cookie"]),
        (201, &"a=1".parse().unwrap())
    );
    let (mut body, mut arrived) = (response.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.unwrap().into_data() else { continue };
        // `<number> <when the guest wrote it>`
        let text = String::from_utf8(data.to_vec()).unwrap();
        arrived.push((text.trim().split_once(' ').unwrap().1.parse::<u128>().unwrap(), now()));
    }
    assert_eq!(arrived.len(), 3, "{arrived:?}");
    assert!(arrived.windows(2).all(|pair| pair[0].1 < pair[1].0), "{arrived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_larger_than_lambda_takes_is_streamed_and_one_over_the_bound_is_refused() {
    let serve = Serve::web(&["--max-body", "16"]);
    let pieces = |count: usize| {
        let pieces = futures::stream::iter(0..count);
        StreamBody::new(pieces.map(|_| {
            Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(vec![b'x'; 1 << 20])))
        }))
        .boxed_unsync()
    };
    let mut connection = Connection::open(&serve).await;
    let response = connection.send("POST", "/count", pieces(9)).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, (9 << 20).to_string());

    let mut connection = Connection::open(&serve).await;
    let whole = Full::new(Bytes::from(vec![b'x'; 17 << 20]));
    let response = connection.send("POST", "/count", whole).await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_component_refuses_a_body_over_lambdas_limit() {
    let serve = Serve::start(&[wasm("function").to_str().unwrap()]);
    let mut connection = Connection::open(&serve).await;
    let body = Full::new(Bytes::from(vec![b'x'; (6 << 20) + 1]));
    let response = connection.send("POST", "/", body).await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn head_has_the_head_of_get_and_no_body_and_the_connection_goes_on() {
    let serve = Serve::web(&[]);
    let mut connection = Connection::open(&serve).await;
    for _ in 0..3 {
        let response = connection.send("HEAD", "/x", Full::default()).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
        let response = connection.send("GET", "/x", Full::default()).await.unwrap();
        assert!(!response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_guest_is_a_500_a_broken_answer_does_not_look_whole_and_the_next_is_answered() {
    let serve = Serve::web(&[]);
    let answer = get(&serve, "/fail").await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (500, &br#"{"message":"Internal Server Error"}"#[..])
    );
    let mut connection = Connection::open(&serve).await;
    let response = connection.send("GET", "/broken", Full::default()).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    serve.wait_for("the well ran dry");
    assert_eq!(get(&serve, "/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_takes_too_long_is_a_504() {
    let serve = Serve::web(&["--timeout", "1"]);
    let began = Instant::now();
    let answer = get(&serve, "/endless").await;
    assert_eq!((answer.status, &answer.body[..]), (504, &br#"{"message":"Gateway Timeout"}"#[..]));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(get(&serve, "/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_whose_client_goes_away_is_ended_and_makes_room_for_the_next() {
    // One turn: the second request is answered only when the first guest is gone.
    let serve = Serve::web(&["--concurrency", "1"]);
    let mut gone = Connection::open(&serve).await;
    let response = gone.send("GET", "/forever", Full::default()).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    drop((body, gone));
    let began = Instant::now();
    assert_eq!(get(&serve, "/x").await.status, 200);
    // Left to itself, the guest would have had its 30 seconds.
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once_each_get_their_own_answer() {
    let serve = Serve::web(&[]);
    let clients = (0..64).map(|client| {
        let serve = &serve;
        async move {
            let mut connection = Connection::open(serve).await;
            for call in 0..5 {
                let path = format!("/client/{client}/{call}");
                let response = connection.send("GET", &path, Full::default()).await.unwrap();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                let body: Value = serde_json::from_slice(&body).unwrap();
                // An instance of its own for each: none has seen a call before.
                assert_eq!((&body["path"], &body["calls"]), (&path.into(), &1.into()));
            }
        }
    });
    join_all(clients).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_and_a_client_that_waits_to_be_told_to_go_on_are_served() {
    let serve = Serve::web(&[]);
    let stream = TcpStream::connect(serve.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, driver) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(driver);
    let request = http::Request::get(format!("http://{}/two", serve.address));
    let response =
        sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));

    let mut stream = TcpStream::connect(serve.address).await.unwrap();
    let head = "POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200") && rest.contains("\r\n3\r\n"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_or_half_a_head_is_closed() {
    let serve = Serve::web(&["--header-timeout", "1"]);
    for start in ["", "PR", "GET / HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(serve.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer));
        // Closed, or reset: either way the connection is gone.
        assert!(read.await.is_ok(), "{start:?} holds the connection");
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_the_request_under_way_end_and_takes_no_new_ones() {
    let mut serve = Serve::web(&[]);
    let _idle = Idle::open(&serve).await;
    let mut connection = Connection::open(&serve).await;
    let response = connection.send("GET", "/stream", Full::default()).await.unwrap();
    serve.terminate();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(String::from_utf8_lossy(&body).lines().count(), 3);
    assert!(serve.end().success());
    assert!(TcpStream::connect(serve.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_app_is_served_and_a_moved_alias_is_noticed() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let environment = stage.environment();
    let store = environment["LAMBKIN_STORE"].clone();
    let serve = Serve::start_with(&["--app", "shop", "--store", &store], &environment);
    let version = async || -> String {
        let answer: Value = serde_json::from_slice(&get(&serve, "/x").await.body).unwrap();
        answer["version"].as_str().unwrap().to_owned()
    };
    assert_eq!(version().await, "one");
    stage.publish("shop", "web", "two");
    let deadline = Instant::now() + Duration::from_secs(30);
    while version().await != "two" {
        assert!(Instant::now() < deadline, "the alias that moved is not noticed");
    }
    let failed =
        lambkin(&["serve", "--app", "shop", "--alias", "none", "--store", &store], &environment);
    assert!(
        failed.contains("shop@none") && failed.contains("lambkin releases --app shop"),
        "{failed}"
    );
}

#[test]
fn what_cannot_be_served_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fs_err::write(path("text.wasm"), "hello").unwrap();
    let check = |arguments: &[&str], expected: &[&str]| {
        let mut all = vec!["serve", "--addr", "127.0.0.1:0"];
        all.extend(arguments);
        let failed = lambkin(&all, &std::collections::BTreeMap::new());
        for part in expected {
            assert!(failed.contains(part), "{part:?} is not in: {failed}");
        }
    };
    check(&[&path("missing.wasm")], &["missing.wasm", "hint: "]);
    check(&[&path("text.wasm")], &["text.wasm", "not a WebAssembly file"]);
    check(&[&path("")], &["lambkin.toml", "lambkin serve app.wasm"]);
    check(&["--app", "shop"], &["--store"]);
    let failed = lambkin(&["serve", "--addr", &address], &std::collections::BTreeMap::new());
    assert!(failed.contains(&address) && failed.contains("--addr 127.0.0.1:0"), "{failed}");
}
