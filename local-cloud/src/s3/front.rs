//! What stands before the S3 service: the rules of browsers, and S3's own words for a form that breaks its policy.
//!
//! Buckets answer as if their CORS configuration let in the pages of this machine, and nobody else's
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>): the credentials are known to everybody.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    CONTENT_LENGTH, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use s3s::service::S3Service;
use s3s::{Body, HttpError};

const METHODS: HeaderValue = HeaderValue::from_static("GET, PUT, POST, DELETE, HEAD");
const VARIES: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
);
/// What a page that uploads in parts has to read.
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, x-amz-version-id");

/// Answers one request by the service.
pub(super) async fn answer(
    service: &S3Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, HttpError> {
    let origin = request.headers().get(ORIGIN).filter(|origin| is_of_this_machine(origin)).cloned();
    if let (Some(origin), true) = (&origin, is_preflight(&request)) {
        return Ok(preflight(origin, request.headers()));
    }
    let is_form = is_form(&request);
    let mut response = service.call(request.map(Body::from)).await?;
    if is_form && response.status() == StatusCode::BAD_REQUEST {
        response = in_the_words_of_s3(response).await;
    }
    if let Some(origin) = &origin {
        allow(&mut response, origin);
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    Ok(response)
}

/// Whether an origin is `localhost`, a name below it or a loopback address.
fn is_of_this_machine(origin: &HeaderValue) -> bool {
    let uri = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether it is a browser's upload by a form.
fn is_form<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    request.method() == Method::POST
        && content_type.is_some_and(|value| value.starts_with("multipart/form-data"))
}

fn preflight(origin: &HeaderValue, asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    allow(&mut response, origin);
    if let Some(headers) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
    }
    response
}

fn allow(response: &mut Response<Body>, origin: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(VARY, VARIES);
}

/// Turns `s3s`'s refusal of a form into S3's, when a condition of its policy does not hold
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>).
async fn in_the_words_of_s3(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    // It is in memory already.
    let text = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let Some(refusal) = broken_condition(&String::from_utf8_lossy(&text)) else {
        return Response::from_parts(parts, Body::from(text));
    };
    parts.status = StatusCode::FORBIDDEN;
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(refusal))
}

/// S3's document for `Policy condition 'eq' for field 'content-type' failed: expected 'text/plain', got …`.
fn broken_condition(refusal: &str) -> Option<String> {
    let told = refusal.split_once("<Message>Policy condition ")?.1;
    let quoted: Vec<&str> = told.split("&apos;").collect();
    let [_, operator, _, field, _, expected, ..] = quoted.as_slice() else { return None };
    Some(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code><Message>Invalid according to Policy: \
         Policy Condition failed: [&quot;{operator}&quot;, &quot;${field}&quot;, &quot;{expected}&quot;]</Message></Error>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_machine_are_known_by_their_host() {
        let check = |origin: &'static str, expected: bool| {
            assert_eq!(is_of_this_machine(&HeaderValue::from_static(origin)), expected, "{origin}");
        };
        for origin in ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"] {
            check(origin, true);
        }
        check("http://api.localhost:3000", true);
        for origin in ["https://localhost.example", "https://evil.example", "null", ""] {
            check(origin, false);
        }
    }

    #[test]
    fn a_broken_condition_is_told_as_s3_tells_it() {
        let told = "<Error><Code>InvalidPolicyDocument</Code><Message>Policy condition &apos;eq&apos; for field \
            &apos;content-type&apos; failed: expected &apos;text/plain&apos;, got &apos;text/html&apos;</Message></Error>";
        let said = broken_condition(told).unwrap();
        assert!(
            said.contains("[&quot;eq&quot;, &quot;$content-type&quot;, &quot;text/plain&quot;]"),
            "{said}"
        );
        assert_eq!(broken_condition("<Error><Message>failed to parse POST policy</Message>"), None);
    }
}
