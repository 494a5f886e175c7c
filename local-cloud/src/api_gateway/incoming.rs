//! Requests on their way to a function: read whole, within bounds, with the headers that a gateway adds.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
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
    let host = text(&parts.headers, &header::HOST).unwrap_or("localhost").to_owned();
    let (domain_name, port) = split_port(&host);
    let trace_id = text(&parts.headers, &HeaderName::from_static("x-amzn-trace-id"))
        .map_or_else(|| format!("Root=1-{:08x}-{}", now.as_secs(), &random(24)), str::to_owned);
    let forwarded_for = match text(&parts.headers, &HeaderName::from_static("x-forwarded-for")) {
        Some(before) => format!("{before}, {source_ip}"),
        None => source_ip.clone(),
    };
    for (name, value) in [
        ("x-amzn-trace-id", trace_id.as_str()),
        ("x-forwarded-for", &forwarded_for),
        ("x-forwarded-port", port.unwrap_or("80")),
        ("x-forwarded-proto", "http"),
    ] {
        // Made of text that came in headers, so it can go in one.
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(Whole {
        domain_name: domain_name.to_ascii_lowercase(),
        request: Request::from_parts(parts, body.to_bytes()),
        source_ip,
        trace_id,
        time: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
    })
}

/// An id in the form that API Gateway gives: sixteen characters of base64.
pub(super) fn request_id() -> String {
    STANDARD.encode(Uuid::new_v4().as_bytes().first_chunk::<11>().unwrap_or(&[0; 11]))
}

fn random(digits: usize) -> String {
    let mut random = Uuid::new_v4().simple().to_string();
    random.truncate(digits);
    random
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
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

    #[test]
    fn a_port_is_split_from_the_host() {
        assert_eq!(split_port("shop.example.com:8080"), ("shop.example.com", Some("8080")));
        assert_eq!(split_port("shop.example.com"), ("shop.example.com", None));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
        assert_eq!(split_port("[::1]:80"), ("[::1]", Some("80")));
    }
}
