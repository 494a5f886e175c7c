//! Answers conformance cases as a WASI command: the event on standard input, the answer on standard output. No SDK.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let event: Value = serde_json::from_reader(std::io::stdin())?;
    serde_json::to_writer(std::io::stdout(), &handle(&event)?)?;
    Ok(())
}

fn handle(event: &Value) -> Result<Value, Box<dyn Error>> {
    let body = body(event)?;
    let answer = match text(event, "/rawPath") {
        "/echo" => json(200, &json!({
            "method": text(event, "/requestContext/http/method"),
            "path": text(event, "/rawPath"),
            "query": text(event, "/rawQueryString"),
            "header": event.pointer("/headers/x-echo"),
            "body": STANDARD.encode(body),
        })),
        "/binary" => json!({
            "statusCode": 200,
            "headers": { "content-type": "application/octet-stream" },
            "isBase64Encoded": true,
            "body": STANDARD.encode(body),
        }),
        "/json" => order(&body),
        "/status" => json!({ "statusCode": 418, "headers": { "x-short": "stout" }, "body": "" }),
        "/env" => json(200, &json!({ "greeting": std::env::var("GREETING")? })),
        "/unicode" => json(200, &json!({ "greeting": format!("Grüße, {} 世界 🐑", query(event, "name")) })),
        _ => json(200, &json!({ "id": text(event, "/pathParameters/id") })),
    };
    Ok(answer)
}

fn json(status: u16, body: &Value) -> Value {
    json!({ "statusCode": status, "headers": { "content-type": "application/json" }, "body": body.to_string() })
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn query(event: &Value, name: &str) -> String {
    let mut pairs = text(event, "/rawQueryString").split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default();
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn body(event: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
    let body = text(event, "/body");
    let encoded = event.pointer("/isBase64Encoded") == Some(&json!(true));
    if encoded { Ok(STANDARD.decode(body)?) } else { Ok(body.as_bytes().to_vec()) }
}

fn order(body: &[u8]) -> Value {
    let Ok(order) = serde_json::from_slice::<Value>(body) else {
        return json(400, &json!({ "error": "invalid json" }));
    };
    let items = order["items"].as_array().cloned().unwrap_or_default();
    let number = |item: &Value, name: &str| item[name].as_f64().unwrap_or_default();
    let total: f64 = items.iter().map(|item| number(item, "price") * number(item, "qty")).sum();
    json(200, &json!({ "count": items.len(), "total": total }))
}
