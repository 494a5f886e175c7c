//! Answers: an HTTP response as the JSON its event's sender wants, and what the sender makes of such JSON.
//!
//! [`buffered`] and [`stream_prelude`] are the host's side, [`interpret`] is the gateway's, for the local cloud.

mod buffered;
mod fields;
mod interpret;
mod prelude;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

pub use buffered::buffered;
pub use interpret::{interpret, interpret_rest};
pub use prelude::{STREAM_PRELUDE_END, stream_prelude};

use crate::event::Format;

/// The largest payload Lambda takes as a synchronous answer, in bytes.
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024 + 100;

/// Why no answer could be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The answer is larger than Lambda takes.
    #[error(
        "the answer has {size} bytes as JSON, more than the {limit} Lambda takes (its body has {body})"
    )]
    TooLarge {
        /// Size of the answer as JSON, in bytes.
        size: usize,
        /// Size of the response's body, in bytes.
        body: usize,
        /// [`MAX_PAYLOAD`].
        limit: usize,
    },
}

/// Why a gateway refuses a function's payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAnswer {
    /// It is not JSON.
    #[error("the function's answer is not JSON")]
    NotJson,
    /// It is JSON, but not an object.
    #[error("the function's answer is not an object")]
    NotAnObject,
    /// It has a member this API does not know, which a REST API refuses.
    #[error("the function's answer has the member `{key}`, which a REST API does not know")]
    UnknownKey {
        /// The member's name.
        key: String,
    },
    /// It lacks a member this API needs.
    #[error("the function's answer has no `{field}`")]
    Missing {
        /// The member's name.
        field: &'static str,
    },
    /// A member has the wrong type or value.
    #[error("the function's answer has a malformed `{field}`")]
    Field {
        /// The member's name.
        field: &'static str,
    },
    /// A header's name or value is not allowed in HTTP.
    #[error("the function's answer has the header `{name}`, which is not allowed in HTTP")]
    Header {
        /// The header's name.
        name: String,
    },
    /// It is the report of a failed function.
    #[error("the function failed: {message}")]
    Failure {
        /// Its error message.
        message: String,
    },
}

/// What a client gets when the function fails or its answer is malformed: 502 from a REST API, a function URL and an
/// ALB, 500 from an HTTP API.
pub fn failure(format: Format) -> Response<Bytes> {
    let (status, kind, body) = match format {
        Format::RestV1 => {
            (StatusCode::BAD_GATEWAY, "application/json", r#"{"message": "Internal server error"}"#)
        }
        Format::HttpV1 | Format::HttpV2 => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "application/json",
            r#"{"message":"Internal Server Error"}"#,
        ),
        Format::FunctionUrl => {
            (StatusCode::BAD_GATEWAY, "application/json", "Internal Server Error")
        }
        Format::Alb { .. } => (
            StatusCode::BAD_GATEWAY,
            "text/html",
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n",
        ),
    };
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
