//! `@connections`: how a backend posts to a client, asks about it, or sends it away, in signed requests.
//!
//! Rules:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html> and
//! the model of AWS's `apigatewaymanagementapi`. A connection that is gone is told by an empty body.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use lambkin_protocol::request::iso_time;
use serde_json::json;

use super::MAX_MESSAGE;
use super::api::{Api, now};
use super::connections::{Client, Gone, is_id};
use crate::api_gateway::sigv4::{self, Call};
use crate::api_gateway::{Visit, outgoing};

/// The name of API Gateway's data plane in signatures.
const SERVICE: &str = "execute-api";
/// The longest request that is read to its end, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;

pub(super) async fn answer(
    api: &Api,
    request: Request<Incoming>,
    (id, visit): (&str, &mut Visit),
) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return too_large(),
        Err(_) => return exception(StatusCode::BAD_REQUEST, "BadRequestException", "Bad Request"),
    };
    let call = Call { service: SERVICE, now: now().div_euclid(1000) };
    if let Err(error) = sigv4::verify(&parts, &body, &api.access_key, call) {
        visit.access.error = Some(error.to_string());
        return exception(StatusCode::FORBIDDEN, error.exception(), &error.to_string());
    }
    if !is_id(id) {
        let text = format!("Invalid connectionId: {id}");
        return exception(StatusCode::BAD_REQUEST, "BadRequestException", &text);
    }
    let done = match parts.method {
        Method::POST if body.len() > MAX_MESSAGE => return too_large(),
        Method::POST => post(api, id, body).await,
        Method::GET => api.connections.get(id).map(|client| describe(&client)),
        Method::DELETE => api.connections.close(id).await.map(|()| empty(StatusCode::NO_CONTENT)),
        _ => {
            let text = "Missing Authentication Token";
            return exception(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", text);
        }
    };
    done.unwrap_or_else(|Gone| {
        visit.access.error = Some(format!("the connection {id} is gone"));
        typed(empty(StatusCode::GONE), "GoneException")
    })
}

async fn post(api: &Api, id: &str, body: Bytes) -> Result<Response<Bytes>, Gone> {
    api.connections.get(id)?.send(body).await?;
    Ok(empty(StatusCode::OK))
}

fn describe(client: &Client) -> Response<Bytes> {
    let mut identity = json!({ "sourceIp": client.source_ip });
    if let (Some(identity), Some(agent)) = (identity.as_object_mut(), &client.user_agent) {
        identity.insert("userAgent".to_owned(), agent.as_str().into());
    }
    let text = json!({
        "connectedAt": iso_time(client.connected_at),
        "identity": identity,
        "lastActiveAt": iso_time(client.last_active()),
    });
    as_json(StatusCode::OK, text.to_string())
}

fn too_large() -> Response<Bytes> {
    let text = "The message has more than 131072 bytes";
    exception(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", text)
}

fn exception(status: StatusCode, name: &'static str, text: &str) -> Response<Bytes> {
    typed(as_json(status, json!({ "message": text }).to_string()), name)
}

fn typed(mut response: Response<Bytes>, name: &'static str) -> Response<Bytes> {
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
    response
}

fn as_json(status: StatusCode, text: String) -> Response<Bytes> {
    // Of the gateway's own messages, one whose text needs no escape.
    outgoing::message(status, "").map(|_| text.into())
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
