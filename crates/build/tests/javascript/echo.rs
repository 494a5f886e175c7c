//! A server on this machine for guests to reach: it answers with what it was sent.

use crate::server::Origin;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

/// Starts the server.
pub(crate) async fn start() -> Origin {
    Origin::start(echo).await
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let guest = parts.headers.get("x-guest").map_or("", |value| value.to_str().unwrap());
    let text =
        format!("{} {} {guest} {}", parts.method, parts.uri.path(), String::from_utf8_lossy(&body));
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert("x-server", "origin".parse().unwrap());
    Ok(response)
}
