//! How an HTTP API asks a route's authorizer, and what a client is told that may not pass.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use lambkin_protocol::authorizer::{self, Verdict};
use lambkin_protocol::manifest::{AuthorizerType, Payload};
use lambkin_protocol::request::Gateway;
use lambkin_protocol::routes::Route;
use serde_json::value::RawValue;

use super::Api;
use crate::api_gateway::authorizers::{Language, Question, Refusal};
use crate::api_gateway::incoming::Whole;
use crate::api_gateway::{ACCOUNT_ID, API_ID, REGION, outgoing};

/// Asks the authorizer of `route`, if it has one; what it said goes into the event.
pub(super) async fn ask(
    api: &Api<'_>,
    route: &Route,
    whole: &Whole,
    gateway: &Gateway<'_>,
) -> Result<Option<Box<RawValue>>, Refusal> {
    let Some(name) = &route.authorizer else { return Ok(None) };
    let authorizers = &api.deployed.authorizers;
    let known = authorizers.get(name)?;
    let arn = route_arn(api, whole, gateway);
    let question = Question { name, arn: &arn, gateway, trace_id: &whole.trace_id };
    let format = api.payload();
    if known.kind == AuthorizerType::Jwt {
        let claims = authorizers.verify(&whole.request, question, &route.scopes).await?;
        return Ok(match format {
            Payload::One => claims.context_v1(&route.scopes),
            Payload::Two => claims.context_v2(&route.scopes),
        });
    }
    let event = |identity: &[String]| match known.payload.unwrap_or(Payload::Two) {
        Payload::One => authorizer::http_api_v1(&whole.request, gateway, (&arn, identity)),
        Payload::Two => authorizer::http_api_v2(&whole.request, gateway, (&arn, identity)),
    };
    let language = Language { event: &event, read: Verdict::of_http_api };
    let verdict = authorizers.ask(&whole.request, question, api.integration, language).await?;
    Ok(match format {
        Payload::One => verdict.context_v1(),
        Payload::Two => verdict.context_v2(),
    })
}

/// `arn:aws:execute-api:us-east-1:000000000000:local/$default/GET/items/1`.
fn route_arn(api: &Api<'_>, whole: &Whole, gateway: &Gateway<'_>) -> String {
    let path = api.inner(whole.request.uri().path()).unwrap_or_default();
    let (method, stage) = (whole.request.method(), gateway.stage);
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{stage}/{method}{path}")
}

/// What a client is told, and why, for the developer.
pub(super) fn refused(refusal: Refusal) -> (Response<Bytes>, String) {
    match refusal {
        Refusal::Unauthorized(why) => {
            let mut response = outgoing::message(StatusCode::UNAUTHORIZED, "Unauthorized");
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            (response, why)
        }
        Refusal::Forbidden { why, .. } => {
            (outgoing::message(StatusCode::FORBIDDEN, "Forbidden"), why)
        }
        Refusal::Failed(why) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            (outgoing::message(status, "Internal Server Error"), why)
        }
    }
}
