//! A Runtime API server that does as little as it can, and says when each event left and each answer arrived
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).
//!
//! It has a thread of its own, so that what the measuring program does is not part of what is measured.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One event and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// When the event was handed to the runtime.
    pub(crate) sent: Instant,
    /// When the whole answer was there.
    pub(crate) answered: Instant,
    /// The answer.
    pub(crate) payload: Bytes,
}

/// A running server; its thread ends with the program.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Bytes>,
    exchanges: Receiver<Result<Exchange, String>>,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Bytes>>,
    exchanges: Sender<Result<Exchange, String>>,
    sent: Mutex<Instant>,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (events, received) = mpsc::unbounded_channel();
        let (report, exchanges) = channel();
        let shared = Arc::new(Shared {
            events: tokio::sync::Mutex::new(received),
            exchanges: report,
            sent: Mutex::new(Instant::now()),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().spawn(move || runtime.block_on(serve(listener, shared)))?;
        Ok(Self { address, events, exchanges })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` says.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Has `event` wait for the runtime that asks next.
    pub(crate) fn offer(&self, event: Bytes) -> anyhow::Result<()> {
        self.events.send(event).context("the Runtime API's thread has ended")
    }

    /// Waits for the answer to the event that was offered.
    pub(crate) fn answer(&self) -> anyhow::Result<Exchange> {
        let exchange = self.exchanges.recv_timeout(PATIENCE).context("no answer")?;
        exchange.or_else(|failure| bail!("the runtime reports a failure: {failure}"))
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| respond(&shared, request));
            // A runtime that is killed in the middle of a request is how a measurement ends.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

async fn respond(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, http::Error> {
    let path = request.uri().path().to_owned();
    if request.method() == Method::GET && path.ends_with("/invocation/next") {
        return next(shared).await;
    }
    let payload = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => Bytes::from(error.to_string()),
    };
    let answered = Instant::now();
    let sent = *shared.sent.lock().unwrap_or_else(PoisonError::into_inner);
    let exchange = if path.ends_with("/response") {
        Ok(Exchange { sent, answered, payload })
    } else {
        Err(format!("{path}: {}", String::from_utf8_lossy(&payload)))
    };
    // Nobody waits any more when the program ends.
    let _ = shared.exchanges.send(exchange);
    Response::builder().status(StatusCode::ACCEPTED).body(Full::default())
}

async fn next(shared: &Shared) -> Result<Response<Full<Bytes>>, http::Error> {
    let Some(event) = shared.events.lock().await.recv().await else {
        return Response::builder().status(StatusCode::GONE).body(Full::default());
    };
    let deadline = SystemTime::now() + PATIENCE;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:bench",
        )
        .header(
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        )
        .body(Full::new(event));
    *shared.sent.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    response
}
