//! The sockets: HTTP/1.1 with connections that are kept, and HTTP/2 for clients that begin with it, as a load balancer
//! does that is told so.

use crate::output::Output;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown, Watcher};
use lambkin_engine::Body;
use lambkin_host::HttpHost;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// The most that the head of a request may take, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// How an HTTP/2 connection begins, by the bytes that tell it from every HTTP/1.1 method
/// (<https://www.rfc-editor.org/rfc/rfc9113#section-3.4>).
const PREFACE: &[u8] = b"PRI";

/// How long to wait for more of a preface that has come in part, and after a connection that could not be accepted.
const MOMENT: Duration = Duration::from_millis(10);

/// How connections are treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sockets {
    /// How long a request's head may take, from the moment that the connection is free for it.
    pub(super) header_timeout: Duration,
}

/// A host and what stands in front of it.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) host: HttpHost,
    pub(super) sockets: Sockets,
    /// Gets a line for each request.
    pub(super) log: Option<Output>,
}

impl Server {
    /// Serves every connection until `stop`; what is returned ends those that are open.
    pub(super) async fn accept(
        &self,
        listener: &TcpListener,
        stop: impl Future<Output = ()>,
    ) -> GracefulShutdown {
        let open = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => return open,
            };
            match accepted {
                Ok((stream, client)) => {
                    tokio::spawn(self.clone().serve(stream, client, open.watcher()));
                }
                // A moment without file descriptors is over when other connections end.
                Err(_) => tokio::time::sleep(MOMENT).await,
            }
        }
    }

    async fn serve(self, stream: TcpStream, client: SocketAddr, watcher: Watcher) {
        // Without it a small answer waits for the client's delayed acknowledgement.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let patience = self.sockets.header_timeout;
        let Ok(Some(is_http2)) = tokio::time::timeout(patience, is_http2(&stream)).await else {
            return;
        };
        let service = service_fn(move |request| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(request, client).await) }
        });
        let io = TokioIo::new(stream);
        if is_http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).keep_alive_interval(patience);
            builder.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
            finish(watcher, builder.serve_connection(io, service)).await;
        } else {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(MAX_HEAD);
            finish(watcher, builder.serve_connection(io, service)).await;
        }
    }

    async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Response<Body> {
        let Some(output) = &self.log else {
            return self.host.answer(request, client.ip()).await;
        };
        let (began, method) = (Instant::now(), request.method().clone());
        let path = request.uri().path().to_owned();
        let response = self.host.answer(request, client.ip()).await;
        let took = began.elapsed().as_secs_f64() * 1e3;
        output.line(response.status().as_str(), &format!("{method} {path} {took:.1} ms"));
        response
    }
}

/// Serves a connection to its end; one that the client breaks off has ended, too.
async fn finish<C: GracefulConnection>(watcher: Watcher, connection: C) {
    let _ended = watcher.watch(connection).await;
}

/// Whether the client begins with HTTP/2; nothing when it goes away first. hyper-util's own detection would wait for the
/// first byte without a bound.
async fn is_http2(stream: &TcpStream) -> Option<bool> {
    let mut start = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut start).await.ok().filter(|length| *length > 0)?;
        let begun = start.get(..length)?;
        if begun == PREFACE {
            return Some(true);
        }
        if !PREFACE.starts_with(begun) {
            return Some(false);
        }
        tokio::time::sleep(MOMENT).await;
    }
}
