//! Requests on their way to a function: read whole, within bounds, with the headers that a gateway adds.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use lambkin_protocol::forwarded::forward;
use uuid::Uuid;

use crate::http_server::Peer;

/// A request that can be made an event of.
pub(super) struct Whole {
    pub(super) request: Request<Bytes>,
    /// Without a port.
    pub(super) domain_name: String,
    pub(super) source_ip: String,
    pub(super) trace_id: String,
    /// Milliseconds since the Unix epoch.
    pub(super) time: i64,
}

/// Why a request has no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReadError {
    #[error("the request body has more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the request body broke off")]
    Truncated,
}

/// Reads the body, of at most `limit` bytes, and adds `x-forwarded-*` and the trace header.
pub(super) async fn read(request: Request<Incoming>, limit: usize) -> Result<Whole, ReadError> {
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ReadError::TooLarge { limit }
        } else {
            ReadError::Truncated
        }
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let source_ip = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let source_ip = source_ip.unwrap_or(IpAddr::from([127, 0, 0, 1])).to_string();
    let forwarded = forward(&mut parts.headers, &source_ip, "http", trace_id);
    Ok(Whole {
        domain_name: forwarded.domain_name,
        request: Request::from_parts(parts, body.to_bytes()),
        source_ip,
        trace_id: forwarded.trace_id,
        time: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
    })
}

/// An id in the form that API Gateway gives: sixteen characters of base64.
pub(super) fn request_id() -> String {
    STANDARD.encode(Uuid::new_v4().as_bytes().first_chunk::<11>().unwrap_or(&[0; 11]))
}

/// An id of a trace that begins here.
pub(super) fn trace_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("Root=1-{:08x}-{}", now.as_secs(), &random(24))
}

fn random(digits: usize) -> String {
    let mut random = Uuid::new_v4().simple().to_string();
    random.truncate(digits);
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_look_like_api_gateways() {
        let id = request_id();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
        assert_ne!(id, request_id());
    }
}
