//! How a WebSocket API asks the authorizer of `$connect`, of type `REQUEST`, who wants to connect. Its answers are not kept: API
//! Gateway caches those of HTTP and REST APIs only.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.

use std::collections::BTreeMap;
use std::time::Instant;

use lambkin_protocol::authorizer::{self, Verdict};
use lambkin_protocol::manifest::WebSocketRoute;
use lambkin_protocol::request::Gateway;
use lambkin_protocol::websocket::Moment;
use serde_json::value::RawValue;

use super::api::{self, Api, Deployed, now};
use super::connections::Client;
use crate::api_gateway::authorizers::{Language, Question, Refusal};
use crate::api_gateway::incoming::Whole;
use crate::api_gateway::{ACCOUNT_ID, REGION, Visit};

/// Asks the authorizer of the route, if it has one; what it said goes into every event of the client.
pub(super) async fn ask(
    api: &Api,
    (deployed, route): (&Deployed, &WebSocketRoute),
    client: &Client,
    (whole, visit): (&Whole, &Visit),
) -> Result<Option<Box<RawValue>>, Refusal> {
    let Some(name) = &route.authorizer else { return Ok(None) };
    let (stage, key) = (client.stage.as_str(), route.key.as_str());
    let arn = format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{}/{stage}/{key}", api::ID);
    let none = BTreeMap::new();
    let gateway = Gateway {
        account_id: ACCOUNT_ID,
        api_id: api::ID,
        domain_name: &whole.domain_name,
        stage,
        route_key: key,
        path_parameters: &none,
        stage_variables: None,
        authorizer: None,
        source_ip: &whole.source_ip,
        request_id: &visit.access.request_id,
        time_epoch_ms: whole.time,
    };
    let moment =
        Moment { route_key: key, request_id: &visit.access.request_id, time_epoch_ms: now() };
    let request = (whole.request.uri(), whole.request.headers());
    let event = |_: &[String]| {
        authorizer::websocket_request(&client.connection(), &moment, (request, &arn))
    };
    let question = Question { name, arn: &arn, gateway: &gateway, trace_id: &whole.trace_id };
    let language = Language { event: &event, read: Verdict::of_rest_api };
    let begun = Instant::now();
    let authorizers = &deployed.authorizers;
    let verdict =
        authorizers.ask_anew(&whole.request, question, &api.integration, language).await?;
    Ok(verdict.context_rest(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)))
}
