//! A client that wants to connect: `$connect` is invoked, and its answer decides about the upgrade.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use lambkin_protocol::websocket::{self, CONNECT, Moment};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::api::{Api, finish, now};
use super::connections::{Client, Parcel, Visitor};
use super::{authorization, connection, integration, message};
use crate::api_gateway::authorizers::Refusal;
use crate::api_gateway::incoming::{self, Whole};
use crate::api_gateway::{Visit, outgoing};

/// How many messages may wait for a client to take them.
const OUTBOX: usize = 16;

/// Upgrades the connection, or says why not.
pub(super) async fn answer(api: &Arc<Api>, mut request: Request<Incoming>) -> Response<Bytes> {
    let visit = Visit::begin(&request);
    let Some(accept) = accept_key(&request) else {
        let mut response = outgoing::message(StatusCode::UPGRADE_REQUIRED, "Upgrade Required");
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return finish(response, visit, &api.on_request);
    };
    let upgrade = hyper::upgrade::on(&mut request);
    // A task of its own: a function that let a client in hears of its end, though the client did not wait for that.
    let invited = invite(Arc::clone(api), request, (upgrade, accept), visit);
    let response = api.tasks.spawn(invited).await;
    response.unwrap_or_else(|_| {
        outgoing::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    })
}

async fn invite(
    api: Arc<Api>,
    request: Request<Incoming>,
    upgrade: (OnUpgrade, HeaderValue),
    mut visit: Visit,
) -> Response<Bytes> {
    "CONNECT".clone_into(&mut visit.access.method);
    let response = match incoming::read(request, 0).await {
        Ok(_) if api.closing.is_cancelled() => {
            outgoing::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Ok(whole) => connect(&api, whole, upgrade, &mut visit).await,
        Err(error) => {
            visit.access.error = Some(error.to_string());
            outgoing::message(StatusCode::BAD_REQUEST, "Bad Request")
        }
    };
    finish(response, visit, &api.on_request)
}

async fn connect(
    api: &Arc<Api>,
    whole: Whole,
    (upgrade, accept): (OnUpgrade, HeaderValue),
    visit: &mut Visit,
) -> Response<Bytes> {
    let user_agent = whole.request.headers().get(header::USER_AGENT);
    let visitor = Visitor {
        stage: api.stage.clone(),
        domain_name: whole.domain_name.clone(),
        source_ip: whole.source_ip.clone(),
        user_agent: user_agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
    };
    let (outbox, parcels) = mpsc::channel::<Parcel>(OUTBOX);
    let mut client = Client::new(visitor, outbox);
    let subprotocol = match ask(api, &mut client, whole, visit).await {
        Ok(subprotocol) => subprotocol,
        Err(refusal) => return refusal,
    };
    let client = Arc::new(client);
    // It can be sent to from here on, as soon as whoever learned its id may try.
    api.connections.insert(&client);
    api.tasks.spawn(connection::run(Arc::clone(api), client, upgrade, parcels));
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = subprotocol.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    response
}

/// Invokes `$connect`, if there is that route and its authorizer lets the client in: the subprotocol that it chose, or the
/// response that refuses.
async fn ask(
    api: &Api,
    client: &mut Client,
    whole: Whole,
    visit: &mut Visit,
) -> Result<Option<String>, Response<Bytes>> {
    visit.access.route_key = Some(CONNECT.to_owned());
    let deployed = api.deployed();
    let Some(route) = deployed.find(CONNECT) else { return Ok(None) };
    client.authorizer = authorization::ask(api, (&deployed, route), client, (&whole, visit))
        .await
        .map_err(|refusal| refuse(client, visit, refusal))?;
    let moment =
        Moment { route_key: CONNECT, request_id: &visit.access.request_id, time_epoch_ms: now() };
    let request = (whole.request.uri(), whole.request.headers());
    let event = websocket::connect(&client.connection(), &moment, request);
    match integration::invoke(&api.integration, event, (&whole.trace_id, visit)).await {
        Ok(reply) if reply.status.is_success() => Ok(reply.subprotocol),
        Ok(reply) => {
            visit.access.error = Some(format!("{CONNECT} answered {}", reply.status));
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = reply.status;
            Err(response)
        }
        Err(failure) => {
            visit.access.error = Some(failure.to_string());
            Err(tell(client, visit, failure.public()))
        }
    }
}

/// What a client hears that the authorizer does not let in.
fn refuse(client: &Client, visit: &mut Visit, refusal: Refusal) -> Response<Bytes> {
    let (told, why) = match refusal {
        Refusal::Unauthorized(why) => ((StatusCode::UNAUTHORIZED, "Unauthorized"), why),
        Refusal::Forbidden { why, .. } => ((StatusCode::FORBIDDEN, "Forbidden"), why),
        Refusal::Failed(why) => ((StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"), why),
    };
    visit.access.error = Some(why);
    tell(client, visit, told)
}

fn tell(client: &Client, visit: &Visit, (status, text): (StatusCode, &str)) -> Response<Bytes> {
    let mut response = Response::new(message::error(client, visit, text));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The answer to the client's key, when it is a WebSocket client of version 13 (RFC 6455 section 4.2.1).
fn accept_key<B>(request: &Request<B>) -> Option<HeaderValue> {
    let headers = request.headers();
    let is_upgrade = request.method() == Method::GET
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket")
        && has_token(headers, &header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| is_upgrade)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
