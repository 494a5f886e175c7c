//! An Application Load Balancer whose target is the function.
//!
//! Rules: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>, and for its own answers
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>. No listener rules, health
//! checks, authentication or stickiness.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use lambkin_protocol::event::Format;
use lambkin_protocol::{answer, request};

use super::definition::Deployed;
use super::incoming::{self, ReadError};
use super::integration::{Failure, Integration};
use super::{ACCOUNT_ID, REGION, Visit, outgoing};

/// The largest request body and the largest answer, in bytes.
const MAX_SIZE: usize = 1024 * 1024;

/// How long the function may take: as long as Lambda lets it.
pub(super) const TIMEOUT: Duration = Duration::from_mins(15);

/// What ends the target group's ARN.
const TARGET_GROUP: &str = "targetgroup/lambkin-local/0123456789abcdef";

/// A load balancer for one request.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) deployed: &'a Deployed,
    pub(super) integration: &'a Integration,
}

impl Api<'_> {
    /// Answers a request; what the client is not told goes into `visit`.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        visit: &mut Visit,
    ) -> Response<Bytes> {
        let answered = self.call(request, visit).await.unwrap_or_else(|(status, why)| {
            visit.access.error = Some(why);
            page(status)
        });
        let mut response = answered;
        outgoing::clean(response.headers_mut());
        response
    }

    /// The error is the status that the client gets, and why.
    async fn call(
        &self,
        request: Request<Incoming>,
        visit: &mut Visit,
    ) -> Result<Response<Bytes>, (StatusCode, String)> {
        let whole = incoming::read(request, MAX_SIZE).await.map_err(|error| {
            let status = match error {
                ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                ReadError::Truncated => StatusCode::BAD_REQUEST,
            };
            (status, error.to_string())
        })?;
        visit.access.body = whole.request.body().clone();
        let multi_value = self.deployed.api.multi_value_headers;
        let arn = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT_ID}:{TARGET_GROUP}");
        let event = request::alb(&whole.request, &arn, multi_value);
        let called =
            self.integration.call(event, &whole.trace_id, &mut visit.access.invocation).await;
        let payload = called.map_err(|failure| match &failure {
            Failure::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, failure.why()),
            Failure::TooSlow(_) | Failure::Raised(_) | Failure::Lost(_) => {
                (StatusCode::BAD_GATEWAY, failure.why())
            }
        })?;
        let bad_gateway = |why: String| (StatusCode::BAD_GATEWAY, why);
        if payload.len() > MAX_SIZE {
            let size = payload.len();
            return Err(bad_gateway(format!(
                "the answer has {size} bytes, more than the {MAX_SIZE} that a load balancer takes"
            )));
        }
        answer::interpret(Format::Alb { multi_value }, &payload)
            .map_err(|malformed| bad_gateway(malformed.to_string()))
    }
}

/// The load balancer's own answer.
fn page(status: StatusCode) -> Response<Bytes> {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let html = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("awselb/2.0"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
