//! `lambkin:websocket/connections` over API Gateway's `@connections`
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>).

use super::{Services, Time, reason, segment, time, websocket_api};
use crate::error;
use crate::guest::Call;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use lambkin_engine::{
    CapabilityFuture, WebSocket, WebSocketConnection, WebSocketError, WebSocketErrorCode,
};
use lambkin_protocol::job::WebSocketApi;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The longest message of a WebSocket API, in bytes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
const MAX_MESSAGE: usize = 128 * 1024;

/// The connections of the WebSocket API that an invocation belongs to.
pub(super) struct Connections {
    services: Arc<Services>,
    api: Option<WebSocketApi>,
    time: Time,
}

impl Connections {
    pub(super) fn new(call: &Call<'_>) -> Self {
        let services = Arc::clone(&call.host.services);
        Self { services, api: websocket_api(call), time: time(call) }
    }

    async fn ask(
        &self,
        method: Method,
        connection: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, WebSocketError> {
        let client = match self.services.websocket(self.api.as_ref()) {
            Some(Ok(client)) => client,
            Some(Err(problem)) => return Err(failed(problem)),
            None => return Err(refused(WebSocketErrorCode::NotGranted, NO_API.to_owned())),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/@connections/{}", segment(connection)))
            .body(body)
            .map_err(|problem| failed(problem.to_string()))?;
        let answer = client.send(request, self.time.left()).await;
        let answer = answer.map_err(|problem| failed(error::chain(&problem)))?;
        let code = match answer.status() {
            status if status.is_success() => return Ok(answer),
            StatusCode::GONE => WebSocketErrorCode::Gone,
            StatusCode::PAYLOAD_TOO_LARGE => WebSocketErrorCode::TooLarge,
            StatusCode::TOO_MANY_REQUESTS => WebSocketErrorCode::Throttled,
            _ => WebSocketErrorCode::Failed,
        };
        let what = match code {
            WebSocketErrorCode::Gone => format!("the connection {connection} is closed"),
            _ => format!("the connection {connection}: {}", reason(&answer)),
        };
        Err(refused(code, what))
    }
}

const NO_API: &str = "no WebSocket API is known: the event came from none, and LAMBKIN_WEBSOCKET_ENDPOINT is not set";

impl WebSocket for Connections {
    fn send(
        &self,
        connection: String,
        message: Vec<u8>,
    ) -> CapabilityFuture<'_, Result<(), WebSocketError>> {
        Box::pin(async move {
            if message.len() > MAX_MESSAGE {
                let what =
                    format!("the message has {} bytes, more than {MAX_MESSAGE}", message.len());
                return Err(refused(WebSocketErrorCode::TooLarge, what));
            }
            self.ask(Method::POST, &connection, message.into()).await.map(drop)
        })
    }

    fn close(&self, connection: String) -> CapabilityFuture<'_, Result<(), WebSocketError>> {
        Box::pin(async move { self.ask(Method::DELETE, &connection, Bytes::new()).await.map(drop) })
    }

    fn info(
        &self,
        connection: String,
    ) -> CapabilityFuture<'_, Result<WebSocketConnection, WebSocketError>> {
        Box::pin(async move {
            let answer = self.ask(Method::GET, &connection, Bytes::new()).await?;
            describe(answer.body()).map_err(failed)
        })
    }
}

/// What `GET @connections/<id>` answers.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    connected_at: String,
    last_active_at: String,
    identity: Identity,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    source_ip: String,
    user_agent: Option<String>,
}

fn describe(body: &[u8]) -> Result<WebSocketConnection, String> {
    let it: Description = serde_json::from_slice(body)
        .map_err(|problem| format!("the answer about the connection is malformed: {problem}"))?;
    Ok(WebSocketConnection {
        connected_at_ms: milliseconds(&it.connected_at)?,
        last_active_at_ms: milliseconds(&it.last_active_at)?,
        source_ip: it.identity.source_ip,
        user_agent: it.identity.user_agent,
    })
}

fn milliseconds(text: &str) -> Result<u64, String> {
    let time: SystemTime = humantime::parse_rfc3339(text)
        .map_err(|problem| format!("`{text}` is not a time: {problem}"))?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn failed(message: String) -> WebSocketError {
    refused(WebSocketErrorCode::Failed, message)
}

fn refused(code: WebSocketErrorCode, message: String) -> WebSocketError {
    WebSocketError { code, message }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn a_connection_is_read_as_the_gateway_writes_it() {
        let body = br#"{"connectedAt":"2026-11-23T07:00:00.250Z","identity":{"sourceIp":"127.0.0.1","userAgent":null},"lastActiveAt":"2026-11-23T07:00:01Z"}"#;
        let it = describe(body).unwrap();
        assert_eq!(it.last_active_at_ms - it.connected_at_ms, 750);
        assert_eq!((it.source_ip.as_str(), it.user_agent), ("127.0.0.1", None));
        assert!(describe(b"{}").unwrap_err().contains("malformed"));
    }
}
