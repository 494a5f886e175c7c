//! A request as the event of a function URL, for function components, and their answer as a response; and what a request
//! says of the URL that its client called.

use crate::error::Failure;
use crate::guest;
use crate::invocation::Destination;
use crate::received::Received;
use crate::serving::body::drain;
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use lambkin_engine::Body;
use lambkin_protocol::forwarded::forward;
use lambkin_protocol::request::{self, Gateway};
use std::fmt::Display;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lambda's limit for an event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_EVENT: usize = 6 * 1024 * 1024;

/// The headers that concern a connection: what a function says about its own must not reach the client's.
const OF_THE_CONNECTION: [&str; 7] =
    ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// Reads the request whole and makes the event of it.
pub(super) async fn of<B>(
    request: Request<B>,
    destination: &Destination,
    (received, client): (&Received, IpAddr),
) -> Result<Bytes, Failure>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if request.body().size_hint().lower() > MAX_EVENT as u64 {
        drain(request).await;
        return Err(Failure::RequestTooLarge { limit: MAX_EVENT as u64 });
    }
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_EVENT).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Failure::RequestTooLarge { limit: MAX_EVENT as u64 }
        } else {
            Failure::RequestBody(error.to_string())
        }
    })?;
    // HTTP/2 has no such header.
    if let (false, Some(authority)) =
        (parts.headers.contains_key(header::HOST), parts.uri.authority())
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (source_ip, scheme) = (client.to_string(), scheme(&parts.headers));
    let id = received.request_id.replace('-', "");
    let forwarded = forward(&mut parts.headers, &source_ip, scheme.as_str(), || {
        format!("Root=1-{:08x}-{}", now.as_secs(), id.get(..24).unwrap_or_default())
    });
    let gateway = Gateway {
        account_id: "anonymous",
        api_id: "lambkin",
        domain_name: &forwarded.domain_name,
        stage: "$default",
        route_key: "$default",
        path_parameters: &destination.parameters,
        stage_variables: None,
        authorizer: None,
        source_ip: &source_ip,
        request_id: &received.request_id,
        time_epoch_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
    };
    let request = Request::from_parts(parts, body.to_bytes());
    Ok(request::function_url(&request, &gateway).into())
}

/// A function's answer, fit for the wire.
pub(super) fn response(mut response: Response<Bytes>) -> Response<Body> {
    for name in OF_THE_CONNECTION {
        response.headers_mut().remove(name);
    }
    guest::whole(response)
}

/// What the client spoke: a proxy in front says when that was HTTPS.
pub(super) fn scheme(headers: &HeaderMap) -> Scheme {
    match headers.get("x-forwarded-proto") {
        Some(scheme) if scheme == "https" => Scheme::HTTPS,
        _ => Scheme::HTTP,
    }
}

/// The host that the client named; one that speaks HTTP/1.0 need not.
pub(super) fn authority(headers: &HeaderMap) -> Authority {
    let named = headers.get(header::HOST).and_then(|host| host.as_bytes().try_into().ok());
    named.unwrap_or_else(|| Authority::from_static("localhost"))
}
