//! One HTTP/1.1 listener, shared by every emulated service: accept, serve, drain, close.
//!
//! What is answered is the service's business; this module owns the sockets and makes sure that none outlives its
//! server. `spelling` notes how clients write the names of headers.

mod spelling;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::spelling::Spelling;
use self::spelling::{Noted, Noting};

/// An error of any kind, as `hyper` passes it on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer to an AWS client, whole or in pieces.
pub(crate) type AwsBody = UnsyncBoxBody<Bytes, Infallible>;

/// An answer to an AWS client.
pub(crate) type AwsReply = Response<AwsBody>;

/// A body in one piece.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> AwsBody {
    Full::new(bytes.into()).boxed_unsync()
}

/// Who sent a request, as an extension of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A running listener with its connections; dropping it closes them all.
#[derive(Debug)]
pub(crate) struct HttpServer {
    address: SocketAddr,
    listener: TaskTracker,
    connections: TaskTracker,
    drain: CancellationToken,
    close: CancellationToken,
}

impl HttpServer {
    /// Binds `address` (port 0 picks a free one) and serves every connection with `service`.
    pub(crate) async fn start<S, B>(address: SocketAddr, service: S) -> io::Result<Self>
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::serve(TcpListener::bind(address).await?, service)
    }

    /// Serves every connection to `listener` with `service`.
    pub(crate) fn serve<S, B>(listener: TcpListener, service: S) -> io::Result<Self>
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let server = Self {
            address: listener.local_addr()?,
            listener: TaskTracker::new(),
            connections: TaskTracker::new(),
            drain: CancellationToken::new(),
            close: CancellationToken::new(),
        };
        server.listener.spawn(accept(
            listener,
            service,
            server.connections.clone(),
            server.drain.clone(),
            server.close.clone(),
        ));
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests in flight end within `grace`, then closes what is left.
    pub(crate) async fn stop(&self, grace: Duration) {
        self.drain.cancel();
        self.listener.close();
        self.listener.wait().await;
        self.connections.close();
        if tokio::time::timeout(grace, self.connections.wait()).await.is_err() {
            self.close.cancel();
            self.connections.wait().await;
        }
    }

    /// Waits for at most `limit` until all that dead peers have sent is read and their connections are closed.
    pub(crate) async fn settle(&self, limit: Duration) {
        let settled = async {
            // Connections are accepted in their order, so that an answer on a new one means that all before it,
            // which may still have been in the listener's queue, are being served.
            if let Ok(mut probe) = TcpStream::connect(self.address).await {
                let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
                if probe.write_all(request).await.is_ok() {
                    drop(probe.read_to_end(&mut Vec::new()).await);
                }
            }
            self.connections.close();
            self.connections.wait().await;
        };
        drop(tokio::time::timeout(limit, settled).await);
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.drain.cancel();
        self.close.cancel();
    }
}

async fn accept<S, B>(
    listener: TcpListener,
    service: S,
    connections: TaskTracker,
    drain: CancellationToken,
    close: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.cancelled() => return,
        };
        // A connection that died before it was accepted, or a moment without file descriptors, is the peer's loss only.
        let Ok((stream, peer)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        let service = service.clone();
        let noted = Noted::default();
        let names = noted.clone();
        let with_peer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(names.take());
            let (answer, names) = (service.call(request), names.clone());
            async move {
                let answer = answer.await;
                names.expect_head();
                answer
            }
        });
        connections.spawn(serve((stream, noted), with_peer, drain.clone(), close.clone()));
    }
}

async fn serve<S, B>(
    (stream, noted): (TcpStream, Noted),
    service: S,
    drain: CancellationToken,
    close: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    // Without it a small answer waits for the peer's delayed acknowledgement: 40 ms on Linux.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let connection = hyper::server::conn::http1::Builder::new()
        // A sandbox that was frozen for an hour finds its idle connections as it left them.
        .header_read_timeout(None::<Duration>)
        .serve_connection(TokioIo::new(Noting::new(stream, noted)), service)
        // A WebSocket goes on after its connection, in a task of the service that accepted it.
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A connection that the peer breaks off concerns the handler, which sees it in its body.
        _ = connection.as_mut() => return,
        () = close.cancelled() => return,
        () = drain.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = close.cancelled() => {}
    }
}
