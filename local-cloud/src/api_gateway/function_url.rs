//! A function URL: every path goes to the function, and with `response_transfer_mode = "stream"` its answer goes to the client as
//! it comes (<https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html>). No IAM authorization.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use lambkin_protocol::event::Format;
use lambkin_protocol::manifest::ResponseTransferMode;
use lambkin_protocol::request::{self, Gateway};
use lambkin_protocol::{answer, cors};

use super::definition::Deployed;
use super::incoming::{self, ReadError, Whole};
use super::integration::{Failure, Integration, Streamed};
use super::streamed::{self, Answered};
use super::{API_ID, Visit, outgoing};
use crate::lambda::MAX_EVENT;

/// How long the function may take: as long as Lambda lets it.
pub(super) const TIMEOUT: Duration = Duration::from_mins(15);

/// A function URL for one request.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) deployed: &'a Deployed,
    pub(super) integration: &'a Integration,
}

impl Api<'_> {
    /// Answers a request; what the client is not told goes into `visit`.
    pub(super) async fn answer(&self, request: Request<Incoming>, visit: &mut Visit) -> Answered {
        let mut answered = self.share(request, visit).await;
        let headers = answered.headers_mut();
        outgoing::clean(headers);
        outgoing::mark(headers, "x-amzn-requestid", &visit.access.request_id);
        answered
    }

    /// Answers preflights and writes CORS headers, if there is a policy.
    async fn share(&self, request: Request<Incoming>, visit: &mut Visit) -> Answered {
        let Some(policy) = &self.deployed.api.cors else {
            return self.invoke(request, visit).await;
        };
        if cors::is_preflight(request.method(), request.headers()) {
            return Answered::Whole(cors::preflight(policy, request.headers()));
        }
        let asked = request.headers().clone();
        let mut answered = self.invoke(request, visit).await;
        cors::apply(policy, &asked, answered.headers_mut());
        answered
    }

    async fn invoke(&self, request: Request<Incoming>, visit: &mut Visit) -> Answered {
        self.call(request, visit).await.unwrap_or_else(|refusal| {
            visit.access.error = Some(refusal.why);
            Answered::Whole(refusal.response)
        })
    }

    async fn call(
        &self,
        request: Request<Incoming>,
        visit: &mut Visit,
    ) -> Result<Answered, Refusal> {
        let whole = incoming::read(request, MAX_EVENT).await?;
        visit.access.body = whole.request.body().clone();
        let event = event(&whole, visit);
        let (invocation, trace_id) = (&mut visit.access.invocation, &whole.trace_id);
        match self.deployed.api.response_transfer_mode {
            ResponseTransferMode::Buffered => {
                let payload = self.integration.call(event, trace_id, invocation).await?;
                interpret(&payload)
            }
            ResponseTransferMode::Stream => {
                match self.integration.stream(event, trace_id, invocation).await? {
                    Streamed::Whole(payload) => interpret(&payload),
                    Streamed::Pieces(streaming) => {
                        let response = streamed::response(streaming).await;
                        response.map(Answered::Streamed).map_err(Refusal::bad_gateway)
                    }
                }
            }
        }
    }
}

fn event(whole: &Whole, visit: &Visit) -> Vec<u8> {
    let gateway = Gateway {
        account_id: "anonymous",
        api_id: API_ID,
        domain_name: &whole.domain_name,
        stage: "$default",
        route_key: "$default",
        path_parameters: &BTreeMap::new(),
        stage_variables: None,
        authorizer: None,
        source_ip: &whole.source_ip,
        request_id: &visit.access.request_id,
        time_epoch_ms: whole.time,
    };
    request::function_url(&whole.request, &gateway)
}

fn interpret(payload: &[u8]) -> Result<Answered, Refusal> {
    let response = answer::interpret(Format::FunctionUrl, payload);
    response.map(Answered::Whole).map_err(|malformed| Refusal::bad_gateway(malformed.to_string()))
}

/// An answer in the function's place.
struct Refusal {
    response: Response<Bytes>,
    why: String,
}

impl Refusal {
    fn bad_gateway(why: impl Into<String>) -> Self {
        Self { response: answer::failure(Format::FunctionUrl), why: why.into() }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let response = match error {
            ReadError::TooLarge { .. } => too_large(),
            ReadError::Truncated => outgoing::message(StatusCode::BAD_REQUEST, "Bad Request"),
        };
        Self { response, why: error.to_string() }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let why = failure.why();
        match failure {
            Failure::TooLarge(_) => Self { response: too_large(), why },
            Failure::TooSlow(_) | Failure::Raised(_) | Failure::Lost(_) => Self::bad_gateway(why),
        }
    }
}

fn too_large() -> Response<Bytes> {
    outgoing::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}
