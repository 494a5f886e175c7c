//! Answers every conformance case as a web handler: an HTTP request in, a response out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambkin::{Body, IntoResponse, Json, Request, RequestExt as _, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

type Answer = Result<Response<Body>, lambkin::Error>;

#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    price: f64,
    qty: f64,
}

#[lambkin::http]
async fn handler(mut request: Request<Body>) -> Answer {
    match request.uri().path() {
        "/echo" => echo(request).await,
        // The body goes out as it comes in, never whole in memory.
        "/binary" => Ok(Response::builder()
            .header("content-type", "application/octet-stream")
            .body(request.into_body())?),
        "/cookies" => cookies(&request),
        "/json" => order(request.body_mut().contents().await?),
        "/throw" => Err("boom".into()),
        "/text" => "plain text".into_response(),
        "/status" => {
            Ok(Response::builder().status(418).header("x-short", "stout").body(Body::empty())?)
        }
        "/env" => Json(json!({ "greeting": std::env::var("GREETING")? })).into_response(),
        "/log" => log(&query(&request, "n")),
        "/spin" => spin(),
        "/oom" => allocate_without_end(),
        "/large" if request.method() == "POST" => {
            Json(json!({ "length": request.body_mut().contents().await?.len() })).into_response()
        }
        "/large" => "x".repeat(query(&request, "size").parse()?).into_response(),
        "/unicode" => {
            Json(json!({ "greeting": format!("Grüße, {} 世界 🐑", query(&request, "name")) }))
                .into_response()
        }
        "/random" => random(),
        "/sleep" => sleep(query(&request, "ms").parse()?).await,
        "/context" => Json(json!({ "requestId": request.request_id() })).into_response(),
        _ => item(&request),
    }
}

async fn echo(mut request: Request<Body>) -> Answer {
    let body = STANDARD.encode(request.body_mut().contents().await?);
    let header = request.headers().get("x-echo").and_then(|value| value.to_str().ok());
    Json(json!({
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "query": request.query(),
        "header": header,
        "body": body,
    }))
    .into_response()
}

fn query(request: &Request<Body>, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(request.query().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn cookies(request: &Request<Body>) -> Answer {
    let sent = request.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut names: Vec<&str> = sent
        .flat_map(|value| value.split("; "))
        .filter_map(|cookie| cookie.split('=').next())
        .collect();
    names.sort_unstable();
    Ok(Response::builder()
        .header("content-type", "text/plain")
        .header("set-cookie", format!("seen={}", names.join(".")))
        .header("set-cookie", "second=2; Path=/")
        .header("x-multi", "one")
        .header("x-multi", "two")
        .body("ok".into())?)
}

fn order(body: &[u8]) -> Answer {
    let Ok(Order { items }) = serde_json::from_slice(body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid json" }))).into_response();
    };
    let total: f64 = items.iter().map(|item| item.price * item.qty).sum();
    Json(json!({ "count": items.len(), "total": total })).into_response()
}

fn log(number: &str) -> Answer {
    println!("out: {number}");
    eprintln!("err: {number}");
    Json(json!({ "logged": number })).into_response()
}

fn spin() -> ! {
    loop {
        std::hint::black_box(0);
    }
}

fn allocate_without_end() -> ! {
    let mut blocks = Vec::new();
    loop {
        blocks.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

/// `RandomState` is seeded by the operating system for each instance: std's own source of randomness.
fn random() -> Answer {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let random = RandomState::new().hash_one(0).to_string();
    Json(json!({ "random": random, "now": u64::try_from(now.as_millis())? })).into_response()
}

async fn sleep(milliseconds: u64) -> Answer {
    lambkin::sleep(Duration::from_millis(milliseconds)).await;
    Json(json!({ "slept": milliseconds })).into_response()
}

fn item(request: &Request<Body>) -> Answer {
    match request.path_parameter("id") {
        Some(id) => Json(json!({ "id": id })).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such case" }))).into_response(),
    }
}
