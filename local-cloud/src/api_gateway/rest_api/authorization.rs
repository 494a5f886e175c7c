//! How a REST API asks a method's authorizer: of type `TOKEN`, with one header, or `REQUEST`, with all but the body.

use std::time::Instant;

use lambkin_protocol::authorizer::{self, Verdict};
use lambkin_protocol::manifest::AuthorizerType;
use lambkin_protocol::request::{Gateway, RestGateway};
use lambkin_protocol::routes::Route;
use serde_json::value::RawValue;

use super::Api;
use crate::api_gateway::authorizers::{Language, Question, Refusal};
use crate::api_gateway::incoming::Whole;
use crate::api_gateway::{ACCOUNT_ID, API_ID, REGION};

/// What goes into the event, and the client's API key.
type Said = (Option<Box<RawValue>>, Option<String>);

/// Asks the authorizer of `route`, if it has one; what it said goes into the event. `path` is the
/// request's below a custom domain's base path.
pub(super) async fn ask(
    api: &Api<'_>,
    route: &Route,
    (whole, gateway): (&Whole, &Gateway<'_>),
    (rest, path): (&RestGateway<'_>, &str),
) -> Result<Option<Said>, Refusal> {
    let Some(name) = &route.authorizer else { return Ok(None) };
    let authorizers = &api.deployed.authorizers;
    let known = authorizers.get(name)?;
    let (method, stage) = (whole.request.method(), gateway.stage);
    let arn = format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{stage}/{method}{path}");
    let event = |identity: &[String]| match known.kind {
        AuthorizerType::Token => authorizer::rest_token(&arn, &identity.concat()),
        AuthorizerType::Request | AuthorizerType::Jwt => {
            authorizer::rest_request(&whole.request, gateway, (rest, &arn))
        }
    };
    let question = Question { name, arn: &arn, gateway, trace_id: &whole.trace_id };
    let language = Language { event: &event, read: Verdict::of_rest_api };
    let begun = Instant::now();
    let verdict = authorizers.ask(&whole.request, question, api.integration, language).await?;
    let latency = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Some((verdict.context_rest(latency), verdict.api_key().map(str::to_owned))))
}
