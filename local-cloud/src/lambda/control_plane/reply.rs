//! Answers and errors as Lambda's clients read them: the error's name in a header, its words in JSON.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::http_server::{AwsReply, whole};
use crate::lambda::InvokeError;

/// An error in place of an answer.
pub(super) struct Refusal {
    status: StatusCode,
    name: &'static str,
    document: Value,
}

/// A document.
pub(super) fn document<T: Serialize>(status: StatusCode, content: &T) -> AwsReply {
    let body = serde_json::to_vec(content).unwrap_or_default();
    let mut response = Response::new(whole(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Nothing but a status.
pub(super) fn empty(status: StatusCode) -> AwsReply {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// Sets a header; a value that cannot be one is left out.
pub(super) fn set(response: &mut AwsReply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// An error by the name that AWS's model gives it.
pub(super) fn refuse(status: StatusCode, name: &'static str, message: &str) -> Refusal {
    let document = json!({ "Message": message, "message": message });
    Refusal { status, name, document }
}

impl Refusal {
    /// As clients read it.
    pub(super) fn into_reply(mut self) -> AwsReply {
        let kind = if self.status.is_server_error() { "Service" } else { "User" };
        if let Some(document) = self.document.as_object_mut() {
            document.insert("Type".to_owned(), kind.into());
        }
        let mut response = document(self.status, &self.document);
        set(&mut response, "x-amzn-errortype", self.name);
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            set(&mut response, "retry-after", "1");
        }
        response
    }
}

/// Why an invocation has no answer.
pub(super) fn service_error(error: &InvokeError) -> Refusal {
    let (status, name) = match error {
        InvokeError::EventTooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException")
        }
        InvokeError::Option { .. } => (StatusCode::BAD_REQUEST, "InvalidRequestContentException"),
        InvokeError::TooManyRequests { .. } => return throttled(),
        InvokeError::Launch { .. } | InvokeError::Stopped => {
            (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException")
        }
    };
    refuse(status, name, &error.to_string())
}

fn throttled() -> Refusal {
    let document = json!({
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "message": "Rate Exceeded.",
    });
    Refusal { status: StatusCode::TOO_MANY_REQUESTS, name: "TooManyRequestsException", document }
}
