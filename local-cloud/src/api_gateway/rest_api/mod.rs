//! A REST API with a proxy integration before one function: resources, its one payload format, binary media types, API keys, and
//! the gateway responses of API Gateway when something fails.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html>, and events and
//! answers that others recorded from AWS. Not here: caching, models and mapping templates.

mod authorization;
mod refusal;
mod usage;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, header};
use hyper::body::Incoming;
use lambkin_protocol::answer::interpret_rest;
use lambkin_protocol::manifest::{ApiKeySource, ResponseTransferMode};
use lambkin_protocol::request::{Gateway, RestGateway, rest_api};
use lambkin_protocol::routes::Found;
use uuid::Uuid;

use self::refusal::Refusal;
pub(super) use self::usage::Usage;
use super::custom_domain::Place;
use super::definition::{Deployed, route_key};
use super::incoming::{self, Whole};
use super::integration::{self, Integration, Streamed};
use super::streamed::{self, Answered, Body};
use super::{ACCOUNT_ID, API_ID, MAX_BODY, Visit, outgoing};
use crate::http_server::Spelling;

/// How long an integration may take
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>).
pub(super) const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);

/// How long one may take that streams; the same page.
pub(super) const STREAMING_TIMEOUT: Duration = Duration::from_mins(15);

/// The stage of an API that names none.
const DEFAULT_STAGE: &str = "prod";

/// The id of the local deployment.
const DEPLOYMENT_ID: &str = "local";

/// A REST API for one request.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) deployed: &'a Deployed,
    pub(super) integration: &'a Integration,
    pub(super) place: &'a Place,
}

impl Api<'_> {
    /// Answers a request; what the client is not told goes into `visit`.
    pub(super) async fn answer(&self, request: Request<Incoming>, visit: &mut Visit) -> Answered {
        let extended_id =
            std::mem::replace(&mut visit.access.request_id, Uuid::new_v4().to_string());
        let answered = self.route(request, &extended_id, visit).await;
        let mut answered = answered.unwrap_or_else(|refusal| Answered::Whole(refusal.tell(visit)));
        let headers = answered.headers_mut();
        outgoing::mark(headers, "x-amzn-requestid", &visit.access.request_id);
        outgoing::mark(headers, "x-amz-apigw-id", &extended_id);
        answered
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        extended_id: &str,
        visit: &mut Visit,
    ) -> Result<Answered, Refusal> {
        let api = &self.deployed.api;
        let stage = api.stage.as_deref().unwrap_or(DEFAULT_STAGE);
        let whole_path = request.uri().path().to_owned();
        // The event's path has the base path of a custom domain; the resource's has not.
        let (path, inner) = match self.place {
            Place::Own => {
                let inner = in_api(&whole_path, stage);
                (inner.clone(), inner)
            }
            Place::Mapped { .. } => (whole_path.clone(), in_api(self.place.inner(&whole_path), "")),
        };
        // A slash at the end makes no other resource.
        let resource_path =
            inner.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&inner);
        let found = self.deployed.routes.find(request.method(), resource_path);
        let found = found.ok_or(Refusal::NoResource)?;
        let key = route_key(found.route, request.method());
        visit.access.route_key = Some(key.clone());
        let spelling = request.extensions().get::<Spelling>().cloned().unwrap_or_default();
        let whole = incoming::read(request, MAX_BODY).await?;
        visit.access.body = whole.request.body().clone();
        let parameters = found.raw_parameters(resource_path);
        let rest = RestGateway {
            resource: &found.route.path,
            resource_id: &resource_id(&found),
            deployment_id: DEPLOYMENT_ID,
            path: &path,
            whole_path: &whole_path,
            extended_request_id: extended_id,
            spelling: &spelling.0,
            binary_media_types: &api.binary_media_types,
            api_key: None,
        };
        let gateway = Gateway {
            stage_variables: Some(&api.stage_variables).filter(|known| !known.is_empty()),
            ..gateway((stage, &key), &parameters, &whole, visit)
        };
        let said =
            authorization::ask(self, found.route, (&whole, &gateway), (&rest, &inner)).await?;
        let (said, named) = said.map_or((None, None), |(said, key)| (said, key));
        let gateway = Gateway { authorizer: said.as_deref(), ..gateway };
        let header = whole.request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
        let api_key = match api.api_key_source {
            _ if !found.route.api_key_required => None,
            ApiKeySource::Header => Some(header),
            ApiKeySource::Authorizer => Some(named.as_deref()),
        };
        let now = (Instant::now(), whole.time);
        let api_key = api_key.map(|key| self.deployed.usage.admit(key, now)).transpose()?;
        let rest = RestGateway { api_key, ..rest };
        let event = rest_api(&whole.request, &gateway, &rest);
        match api.response_transfer_mode {
            ResponseTransferMode::Buffered => {
                self.integrate(event, &whole, visit).await.map(Answered::Whole)
            }
            ResponseTransferMode::Stream => {
                self.stream(event, &whole, visit).await.map(Answered::Streamed)
            }
        }
    }

    async fn integrate(
        &self,
        event: Vec<u8>,
        whole: &Whole,
        visit: &mut Visit,
    ) -> Result<Response<Bytes>, Refusal> {
        let invocation = &mut visit.access.invocation;
        let payload = self.integration.call(event, &whole.trace_id, invocation).await?;
        let binary: Vec<_> =
            self.deployed.api.binary_media_types.iter().map(String::as_str).collect();
        let accept = whole.request.headers().get(header::ACCEPT);
        let accept = accept.and_then(|accept| accept.to_str().ok());
        let mut response = interpret_rest(&payload, &binary, accept)
            .map_err(|malformed| Refusal::Malformed(malformed.to_string()))?;
        outgoing::clean(response.headers_mut());
        Ok(response)
    }

    /// The same with `responseTransferMode` `STREAM`: the response begins when the answer's head is there
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html>).
    async fn stream(
        &self,
        event: Vec<u8>,
        whole: &Whole,
        visit: &mut Visit,
    ) -> Result<Response<Body>, Refusal> {
        let invocation = &mut visit.access.invocation;
        let called = self.integration.stream(event, &whole.trace_id, invocation).await?;
        let malformed = |why: &str| Refusal::Malformed(why.to_owned());
        let streaming = match called {
            Streamed::Pieces(streaming) if streamed::has_prelude(&streaming) => streaming,
            Streamed::Pieces(_) => {
                return Err(malformed(
                    "the function streamed an answer without the head that API Gateway needs",
                ));
            }
            Streamed::Whole(_) => {
                return Err(malformed(
                    "the API streams and the function does not: set LAMBKIN_RESPONSE_MODE=stream",
                ));
            }
        };
        let timeout = self.integration.timeout;
        let response = tokio::time::timeout(timeout, streamed::response(streaming)).await;
        let response = response.map_err(|_| integration::too_slow(timeout))?;
        let mut response = response.map_err(Refusal::Malformed)?;
        outgoing::clean(response.headers_mut());
        Ok(response)
    }
}

fn gateway<'a>(
    (stage, route_key): (&'a str, &'a str),
    path_parameters: &'a BTreeMap<String, String>,
    whole: &'a Whole,
    visit: &'a Visit,
) -> Gateway<'a> {
    Gateway {
        account_id: ACCOUNT_ID,
        api_id: API_ID,
        domain_name: &whole.domain_name,
        stage,
        route_key,
        path_parameters,
        stage_variables: None,
        authorizer: None,
        source_ip: &whole.source_ip,
        request_id: &visit.access.request_id,
        time_epoch_ms: whole.time,
    }
}

/// The path as resources see it. The stage stands at its front when the client calls the API's own address, and does not when it
/// calls a custom domain that is mapped to the stage: both are answered. Slashes at the front collapse to one.
fn in_api(path: &str, stage: &str) -> String {
    let rest = path.strip_prefix('/').and_then(|rest| rest.strip_prefix(stage));
    let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
    format!("/{}", rest.trim_start_matches('/'))
}

/// An id for the resource, as short as API Gateway's.
fn resource_id(found: &Found<'_>) -> String {
    format!("local{:03}", found.index)
}

#[cfg(test)]
mod tests {
    use super::in_api;

    #[test]
    fn the_stage_may_stand_before_the_path() {
        for (path, expected) in [
            ("/prod/items/1", "/items/1"),
            ("/prod", "/"),
            ("/prod/", "/"),
            ("/items/1", "/items/1"),
            ("/production", "/production"),
            ("/prod//items//1/", "/items//1/"),
        ] {
            assert_eq!(in_api(path, "prod"), expected);
        }
    }
}
