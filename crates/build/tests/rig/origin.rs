//! A server on this machine for guests to reach; what it answers is the test's to say.

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::error::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The server; it ends with [`Origin::stop`].
pub(crate) struct Origin {
    url: String,
    accepting: JoinHandle<()>,
}

impl Origin {
    /// Answers each request with what `answer` makes of it.
    pub(crate) async fn start<A, F, B>(answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = hyper::Result<Response<B>>> + Send + 'static,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let serving = http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service_fn(answer.clone()));
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
