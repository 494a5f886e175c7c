//! A server on this machine for guests to reach: it answers with what it was sent.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The server; it ends with [`Origin::stop`].
pub(crate) struct Origin {
    url: String,
    accepting: JoinHandle<()>,
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let serving = http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service_fn(echo));
                // A guest that goes away in the middle is seen by the test itself.
                tokio::spawn(async { serving.await.unwrap_or_default() });
            }
        });
        Self { url, accepting }
    }

    /// Its scheme, address and port.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn stop(self) {
        self.accepting.abort();
    }
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
