//! An S3 that fails as it is told: a proxy before the embedded one. Signatures pass, since the Host header does.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};

/// What is wrong with the answer to a GET.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// 503, for ever.
    Busy,
    /// 503, this many times.
    BusyFor(u32),
    /// 403.
    Denied,
    /// 404.
    Missing,
    /// No answer.
    Silent,
    /// Half of the body, then the connection ends.
    Half,
    /// The first half of the body, as if it were all.
    Truncated,
    /// One bit of the body is another.
    Altered,
}

type Rules = Arc<Mutex<Vec<(String, Fault)>>>;
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A running proxy; it ends with the test's runtime.
pub(crate) struct FaultyS3 {
    endpoint: String,
    rules: Rules,
}

impl FaultyS3 {
    /// A proxy before the server at `endpoint`; nothing is wrong yet.
    pub(crate) async fn start(endpoint: &str) -> Self {
        let server: SocketAddr = endpoint.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let rules = Rules::default();
        let shared = Arc::clone(&rules);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let rules = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(server, &rules, request));
                    // A body that breaks off ends the connection with an error: that is its purpose.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(connection), service)
                        .await;
                });
            }
        });
        Self { endpoint, rules }
    }

    /// Where the proxy listens.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// From now on, GETs whose path has `part` meet `fault`.
    pub(crate) fn fail(&self, part: &str, fault: Fault) {
        self.rules.lock().unwrap().push((part.to_owned(), fault));
    }

    /// Everything is well again.
    pub(crate) fn mend(&self) {
        self.rules.lock().unwrap().clear();
    }
}

async fn answer(
    server: SocketAddr,
    rules: &Rules,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let fault = fault_for(rules, &request);
    Ok(match fault {
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Busy | Fault::BusyFor(_)) => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")
        }
        Some(Fault::Denied) => refusal(StatusCode::FORBIDDEN, "AccessDenied"),
        Some(Fault::Missing) => refusal(StatusCode::NOT_FOUND, "NoSuchKey"),
        Some(Fault::Half | Fault::Truncated | Fault::Altered) | None => {
            let (parts, body) = forward(server, request).await.into_parts();
            damaged(parts, &body, fault)
        }
    })
}

fn fault_for(rules: &Rules, request: &Request<Incoming>) -> Option<Fault> {
    let mut rules = rules.lock().unwrap();
    let path = request.uri().path();
    let position = rules.iter().position(|(part, _)| path.contains(part.as_str()))?;
    if request.method() != Method::GET {
        return None;
    }
    let fault = rules[position].1;
    match &mut rules[position].1 {
        Fault::BusyFor(1) => drop(rules.remove(position)),
        Fault::BusyFor(left) => *left -= 1,
        _ => {}
    }
    Some(fault)
}

async fn forward(server: SocketAddr, request: Request<Incoming>) -> Response<Bytes> {
    let connection = TcpStream::connect(server).await.unwrap();
    let (mut sender, driver) =
        hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.unwrap();
    tokio::spawn(driver);
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn damaged(mut parts: http::response::Parts, body: &Bytes, fault: Option<Fault>) -> Response<Body> {
    let half = body.slice(..body.len() / 2);
    let mut whole = body.to_vec();
    let body = match fault {
        Some(Fault::Half) => {
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            let frames = [Ok(Frame::data(half)), Err(broken)];
            StreamBody::new(futures::stream::iter(frames)).boxed_unsync()
        }
        Some(Fault::Truncated) => {
            parts.headers.insert("content-length", half.len().into());
            parts.headers.remove("content-range");
            full(half)
        }
        Some(Fault::Altered) => {
            let middle = whole.len() / 2;
            whole[middle] ^= 1;
            full(whole.into())
        }
        _ => full(whole.into()),
    };
    Response::from_parts(parts, body)
}

fn refusal(status: StatusCode, code: &str) -> Response<Body> {
    let body = format!("<Error><Code>{code}</Code><Message>as the test asked</Message></Error>");
    let response = Response::builder().status(status).header("content-type", "application/xml");
    response.body(full(body.into())).unwrap()
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
