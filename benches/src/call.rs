//! What the runtimes are asked, and how their answers are judged: a quick wrong answer is no result.

use crate::orders;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde_json::{Value, json};

/// An HTTP API event, as API Gateway sends it.
const EVENT: &str = include_str!("event.json");

/// The domain that the events are for.
pub(crate) const DOMAIN: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";

/// An event and the answer that must come.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    event: Bytes,
    expected: Expected,
}

#[derive(Debug, Clone)]
enum Expected {
    /// A body that is this JSON, however it is written.
    Json(Value),
    /// A body with just this text.
    Text(String),
}

impl Call {
    /// Asks for a greeting.
    pub(crate) fn hello() -> Self {
        let expected = json!({ "message": "Hello, world!", "path": "/hello/world" });
        Self { event: Bytes::from_static(EVENT.as_bytes()), expected: Expected::Json(expected) }
    }

    /// Asks for a greeting at `path`.
    pub(crate) fn hello_at(path: &str) -> anyhow::Result<Self> {
        let expected = json!({ "message": "Hello, world!", "path": path });
        Self::new(("GET", path), None, Expected::Json(expected))
    }

    /// Has 10 KB of JSON transformed.
    pub(crate) fn transform() -> anyhow::Result<Self> {
        let orders = orders::orders();
        let expected = Expected::Json(orders::transformed(&orders));
        Self::new(("POST", "/transform"), Some(orders.to_string()), expected)
    }

    /// Has a body of `size` bytes sent back.
    pub(crate) fn echo(size: usize) -> anyhow::Result<Self> {
        let body = "0123456789abcdef".repeat(size.div_ceil(16));
        let body = body.get(..size).unwrap_or_default().to_owned();
        Self::new(("POST", "/echo"), Some(body.clone()), Expected::Text(body))
    }

    /// Asks the copy of the Rust component under `base_path` for its number.
    pub(crate) fn variant(base_path: &str, text: &str) -> anyhow::Result<Self> {
        let path = format!("/{base_path}/variant");
        Self::new(("GET", &path), None, Expected::Text(text.to_owned()))
    }

    /// Has the native client fetch `objects` (keys and sizes in bytes) of `bucket`.
    pub(crate) fn fetch(bucket: &str, objects: &[(String, u64)]) -> anyhow::Result<Self> {
        let total: u64 = objects.iter().map(|(_, size)| size).sum();
        let event = serde_json::to_vec(&json!({ "bucket": bucket, "objects": objects }))?;
        Ok(Self { event: event.into(), expected: Expected::Json(json!({ "bytes": total })) })
    }

    fn new(
        (method, path): (&str, &str),
        body: Option<String>,
        expected: Expected,
    ) -> anyhow::Result<Self> {
        let mut event: Value = serde_json::from_str(EVENT)?;
        let http = json!({ "method": method, "path": path, "protocol": "HTTP/1.1" });
        for (pointer, value) in [("/rawPath", json!(path)), ("/requestContext/http", http)] {
            *event.pointer_mut(pointer).context("the event lacks a part")? = value;
        }
        let object = event.as_object_mut().context("the event is not an object")?;
        if let Some(body) = body {
            object.insert("body".to_owned(), body.into());
        }
        Ok(Self { event: serde_json::to_vec(&event)?.into(), expected })
    }

    /// The event.
    pub(crate) fn event(&self) -> Bytes {
        self.event.clone()
    }

    /// Fails unless `payload` is the right answer.
    pub(crate) fn check(&self, payload: &[u8]) -> anyhow::Result<()> {
        let begin = || String::from_utf8_lossy(payload.get(..500).unwrap_or(payload)).into_owned();
        let answer: Value =
            serde_json::from_slice(payload).with_context(|| format!("not JSON: {}", begin()))?;
        let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
        let is_right = match &self.expected {
            Expected::Text(text) => body == text,
            Expected::Json(value) => {
                serde_json::from_str::<Value>(body).is_ok_and(|body| body == *value)
            }
        };
        let status = answer.get("statusCode");
        ensure!(is_right && status == Some(&200.into()), "a wrong answer: {}", begin());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, DOMAIN, EVENT};

    #[test]
    fn only_the_right_answer_counts() {
        let check = |payload: &str| Call::hello().check(payload.as_bytes());
        let right = r#"{"statusCode":200,"body":"{\"path\":\"/hello/world\",\"message\":\"Hello, world!\"}"}"#;
        assert!(check(right).is_ok());
        assert!(check(&right.replace("200", "500")).is_err());
        assert!(check(&right.replace("world!", "nobody!")).is_err());
        assert!(check("").is_err());
    }

    #[test]
    fn events_ask_for_what_is_checked() {
        let call = Call::echo(20).unwrap();
        let event = String::from_utf8(call.event().to_vec()).unwrap();
        assert!(event.contains(r#""body":"0123456789abcdef0123""#) && event.contains("/echo"));
        assert!(call.check(br#"{"statusCode":200,"body":"0123456789abcdef0123"}"#).is_ok());
        assert!(call.check(br#"{"statusCode":200,"body":"0123456789abcdef012"}"#).is_err());
        assert!(EVENT.contains(DOMAIN));
    }
}
