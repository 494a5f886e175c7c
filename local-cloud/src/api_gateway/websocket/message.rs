//! One message through its route: selection, invocation, and what the client hears of it.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use lambkin_protocol::websocket::{self, Moment};

use super::api::{Api, now};
use super::connections::Client;
use super::integration;
use crate::api_gateway::Visit;
use crate::api_gateway::incoming::{request_id, trace_id};

/// Takes a message to the function, and a route response or an error back to the client.
pub(super) async fn handle(api: Arc<Api>, client: Arc<Client>, text: String) {
    let mut visit = Visit::of("MESSAGE", &format!("/{}", api.stage));
    let deployed = api.deployed();
    let Some(route) = deployed.select(&text) else {
        visit.access.error = Some("the message asks for no route that there is".to_owned());
        drop(client.send(error(&client, &visit, "Forbidden")).await);
        return visit.end(StatusCode::FORBIDDEN, &api.on_request);
    };
    visit.access.route_key = Some(route.key.clone());
    let moment = Moment {
        route_key: &route.key,
        request_id: &visit.access.request_id,
        time_epoch_ms: now(),
    };
    let event = websocket::message(&client.connection(), &moment, (&request_id(), &text));
    drop(text);
    let (status, answer) =
        match integration::invoke(&api.integration, event, (&trace_id(), &mut visit)).await {
            Ok(reply) => (reply.status, reply.body.filter(|_| route.response)),
            Err(failure) => {
                let (status, message) = failure.public();
                visit.access.error = Some(failure.to_string());
                (status, Some(error(&client, &visit, message)))
            }
        };
    if let Some(answer) = answer {
        // A client that is gone by now hears nothing, and needs not.
        drop(client.send(answer).await);
    }
    visit.end(status, &api.on_request);
}

/// What a client hears when its message came to nothing, as recorded from API Gateway to the blank.
pub(super) fn error(client: &Client, visit: &Visit, message: &str) -> Bytes {
    let (connection, request) = (&client.id, &visit.access.request_id);
    format!(r#"{{"message": "{message}", "connectionId":"{connection}", "requestId":"{request}"}}"#)
        .into()
}
