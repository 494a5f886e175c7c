//! The front ends of a function: what turns HTTP requests into events, and its payloads back into responses.
//!
//! [`http_api`] is an HTTP API with routes in payload format 2.0, [`function_url`] a function URL that streams,
//! [`websocket`] a WebSocket API. They read requests with `incoming` and write responses with `outgoing`; `sigv4` checks
//! who signed one. The formats themselves are `lambkin_protocol`'s.

pub mod function_url;
pub mod http_api;
pub mod websocket;

mod incoming;
mod outgoing;
mod sigv4;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

/// One request and what became of it: the material of an access log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The request's id, as in the event and the response's `apigw-requestid`.
    pub request_id: String,
    /// The method, in capitals; for a WebSocket `CONNECT`, `MESSAGE` or `DISCONNECT`.
    pub method: String,
    /// The path, percent-encoded, without the query.
    pub path: String,
    /// The route that answered, such as `GET /items/{id}`; absent when none did.
    pub route_key: Option<String>,
    /// The response's status.
    pub status: StatusCode,
    /// From the request's head to the response's head.
    pub duration: Duration,
    /// Why the gateway answered in the function's place, in words for the developer; the client does not see it.
    pub error: Option<String>,
}

/// Gets one [`Access`] per request.
pub type OnRequest = Arc<dyn Fn(&Access) + Send + Sync>;

/// An access in the making.
struct Visit {
    access: Access,
    begun: Instant,
}

impl Visit {
    fn begin<B>(request: &http::Request<B>) -> Self {
        Self::of(request.method().as_str(), request.uri().path())
    }

    fn of(method: &str, path: &str) -> Self {
        let access = Access {
            request_id: incoming::request_id(),
            method: method.to_owned(),
            path: path.to_owned(),
            route_key: None,
            status: StatusCode::OK,
            duration: Duration::ZERO,
            error: None,
        };
        Self { access, begun: Instant::now() }
    }

    fn end(mut self, status: StatusCode, tell: &OnRequest) {
        self.access.status = status;
        self.access.duration = self.begun.elapsed();
        tell(&self.access);
    }
}
