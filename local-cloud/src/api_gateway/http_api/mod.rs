//! An HTTP API before one function: routes, CORS, authorizers, payload formats 2.0 and 1.0, and API Gateway's own answers when something
//! fails.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>. An HTTP API cannot stream, so a
//! streamed answer is collected first.

mod authorization;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use lambkin_protocol::event::Format;
use lambkin_protocol::manifest::Payload;
use lambkin_protocol::request::{Gateway, http_api_v1, http_api_v2};
use lambkin_protocol::routes::Found;
use lambkin_protocol::{answer, cors};

use super::custom_domain::Place;
use super::definition::{Deployed, route_key};
use super::incoming::{self, ReadError, Whole};
use super::integration::{Failure, Integration};
use super::{ACCOUNT_ID, API_ID, Visit, outgoing};

/// The largest request body, in bytes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// How long an integration may take; the same page.
pub(super) const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// How many bytes the request line and all headers may have; the same page.
const MAX_HEAD: usize = 10_240;

/// The stage whose name is not in the path.
const DEFAULT_STAGE: &str = "$default";

/// An HTTP API for one request.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) deployed: &'a Deployed,
    pub(super) integration: &'a Integration,
    pub(super) place: &'a Place,
}

impl Api<'_> {
    /// Answers a request; what the client is not told goes into `visit`.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        visit: &mut Visit,
    ) -> Response<Bytes> {
        let mut response = self.share(request, visit).await;
        outgoing::mark(response.headers_mut(), "apigw-requestid", &visit.access.request_id);
        response
    }

    /// Answers preflights and writes CORS headers, if there is a policy.
    async fn share(&self, request: Request<Incoming>, visit: &mut Visit) -> Response<Bytes> {
        let Some(policy) = &self.deployed.api.cors else { return self.route(request, visit).await };
        if cors::is_preflight(request.method(), request.headers()) && !self.guards_all(&request) {
            return cors::preflight(policy, request.headers());
        }
        let asked = request.headers().clone();
        let mut response = self.route(request, visit).await;
        cors::apply(policy, &asked, response.headers_mut());
        response
    }

    /// Whether a request is one for the route `$default`, which has an authorizer: it guards preflights too, as AWS's guide
    /// says, unless there is an `OPTIONS` route for them.
    fn guards_all(&self, request: &Request<Incoming>) -> bool {
        let path = self.inner(request.uri().path());
        let found = path.and_then(|path| self.deployed.routes.find(request.method(), path));
        found.is_some_and(|found| {
            found.route.path == DEFAULT_STAGE && found.route.authorizer.is_some()
        })
    }

    /// The path as routes see it: without a custom domain's base path, or the stage that has a name at the API's own address.
    /// Nothing for a path of no stage.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.place {
            Place::Own => in_stage(path, self.stage()),
            Place::Mapped { .. } => Some(self.place.inner(path)),
        }
    }

    fn stage(&self) -> &str {
        self.deployed.api.stage.as_deref().unwrap_or(DEFAULT_STAGE)
    }

    fn payload(&self) -> Payload {
        self.deployed.api.payload.unwrap_or(Payload::Two)
    }

    async fn route(&self, request: Request<Incoming>, visit: &mut Visit) -> Response<Bytes> {
        if head_size(&request) > MAX_HEAD {
            visit.access.error = Some(format!("the request's head has more than {MAX_HEAD} bytes"));
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return outgoing::message(status, "Request Header Fields Too Large");
        }
        let (deployed, path) = (self.deployed, request.uri().path().to_owned());
        let stage = self.stage();
        let found = self.inner(&path).and_then(|path| deployed.routes.find(request.method(), path));
        let Some(found) = found else {
            return outgoing::message(StatusCode::NOT_FOUND, "Not Found");
        };
        let route_key = route_key(found.route, request.method());
        visit.access.route_key = Some(route_key.clone());
        let whole = match incoming::read(request, MAX_BODY).await {
            Ok(whole) => whole,
            Err(error) => return unreadable(error, visit),
        };
        visit.access.body = whole.request.body().clone();
        let gateway = gateway(&found, (stage, &route_key), &whole, visit);
        let gateway = Gateway {
            stage_variables: Some(&deployed.api.stage_variables).filter(|known| !known.is_empty()),
            ..gateway
        };
        let asked = authorization::ask(self, found.route, &whole, &gateway).await;
        let said = match asked.map_err(authorization::refused) {
            Ok(said) => said,
            Err((response, why)) => {
                visit.access.error = Some(why);
                return response;
            }
        };
        let gateway = Gateway { authorizer: said.as_deref(), ..gateway };
        let (event, format) = match self.payload() {
            Payload::Two => (http_api_v2(&whole.request, &gateway), Format::HttpV2),
            Payload::One => (http_api_v1(&whole.request, &gateway), Format::HttpV1),
        };
        let called =
            self.integration.call(event, &whole.trace_id, &mut visit.access.invocation).await;
        let answered = called.and_then(|payload| {
            answer::interpret(format, &payload)
                .map_err(|malformed| Failure::Lost(malformed.to_string()))
        });
        match answered {
            Ok(mut response) => {
                outgoing::clean(response.headers_mut());
                response
            }
            Err(failure) => failed(&failure, format, visit),
        }
    }
}

fn gateway<'a>(
    found: &'a Found<'_>,
    (stage, route_key): (&'a str, &'a str),
    whole: &'a Whole,
    visit: &'a Visit,
) -> Gateway<'a> {
    Gateway {
        account_id: ACCOUNT_ID,
        api_id: API_ID,
        domain_name: &whole.domain_name,
        stage,
        route_key,
        path_parameters: &found.parameters,
        stage_variables: None,
        authorizer: None,
        source_ip: &whole.source_ip,
        request_id: &visit.access.request_id,
        time_epoch_ms: whole.time,
    }
}

/// The path below its stage: one other than `$default` stands at its front. Nothing for a path of no stage.
fn in_stage<'a>(path: &'a str, stage: &str) -> Option<&'a str> {
    if stage == DEFAULT_STAGE {
        return Some(path);
    }
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    match rest {
        "" => Some("/"),
        rest => Some(rest).filter(|rest| rest.starts_with('/')),
    }
}

fn head_size(request: &Request<Incoming>) -> usize {
    let line = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let headers: &HeaderMap = request.headers();
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + request.method().as_str().len() + fields.sum::<usize>()
}

fn unreadable(error: ReadError, visit: &mut Visit) -> Response<Bytes> {
    visit.access.error = Some(error.to_string());
    match error {
        ReadError::TooLarge { .. } => too_large(),
        ReadError::Truncated => outgoing::message(StatusCode::BAD_REQUEST, "Bad Request"),
    }
}

fn failed(failure: &Failure, format: Format, visit: &mut Visit) -> Response<Bytes> {
    visit.access.error = Some(failure.why());
    match failure {
        Failure::TooSlow(_) => {
            outgoing::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Failure::TooLarge(_) => too_large(),
        Failure::Raised(_) | Failure::Lost(_) => answer::failure(format),
    }
}

fn too_large() -> Response<Bytes> {
    outgoing::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

#[cfg(test)]
mod tests {
    use super::in_stage;

    #[test]
    fn a_named_stage_is_the_first_segment() {
        assert_eq!(in_stage("/items", "$default"), Some("/items"));
        assert_eq!(in_stage("/test/items", "test"), Some("/items"));
        assert_eq!(in_stage("/test", "test"), Some("/"));
        assert_eq!(in_stage("/testing", "test"), None);
        assert_eq!(in_stage("/items", "test"), None);
    }
}
