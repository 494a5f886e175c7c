//! Sending one outbound request: resolve, check, connect, and exchange over HTTP/1.1.
//!
//! The guest's own timeouts are kept; without them the invocation's deadline is the only one.

use super::origin::{Origin, Scheme};
use super::{Exchange, Policy, Sent, tls};
use http::uri::PathAndQuery;
use http::{Request, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Sends `request` if `policy` lets it.
pub(super) async fn send(
    policy: Arc<Policy>,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Sent {
    let (origin, stream) = match open(&policy, request.uri(), &options).await {
        Ok(opened) => opened,
        Err(error) => return unsent(request, error),
    };
    // HTTP/1.1 names only the path; the host goes into its header, which is there already.
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    match origin.scheme {
        Scheme::Http => exchange(stream, request, options).await,
        Scheme::Https => {
            let handshake = tls::connect(&origin.host, stream);
            match within(options.connect_timeout, handshake, Error::ConnectionTimeout).await {
                Ok(stream) => exchange(stream, request, options).await,
                Err(error) => unsent(request, error),
            }
        }
    }
}

/// Connects to where `uri` leads, if `policy` lets it.
async fn open(
    policy: &Policy,
    uri: &Uri,
    options: &RequestOptions,
) -> Result<(Origin, TcpStream), Error> {
    let origin = Origin::of(uri)?;
    policy.check_origin(&origin)?;
    let stream =
        within(options.connect_timeout, connect(policy, &origin), Error::ConnectionTimeout).await?;
    Ok((origin, stream))
}

/// Gives the guest `error` for `request`, whose body is taken until the guest has ended it: one that is still writing
/// when its body is dropped would learn of a broken stream instead.
fn unsent(request: Request<WasiBody>, error: Error) -> Sent {
    let mut body = request.into_body();
    tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
    Err(error)
}

async fn connect(policy: &Policy, origin: &Origin) -> Result<TcpStream, Error> {
    let addresses = policy.check_addresses(origin, resolve(origin).await?)?;
    let mut last = Error::DestinationNotFound;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Only a matter of speed.
                let _unsupported = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = connect_error(&error),
        }
    }
    Err(last)
}

async fn resolve(origin: &Origin) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = origin.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, origin.port)]);
    }
    let found = tokio::net::lookup_host((origin.host.as_str(), origin.port)).await;
    let found = found
        .map_err(|error| Error::DnsError { rcode: Some(error.to_string()), info_code: None })?;
    Ok(found.collect())
}

fn connect_error(error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        ErrorKind::TimedOut => Error::ConnectionTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Error::DestinationIpUnroutable
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Error::ConnectionTerminated,
        _ => Error::DestinationUnavailable,
    }
}

/// Sends over a connection that is used for nothing else, and gives the response when its head has come.
async fn exchange<S>(stream: S, request: Request<WasiBody>, options: RequestOptions) -> Sent
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(http_error)?;
    // Ended when the guest drops the response.
    let driver = wasmtime_wasi::runtime::spawn(connection);
    let sent = async { sender.send_request(request).await.map_err(http_error) };
    let response = within(options.first_byte_timeout, sent, Error::HttpResponseTimeout).await?;
    let response =
        response.map(|body| Paced::new(body, options.between_bytes_timeout).boxed_unsync());
    let exchange: Exchange = Box::new(async move { driver.await.map_err(http_error) });
    Ok((response, exchange))
}

fn http_error(error: hyper::Error) -> Error {
    if error.is_incomplete_message() {
        return Error::HttpResponseIncomplete;
    }
    if error.is_timeout() {
        return Error::HttpResponseTimeout;
    }
    if error.is_closed() || error.is_canceled() {
        return Error::ConnectionTerminated;
    }
    Error::Hyper(error)
}

async fn within<T>(
    limit: Option<Duration>,
    step: impl Future<Output = Result<T, Error>>,
    timeout: Error,
) -> Result<T, Error> {
    match limit {
        None => step.await,
        Some(limit) => tokio::time::timeout(limit, step).await.unwrap_or(Err(timeout)),
    }
}

/// A response body whose frames must not come too far apart.
struct Paced {
    body: Incoming,
    pause: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Paced {
    fn new(body: Incoming, limit: Option<Duration>) -> Self {
        Self { body, pause: limit.map(|limit| (limit, Box::pin(tokio::time::sleep(limit)))) }
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some((limit, sleep)) = &mut self.pause {
                sleep.as_mut().reset(Instant::now() + *limit);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(http_error)));
        }
        let Some((_, sleep)) = &mut self.pause else { return Poll::Pending };
        sleep.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
