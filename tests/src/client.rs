//! An HTTP client that changes nothing of what a case says: no redirects, no decompression, no cookie jar.

use crate::case::Request;
use anyhow::Context as _;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Sends `request` to the server at `address`.
pub async fn send(address: SocketAddr, request: &Request) -> anyhow::Result<Answer> {
    tokio::time::timeout(PATIENCE, exchange(address, request))
        .await
        .context("no answer within a minute")?
}

async fn exchange(address: SocketAddr, request: &Request) -> anyhow::Result<Answer> {
    let stream = TcpStream::connect(address).await.context("connecting to the API")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response =
        sender.send_request(message(address, request)?).await.context("sending the request")?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.context("reading the answer")?.to_bytes();
    driver.abort();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

fn message(address: SocketAddr, request: &Request) -> anyhow::Result<http::Request<Full<Bytes>>> {
    let target = match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    let mut message = http::Request::builder().method(request.method.as_str()).uri(target);
    if !request.headers.contains_key("host") {
        message = message.header("host", address.to_string());
    }
    for (name, value) in &request.headers {
        message = message.header(name, value);
    }
    let body = request.body.as_ref().map(crate::case::Content::bytes).transpose()?;
    message.body(Full::new(body.unwrap_or_default())).context("the case's request")
}
