//! A handler of `wasi:http` 0.3; the path says what to do, the query is its argument.

use wasip3::clocks::monotonic_clock;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasip3::{wit_future, wit_stream};

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Requests that this instance was given.
static CALLS: AtomicU64 = AtomicU64::new(0);

struct Handler;

wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let calls = CALLS.fetch_add(1, Relaxed) + 1;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match path {
            "/echo" => Ok(echo(request)),
            "/large" => Ok(respond(vec![b'x'; query.parse().unwrap_or_default()])),
            "/spin" => loop {
                std::hint::black_box(0);
            },
            "/wait" => {
                monotonic_clock::wait_for(query.parse::<u64>().unwrap_or_default() * 1_000_000).await;
                Ok(respond(b"waited".to_vec()))
            }
            "/calls" => {
                monotonic_clock::wait_for(query.parse::<u64>().unwrap_or_default() * 1_000_000).await;
                Ok(respond(calls.to_string().into_bytes()))
            }
            "/trickle" => Ok(trickle()),
            "/trap" => panic!("an asynchronous end"),
            "/half" => Ok(half()),
            "/error" => Err(ErrorCode::LoopDetected),
            "/log" => {
                println!("out 1\nout 2");
                eprintln!("err 1");
                Ok(respond(b"logged".to_vec()))
            }
            "/env" => Ok(respond(format!("{:?}", std::env::var(query)).into_bytes())),
            "/fetch" => fetch(query).await,
            path => Ok(respond(format!("hello {path}").into_bytes())),
        }
    }
}

fn respond(body: Vec<u8>) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    wasip3::wit_bindgen::spawn_local(async move {
        let unwritten = writer.write_all(body).await;
        assert!(unwritten.is_empty(), "a reader of the whole body");
        drop(writer);
        let _nobody = trailers.write(Ok(None)).await;
    });
    Response::new(Fields::new(), Some(reader), trailers_reader).0
}

/// Hands the request's body on without touching it.
fn echo(request: Request) -> Response {
    let headers = Fields::new();
    if let Some(value) = request.get_headers().get("x-echo").first() {
        headers.set("x-echo", &[value.clone()]).expect("a valid header");
    }
    let (_, received) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, received);
    let response = Response::new(headers, Some(body), trailers).0;
    response.set_status_code(201).expect("a valid status");
    response
}

/// One chunk, and a trap instead of the second.
fn half() -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (_, trailers_reader) = wit_future::new(|| Ok(None));
    wasip3::wit_bindgen::spawn_local(async move {
        writer.write_all(b"half".repeat(100)).await;
        monotonic_clock::wait_for(20_000_000).await;
        panic!("no second half")
    });
    Response::new(Fields::new(), Some(reader), trailers_reader).0
}

/// A body that goes on for a long time, or until nobody reads it.
fn trickle() -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    wasip3::wit_bindgen::spawn_local(async move {
        for _ in 0..1000 {
            if !writer.write_all(b"drop".to_vec()).await.is_empty() {
                return;
            }
            monotonic_clock::wait_for(20_000_000).await;
        }
        drop(writer);
        let _nobody = trailers.write(Ok(None)).await;
    });
    Response::new(Fields::new(), Some(reader), trailers_reader).0
}

async fn fetch(url: &str) -> Result<Response, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (_, trailers) = wit_future::new(|| Ok(None));
    let request = Request::new(Fields::new(), None, trailers, None).0;
    request.set_method(&Method::Get).expect("a valid method");
    request.set_scheme(Some(if scheme == "http" { &Scheme::Http } else { &Scheme::Https })).expect("a valid scheme");
    request.set_authority(Some(authority)).expect("a valid authority");
    request.set_path_with_query(Some(&format!("/{path}"))).expect("a valid path");
    client::send(request).await
}
