//! A server on this machine for guests to call: it echoes, stores, stalls and breaks off.

use crate::server::Origin;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::sync::Barrier;

/// How many bytes `/large` answers with.
pub(crate) const LARGE: usize = 6 * 1024 * 1024;

/// `{"zipped": true}`, by gzip.
const ZIPPED: &[u8] = include_bytes!("zipped.json.gz");

type Body = UnsyncBoxBody<Bytes, io::Error>;

struct State {
    objects: Mutex<BTreeMap<String, (HeaderMap, Bytes)>>,
    meeting: Barrier,
}

/// Starts the server.
pub(crate) async fn start() -> Origin {
    let state = Arc::new(State { objects: Mutex::default(), meeting: Barrier::new(2) });
    Origin::start(move |request| answer(request, Arc::clone(&state))).await
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> hyper::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = parts.uri.path().to_owned();
    let response = match path.as_str() {
        "/echo" => echo(&parts, &body),
        "/size" => full(body.len().to_string()),
        "/redirect" => with(StatusCode::FOUND, (header::LOCATION, "/echo"), ""),
        "/gzip" => with(StatusCode::OK, (header::CONTENT_ENCODING, "gzip"), ZIPPED),
        "/large" => {
            let chunk = Bytes::from(vec![b'x'; LARGE / 64]);
            streamed(stream::iter(0..64).map(move |_| Ok(chunk.clone())))
        }
        "/never" => std::future::pending().await,
        "/stalls" => streamed(stream::once(async { Ok(part()) }).chain(stream::pending())),
        "/cut" => {
            let broken = async {
                // What comes before is sent first.
                tokio::task::yield_now().await;
                Err(io::Error::from(io::ErrorKind::BrokenPipe))
            };
            streamed(stream::once(async { Ok(part()) }).chain(stream::once(broken)))
        }
        "/meet/first" | "/meet/second" => {
            state.meeting.wait().await;
            full(path)
        }
        _ if path.starts_with("/status/") => {
            let status = path.trim_start_matches("/status/").parse().unwrap();
            with(status, (header::CONTENT_TYPE, "text/plain"), "as asked")
        }
        _ => object(&parts, body, &state),
    };
    Ok(response)
}

/// What was asked, as JSON.
fn echo(parts: &http::request::Parts, body: &Bytes) -> Response<Body> {
    let headers: BTreeMap<_, _> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let text: Value = json!({
        "method": parts.method.as_str(), "path": parts.uri.path(), "query": parts.uri.query(),
        "headers": headers, "body": String::from_utf8_lossy(body),
    });
    let mut response = full(text.to_string());
    response.headers_mut().insert("x-server", "origin".parse().unwrap());
    response
}

/// Objects as S3 keeps them, without a check of the signature that must be there.
fn object(parts: &http::request::Parts, body: Bytes, state: &State) -> Response<Body> {
    let key = parts.uri.path().to_owned();
    let signed = parts.headers.get(header::AUTHORIZATION);
    if !signed.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 ")) {
        return with(StatusCode::FORBIDDEN, (header::CONTENT_TYPE, "text/plain"), "not signed");
    }
    let mut objects = state.objects.lock().unwrap();
    if parts.method == Method::PUT {
        let kept =
            parts.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-meta-"));
        let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        objects.insert(key, (kept, body));
        return with(StatusCode::OK, (header::ETAG, "\"1\""), "");
    }
    let Some((kept, body)) = objects.get(&key) else {
        let text = "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>";
        return with(StatusCode::NOT_FOUND, (header::CONTENT_TYPE, "application/xml"), text);
    };
    let mut response = full(body.clone());
    response.headers_mut().extend(kept.clone());
    response
}

fn full(body: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync())
}

fn with(
    status: StatusCode,
    (name, value): (header::HeaderName, &'static str),
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = full(body);
    *response.status_mut() = status;
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

fn part() -> Bytes {
    Bytes::from_static(b"part")
}

fn streamed(
    chunks: impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response<Body> {
    Response::new(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync())
}
