//! The handler itself: the same file runs on Rust's Lambda client and as a Lambkin component.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What the handler reads of an HTTP API event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    raw_path: String,
    path_parameters: HashMap<String, String>,
}

/// An answer to API Gateway.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: HashMap<&'static str, &'static str>,
    body: String,
}

/// Greets whoever the path names.
pub fn hello(event: Event) -> Answer {
    let name = event.path_parameters.get("name").map_or("nobody", String::as_str);
    let body = serde_json::json!({ "message": format!("Hello, {name}!"), "path": event.raw_path });
    Answer {
        status_code: 200,
        headers: HashMap::from([("content-type", "application/json")]),
        body: body.to_string(),
    }
}
