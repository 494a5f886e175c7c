//! Responses on their way to a client: the gateway's own messages, and a function's response made fit for the wire.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// The headers that concern a connection. What a function says about its own must not reach the client's.
const OF_THE_CONNECTION: [header::HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// `{"message":"..."}`, as API Gateway writes its own answers.
pub(super) fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!(r#"{{"message":"{text}"}}"#)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Takes out what only the server itself may say.
pub(super) fn clean(headers: &mut HeaderMap) {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// Adds the id of the request under `name`.
pub(super) fn mark(headers: &mut HeaderMap, name: &'static str, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(name, value);
    }
}
