//! The handler itself: the same file runs on Rust's Lambda client and as a Lambkin component.

#[path = "transform.rs"]
mod transform;

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What tells an artifact of this component from the copies that the benches make of it: they change the digits.
static VARIANT: &str = "bench-variant-00000000";

/// What the handler reads of an HTTP API event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    raw_path: String,
    #[serde(default)]
    path_parameters: HashMap<String, String>,
    #[serde(default)]
    body: String,
}

/// An answer to API Gateway.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: HashMap<&'static str, &'static str>,
    body: String,
}

/// Greets whoever the path names; `/transform`, `/echo` and `/variant` do what they are called.
pub fn hello(event: Event) -> Result<Answer, serde_json::Error> {
    let body = match event.raw_path.rsplit('/').next() {
        Some("transform") => transform::transform(event.body.as_bytes())?,
        Some("echo") => event.body,
        Some("variant") => VARIANT.to_owned(),
        _ => greeting(&event),
    };
    let headers = HashMap::from([("content-type", "application/json")]);
    Ok(Answer { status_code: 200, headers, body })
}

fn greeting(event: &Event) -> String {
    let name = event.path_parameters.get("name").map_or("nobody", String::as_str);
    serde_json::json!({ "message": format!("Hello, {name}!"), "path": event.raw_path }).to_string()
}
