//! The front ends of a function: what turns HTTP requests into events, and its payloads back into responses.
//!
//! [`Server`] listens for APIs, finds the one for a request by `custom_domain`, and answers by its [`Definition`]: `http_api`
//! does so as an HTTP API, `rest_api` as a REST API, both with `authorizers`, `function_url` as the function's own URL, `alb` as a
//! load balancer. [`websocket`] is a
//! WebSocket API. `developer` is what only the local cloud shows. All read requests with `incoming` and write responses with `outgoing` and
//! `streamed`; `sigv4` checks who signed one.
//! The formats themselves are `lambkin_protocol`'s.

pub mod websocket;

mod alb;
mod authorizers;
mod custom_domain;
mod definition;
mod developer;
mod function_url;
mod http_api;
mod incoming;
mod integration;
mod outgoing;
mod rest_api;
mod server;
mod sigv4;
mod streamed;

pub use custom_domain::Mapping;
pub use definition::Definition;
pub use developer::{Answering, Developer};
pub use http_api::MAX_BODY;
pub use server::{Api, DefinitionError, Server, Settings, StartError};

pub(crate) use crate::ACCOUNT_ID;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// The region that ARNs name.
const REGION: &str = "us-east-1";

/// The id of the local API.
const API_ID: &str = "local";

/// One request and what became of it: the material of an access log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The request's id, as in the event and the response's `apigw-requestid`.
    pub request_id: String,
    /// The method, in capitals; for a WebSocket `CONNECT`, `MESSAGE` or `DISCONNECT`.
    pub method: String,
    /// The path, percent-encoded, without the query.
    pub path: String,
    /// The query, percent-encoded, without the `?`.
    pub query: Option<String>,
    /// The request's headers as the client sent them.
    pub headers: HeaderMap,
    /// The request's body; empty when it was not read, because nothing was called.
    pub body: Bytes,
    /// The route that answered, such as `GET /items/{id}`; absent when none did.
    pub route_key: Option<String>,
    /// The response's status.
    pub status: StatusCode,
    /// From the request's head to the response's head.
    pub duration: Duration,
    /// The id of the Lambda invocation that answered or failed: what the function printed is logged with it.
    pub invocation: Option<String>,
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
        let mut visit = Self::of(request.method().as_str(), request.uri().path());
        visit.access.query = request.uri().query().map(str::to_owned);
        visit.access.headers = request.headers().clone();
        visit
    }

    fn of(method: &str, path: &str) -> Self {
        let access = Access {
            request_id: incoming::request_id(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            route_key: None,
            status: StatusCode::OK,
            duration: Duration::ZERO,
            invocation: None,
            error: None,
        };
        Self { access, begun: Instant::now() }
    }

    /// Notes how it ended.
    fn close(&mut self, status: StatusCode) {
        self.access.status = status;
        self.access.duration = self.begun.elapsed();
    }

    fn end(mut self, status: StatusCode, tell: &OnRequest) {
        self.close(status);
        tell(&self.access);
    }
}
