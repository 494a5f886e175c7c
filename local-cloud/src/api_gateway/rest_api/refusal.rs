//! What a REST API answers in the function's place: its default gateway responses.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>, and the
//! texts that clients of AWS see.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use lambkin_protocol::authorizer::Decision;

use super::usage::Refused;
use crate::api_gateway::incoming::ReadError;
use crate::api_gateway::integration::Failure;
use crate::api_gateway::{Visit, authorizers};

/// Why a client gets a gateway response. The text is for the developer.
#[derive(Debug)]
pub(super) enum Refusal {
    NoResource,
    TooLarge(String),
    Truncated(String),
    Unauthorized(String),
    Denied { why: String, decision: Decision },
    AuthorizerFailed(String),
    Unusable(Refused),
    Malformed(String),
    TooSlow(String),
}

impl Refusal {
    /// The response; why it came is noted in `visit`.
    pub(super) fn tell(self, visit: &mut Visit) -> Response<Bytes> {
        let (status, kind, body) = self.words();
        visit.access.error = match self {
            Self::NoResource => None,
            Self::Unusable(Refused::Unknown) => {
                Some("the request has no API key of a usage plan".to_owned())
            }
            Self::Unusable(Refused::Throttled) => Some("the API key asks too fast".to_owned()),
            Self::Unusable(Refused::Exceeded) => Some("the API key's quota is used up".to_owned()),
            Self::TooLarge(why)
            | Self::Truncated(why)
            | Self::Unauthorized(why)
            | Self::Denied { why, .. }
            | Self::AuthorizerFailed(why)
            | Self::Malformed(why)
            | Self::TooSlow(why) => Some(why),
        };
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
        response
    }

    fn words(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoResource => (
                StatusCode::FORBIDDEN,
                "MissingAuthenticationTokenException",
                r#"{"message":"Missing Authentication Token"}"#,
            ),
            Self::TooLarge(_) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestTooLargeException",
                r#"{"message":"Request Too Long"}"#,
            ),
            Self::Truncated(_) => {
                (StatusCode::BAD_REQUEST, "BadRequestException", r#"{"message":"Bad Request"}"#)
            }
            Self::Unauthorized(_) => {
                (StatusCode::UNAUTHORIZED, "UnauthorizedException", r#"{"message":"Unauthorized"}"#)
            }
            Self::Denied { decision: Decision::ExplicitDeny, .. } => (
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
            ),
            Self::Denied { .. } => (
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                r#"{"Message":"User is not authorized to access this resource"}"#,
            ),
            Self::AuthorizerFailed(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "AuthorizerConfigurationException",
                r#"{"message":null}"#,
            ),
            Self::Unusable(Refused::Unknown) => {
                (StatusCode::FORBIDDEN, "ForbiddenException", r#"{"message":"Forbidden"}"#)
            }
            Self::Unusable(Refused::Throttled) => (
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                r#"{"message":"Too Many Requests"}"#,
            ),
            Self::Unusable(Refused::Exceeded) => (
                StatusCode::TOO_MANY_REQUESTS,
                "LimitExceededException",
                r#"{"message":"Limit Exceeded"}"#,
            ),
            Self::Malformed(_) => (
                StatusCode::BAD_GATEWAY,
                "InternalServerErrorException",
                r#"{"message": "Internal server error"}"#,
            ),
            Self::TooSlow(_) => (
                StatusCode::GATEWAY_TIMEOUT,
                "InternalServerErrorException",
                r#"{"message": "Endpoint request timed out"}"#,
            ),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Unusable(refused)
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooLarge { .. } => Self::TooLarge(error.to_string()),
            ReadError::Truncated => Self::Truncated(error.to_string()),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooSlow(why) => Self::TooSlow(why),
            Failure::TooLarge(why) => Self::TooLarge(why),
            Failure::Raised(_) | Failure::Lost(_) => Self::Malformed(failure.why()),
        }
    }
}

impl From<authorizers::Refusal> for Refusal {
    fn from(refusal: authorizers::Refusal) -> Self {
        match refusal {
            authorizers::Refusal::Unauthorized(why) => Self::Unauthorized(why),
            authorizers::Refusal::Forbidden { why, decision } => Self::Denied { why, decision },
            authorizers::Refusal::Failed(why) => Self::AuthorizerFailed(why),
        }
    }
}
