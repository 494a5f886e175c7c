//! The function behind the API: one event in, the answer of a proxy integration out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

use crate::api_gateway::Visit;
use crate::api_gateway::integration::{Failure, Integration};

/// What the function said.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// The value of `Sec-WebSocket-Protocol`, where the function chose one.
    pub(super) subprotocol: Option<String>,
    pub(super) body: Option<Bytes>,
}

/// Why there is no answer of the function.
#[derive(Debug, thiserror::Error)]
pub(super) enum IntegrationError {
    #[error("{}", .0.why())]
    Failed(Failure),
    #[error("the function's answer is not `{{\"statusCode\": 200}}` or more: {0}")]
    Malformed(String),
}

impl IntegrationError {
    /// What a client is told, and the status for one that is still speaking HTTP.
    pub(super) fn public(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Failed(Failure::TooSlow(_)) => {
                (StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out")
            }
            Self::Failed(_) | Self::Malformed(_) => {
                (StatusCode::BAD_GATEWAY, "Internal server error")
            }
        }
    }
}

/// Invokes the function, and reads its answer.
pub(super) async fn invoke(
    integration: &Integration,
    event: Vec<u8>,
    (trace_id, visit): (&str, &mut Visit),
) -> Result<Reply, IntegrationError> {
    let called = integration.call(event, trace_id, &mut visit.access.invocation).await;
    read(&called.map_err(IntegrationError::Failed)?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

fn read(payload: &[u8]) -> Result<Reply, IntegrationError> {
    let malformed = |why: String| IntegrationError::Malformed(why);
    let payload: Payload =
        serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let status = StatusCode::from_u16(payload.status_code)
        .map_err(|_| malformed(format!("{} is no status", payload.status_code)))?;
    let mut headers = payload.headers.unwrap_or_default().into_iter();
    let subprotocol = headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
    let body = match (payload.body, payload.is_base64_encoded) {
        (Some(text), Some(true)) => {
            Some(STANDARD.decode(text).map_err(|error| malformed(error.to_string()))?.into())
        }
        (body, _) => body.map(Bytes::from),
    };
    Ok(Reply { status, subprotocol: subprotocol.map(|(_, value)| value), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_may_have_a_body_and_a_subprotocol() {
        let reply =
            read(br#"{"statusCode":200,"headers":{"sec-websocket-Protocol":"chat"},"body":"hi"}"#)
                .unwrap();
        assert_eq!((reply.status.as_u16(), reply.subprotocol.as_deref()), (200, Some("chat")));
        assert_eq!(reply.body.as_deref(), Some(&b"hi"[..]));
        let reply = read(br#"{"statusCode":401,"headers":null,"body":null}"#).unwrap();
        assert_eq!((reply.status.as_u16(), reply.body), (401, None));
        let reply = read(br#"{"statusCode":200,"body":"AP8=","isBase64Encoded":true}"#).unwrap();
        assert_eq!(reply.body.as_deref(), Some(&[0, 255][..]));
    }

    #[test]
    fn anything_else_is_malformed() {
        for payload in [
            "null",
            "{}",
            r#""ok""#,
            r#"{"statusCode":7}"#,
            r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#,
        ] {
            assert!(
                matches!(read(payload.as_bytes()), Err(IntegrationError::Malformed(_))),
                "{payload}"
            );
        }
    }
}
