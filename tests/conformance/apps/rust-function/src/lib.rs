//! Answers every conformance case as a Lambda handler: the event of an HTTP API in, its answer out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambkin::Context;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

/// What the cases need of an HTTP API event in payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    path_parameters: BTreeMap<String, String>,
    request_context: RequestContext,
    #[serde(default)]
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    price: f64,
    qty: f64,
}

impl Event {
    fn body(&self) -> Result<Vec<u8>, lambkin::Error> {
        if self.is_base64_encoded {
            Ok(STANDARD.decode(&self.body)?)
        } else {
            Ok(self.body.clone().into_bytes())
        }
    }

    fn query(&self, name: &str) -> String {
        let pairs = self.raw_query_string.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        percent_decode_str(found.unwrap_or_default()).decode_utf8_lossy().into_owned()
    }
}

#[lambkin::function]
async fn handler(event: Event, context: Context) -> Result<Value, lambkin::Error> {
    match event.raw_path.as_str() {
        "/echo" => Ok(answer(200, &echo(&event)?)),
        "/binary" => Ok(json!({
            "statusCode": 200,
            "headers": { "content-type": "application/octet-stream" },
            "isBase64Encoded": true,
            "body": STANDARD.encode(event.body()?),
        })),
        "/cookies" => Ok(cookies(&event)),
        "/json" => Ok(order(&event.body()?)),
        "/throw" => Err("boom".into()),
        "/text" => Ok(json!("plain text")),
        "/status" => {
            Ok(json!({ "statusCode": 418, "headers": { "x-short": "stout" }, "body": "" }))
        }
        "/env" => Ok(answer(200, &json!({ "greeting": std::env::var("GREETING")? }))),
        "/log" => Ok(log(&event.query("n"))),
        "/spin" => spin(),
        "/oom" => allocate_without_end(),
        "/large" if event.request_context.http.method == "POST" => {
            Ok(answer(200, &json!({ "length": event.body()?.len() })))
        }
        "/large" => Ok(json!({
            "statusCode": 200,
            "headers": { "content-type": "text/plain" },
            "body": "x".repeat(event.query("size").parse()?),
        })),
        "/unicode" => Ok(answer(
            200,
            &json!({ "greeting": format!("Grüße, {} 世界 🐑", event.query("name")) }),
        )),
        "/random" => Ok(answer(200, &random()?)),
        "/sleep" => sleep(event.query("ms").parse()?).await,
        "/context" => Ok(answer(200, &describe(&context))),
        _ => Ok(item(&event)),
    }
}

fn answer(status: u16, body: &Value) -> Value {
    json!({ "statusCode": status, "headers": { "content-type": "application/json" }, "body": body.to_string() })
}

fn echo(event: &Event) -> Result<Value, lambkin::Error> {
    Ok(json!({
        "method": event.request_context.http.method,
        "path": event.raw_path,
        "query": event.raw_query_string,
        "header": event.headers.get("x-echo"),
        "body": STANDARD.encode(event.body()?),
    }))
}

fn cookies(event: &Event) -> Value {
    let mut names: Vec<&str> =
        event.cookies.iter().filter_map(|cookie| cookie.split('=').next()).collect();
    names.sort_unstable();
    json!({
        "statusCode": 200,
        "headers": { "content-type": "text/plain", "x-multi": "one,two" },
        "cookies": [format!("seen={}", names.join(".")), "second=2; Path=/"],
        "body": "ok",
    })
}

fn order(body: &[u8]) -> Value {
    match serde_json::from_slice::<Order>(body) {
        Ok(Order { items }) => {
            let total: f64 = items.iter().map(|item| item.price * item.qty).sum();
            answer(200, &json!({ "count": items.len(), "total": total }))
        }
        Err(_) => answer(400, &json!({ "error": "invalid json" })),
    }
}

fn log(number: &str) -> Value {
    println!("out: {number}");
    eprintln!("err: {number}");
    answer(200, &json!({ "logged": number }))
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
fn random() -> Result<Value, lambkin::Error> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(
        json!({ "random": RandomState::new().hash_one(0).to_string(), "now": u64::try_from(now.as_millis())? }),
    )
}

async fn sleep(milliseconds: u64) -> Result<Value, lambkin::Error> {
    lambkin::sleep(Duration::from_millis(milliseconds)).await;
    Ok(answer(200, &json!({ "slept": milliseconds })))
}

fn describe(context: &Context) -> Value {
    let remaining = u64::try_from(context.remaining().as_millis()).unwrap_or(u64::MAX);
    json!({
        "requestId": context.request_id,
        "functionName": context.function.name,
        "remaining": remaining,
    })
}

fn item(event: &Event) -> Value {
    match event.path_parameters.get("id") {
        Some(id) => answer(200, &json!({ "id": id })),
        None => answer(404, &json!({ "error": "no such case" })),
    }
}
