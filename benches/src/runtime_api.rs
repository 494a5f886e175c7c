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
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// What the runtime did.
#[derive(Debug)]
enum Report {
    /// It asked for its first event: Init is over.
    Ready(Instant),
    Answered(Exchange),
    Failed(String),
}

/// A running server; its thread ends with the program.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Bytes>,
    reports: Receiver<Report>,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Bytes>>,
    reports: Sender<Report>,
    asked: AtomicBool,
    sent: Mutex<HashMap<u64, Instant>>,
    next_id: AtomicU64,
}

impl Shared {
    fn report(&self, report: Report) {
        // Nobody waits any more when the program ends.
        let _ = self.reports.send(report);
    }

    fn sent(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RuntimeApi {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (events, received) = mpsc::unbounded_channel();
        let (report, reports) = channel();
        let shared = Arc::new(Shared {
            events: tokio::sync::Mutex::new(received),
            reports: report,
            asked: AtomicBool::new(false),
            sent: Mutex::default(),
            next_id: AtomicU64::new(0),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().spawn(move || runtime.block_on(serve(listener, shared)))?;
        Ok(Self { address, events, reports })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` says.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Has `event` wait for the runtime that asks next.
    pub(crate) fn offer(&self, event: Bytes) -> anyhow::Result<()> {
        self.events.send(event).context("the Runtime API's thread has ended")
    }

    /// Waits until the runtime asks for its first event and says when that was. Only for before the first answer.
    pub(crate) fn ready(&self) -> anyhow::Result<Instant> {
        match self.reports.recv_timeout(PATIENCE).context("Init does not end")? {
            Report::Ready(at) => Ok(at),
            Report::Answered(_) => bail!("an answer came before an event was asked for"),
            Report::Failed(failure) => bail!("the runtime reports a failure: {failure}"),
        }
    }

    /// Waits for the next answer.
    pub(crate) fn answer(&self) -> anyhow::Result<Exchange> {
        loop {
            match self.reports.recv_timeout(PATIENCE).context("no answer")? {
                Report::Ready(_) => {}
                Report::Answered(exchange) => return Ok(exchange),
                Report::Failed(failure) => bail!("the runtime reports a failure: {failure}"),
            }
        }
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
    let sent = answered_id(&path).and_then(|id| shared.sent().remove(&id));
    shared.report(match sent {
        Some(sent) => Report::Answered(Exchange { sent, answered, payload }),
        None => Report::Failed(format!("{path}: {}", String::from_utf8_lossy(&payload))),
    });
    Response::builder().status(StatusCode::ACCEPTED).body(Full::default())
}

/// The number in the request id of `…/invocation/<request id>/response`.
fn answered_id(path: &str) -> Option<u64> {
    let request_id = path.strip_suffix("/response")?.rsplit('/').next()?;
    u64::from_str_radix(request_id.rsplit('-').next()?, 16).ok()
}

async fn next(shared: &Shared) -> Result<Response<Full<Bytes>>, http::Error> {
    if !shared.asked.swap(true, Ordering::Relaxed) {
        shared.report(Report::Ready(Instant::now()));
    }
    let Some(event) = shared.events.lock().await.recv().await else {
        return Response::builder().status(StatusCode::GONE).body(Full::default());
    };
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    let deadline = SystemTime::now() + PATIENCE;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", format!("8476a536-e9f4-11e8-9739-{id:012x}"))
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
    shared.sent().insert(id, Instant::now());
    response
}

#[cfg(test)]
mod tests {
    use super::answered_id;

    #[test]
    fn an_answer_is_told_from_an_error_by_its_path() {
        let path = "/2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-00000000001f/response";
        assert_eq!(answered_id(path), Some(31));
        assert_eq!(answered_id(&path.replace("response", "error")), None);
        assert_eq!(answered_id("/2018-06-01/runtime/init/error"), None);
    }
}
