//! Lambda events: which service sent one, and the HTTP request inside those of API Gateway, function URLs and ALBs.
//!
//! An event is parsed once, borrowing from its bytes. `wire` has the members as they come, `convert` makes the request
//! of them, `source` names the sender of all other events, which pass through untouched.

mod convert;
mod fields;
mod origin;
mod parameters;
mod source;
mod wire;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};

pub use origin::{takes_s3, trigger};
pub use parameters::with_path_parameters;
pub use source::{Source, to_event_request};

/// Which service's HTTP event it is. It decides how the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// REST API, proxy integration.
    RestV1,
    /// HTTP API, payload format 2.0.
    HttpV2,
    /// HTTP API, payload format 1.0.
    HttpV1,
    /// Function URL, which speaks payload format 2.0.
    FunctionUrl,
    /// Application Load Balancer.
    Alb {
        /// Whether the target group sends and expects multi-value headers.
        multi_value: bool,
    },
}

/// A Lambda event, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An HTTP request.
    Http(Box<HttpEvent>),
    /// Anything else, by the service that sent it.
    Other(Source),
}

/// The HTTP request inside an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEvent {
    /// Whose event it is.
    pub format: Format,
    /// The request's method.
    pub method: Method,
    /// The path as routes see it: percent-encoded as it came, without the stage.
    pub path: String,
    /// The query without `?`, percent-encoded; none when empty.
    pub query: Option<String>,
    /// The headers; cookies that came apart from them are in `cookie` again.
    pub headers: HeaderMap,
    /// The body's JSON, where the event has it; [`body`](Self::body) reads it.
    body: Option<Bytes>,
    /// Whether the string in it is base64.
    is_base64: bool,
    /// The host name the client called, in lower case, without a port.
    pub domain: Option<String>,
    /// The API's stage.
    pub stage: Option<String>,
    /// What stood before [`path`](Self::path) in the client's URL, such as `/prod`: the stage, when it was there.
    pub base_path: Option<String>,
    /// The path parameters of the gateway's own route, as it wrote them (a REST API leaves them percent-encoded).
    pub path_parameters: BTreeMap<String, String>,
    /// The client's address.
    pub source_ip: Option<String>,
    /// The gateway's id of the request.
    pub request_id: Option<String>,
}

/// Why an event is refused.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The event is not JSON.
    #[error("the event is not JSON: byte {offset} of {length} is wrong")]
    NotJson {
        /// Where it ceases to be JSON, in bytes from the start.
        offset: usize,
        /// The event's length in bytes.
        length: usize,
        /// What is wrong there.
        source: serde_json::Error,
    },
    /// A member of an HTTP event has the wrong type.
    #[error("the HTTP event's `{field}` is malformed")]
    Field {
        /// The member's name.
        field: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An HTTP event lacks a member.
    #[error("the HTTP event has no `{field}`")]
    Missing {
        /// The member's name.
        field: &'static str,
    },
    /// The method is not a token.
    #[error("the HTTP event's method `{method}` is not one")]
    Method {
        /// What stands in its place.
        method: String,
    },
    /// A header's name or value is not allowed in HTTP.
    #[error("the HTTP event's header `{name}` is not allowed in HTTP")]
    Header {
        /// The header's name.
        name: String,
    },
    /// The body is marked as base64 and is not.
    #[error("the HTTP event's body is not the base64 it is said to be")]
    Body(#[source] base64::DecodeError),
    /// No URI can be made of host, path and query.
    #[error("the HTTP event's host, path and query make no URI: `{uri}`")]
    Uri {
        /// The attempt.
        uri: String,
        /// What is wrong with it.
        source: http::Error,
    },
}

/// Sorts an event, and takes the request out of an HTTP one.
///
/// Any JSON is an event, since anyone may invoke a function with anything; what is not an object is `unknown`.
pub fn classify(event: &Bytes) -> Result<Event, EventError> {
    let envelope = wire::Envelope::parse(event)?;
    match envelope.format() {
        Some(format) => Ok(Event::Http(Box::new(convert::http_event(format, (event, &envelope))?))),
        None => Ok(Event::Other(Source::of(&envelope))),
    }
}

impl HttpEvent {
    /// The body, decoded; empty where there is none. Who passes the event on as it came need not ask.
    pub fn body(&self) -> Result<Bytes, EventError> {
        convert::body_of(self)
    }

    /// The event as a request with an absolute URI, `https://domain/path?query`.
    ///
    /// The port of the `host` header is kept, the scheme is that of `x-forwarded-proto` (`https` without one), and an
    /// event that names no host, such as an ALB's health check, is given `localhost`.
    pub fn into_request(self) -> Result<http::Request<Bytes>, EventError> {
        convert::into_request(self)
    }
}
