//! What a client is told in the place of an answer: a status, and its words as API Gateway writes them.
//!
//! The status is that of an HTTP API, and of `wasmtime serve`: 500 for a guest that failed. Why it failed is in the log.

use crate::error::{Failure, Fault};
use crate::guest;
use http::{HeaderValue, Response, StatusCode, header};
use lambkin_engine::{Body, InvokeError};

/// The status of a failed request.
pub(super) fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::RequestBody(_) | Failure::Invoke(InvokeError::Request { .. }) => {
            StatusCode::BAD_REQUEST
        }
        Failure::RequestTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::Invoke(InvokeError::Timeout { .. }) => StatusCode::GATEWAY_TIMEOUT,
        Failure::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        failure if failure.fault() != Fault::Upstream => StatusCode::INTERNAL_SERVER_ERROR,
        // A service that the guest called; else the store, which may be there again for the next request.
        Failure::Invoke(_) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// `{"message":"Not Found"}`.
pub(super) fn response(status: StatusCode) -> Response<Body> {
    let words = status.canonical_reason().unwrap_or_default();
    let mut response = guest::whole(Response::new(format!(r#"{{"message":"{words}"}}"#).into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_status_says_whose_fault_it_is() {
        let check = |failure: Failure, expected: u16| {
            assert_eq!(status(&failure).as_u16(), expected, "{failure}");
        };
        let upstream = |code: &str| InvokeError::Http { code: code.into(), fault: Fault::Upstream };
        check(Failure::RequestTooLarge { limit: 1 }, 413);
        check(Failure::RequestBody("it broke off".into()), 400);
        check(Failure::Busy { most: 1 }, 503);
        check(Failure::Panic("x".into()), 500);
        check(InvokeError::NoResponse.into(), 500);
        check(InvokeError::Timeout { after: Duration::from_secs(1) }.into(), 504);
        check(upstream("connection-refused").into(), 502);
    }
}
