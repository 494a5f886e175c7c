//! One invocation from its event to its answer, whatever happens to the sandbox on the way.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use lambkin_protocol::answer::MAX_PAYLOAD;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::answer::failure;
use super::exchange::{Active, Delivery, NotTaken, Outcome, StreamEnd};
use super::init::{self, Failed, Initialised};
use super::log::{Report, Status, Tail};
use super::pool::Grant;
use super::sandbox::{InitFailure, Sandbox};
use super::watch::{End, Watch, reason};
use super::{Answer, Completed, Inner, InvokeError, InvokeOptions};

type Reply = oneshot::Sender<Result<Completed, InvokeError>>;

/// An event on its way.
pub(crate) struct Invocation {
    request_id: String,
    headers: HeaderMap,
    event: Bytes,
    tail: Arc<Tail>,
    reply: Reply,
}

impl Invocation {
    /// The invocation, and where its answer will come.
    pub(crate) fn new(
        event: Bytes,
        options: &InvokeOptions,
    ) -> Result<(Self, oneshot::Receiver<Result<Completed, InvokeError>>), InvokeError> {
        let mut headers = HeaderMap::new();
        let mut set = |option: &'static str, name: &'static str, value: Option<&str>| {
            if let Some(value) = value {
                let value =
                    HeaderValue::from_str(value).map_err(|_| InvokeError::Option { option })?;
                headers.insert(HeaderName::from_static(name), value);
            }
            Ok(())
        };
        let made_up = trace_id();
        set("client context", "lambda-runtime-client-context", options.client_context.as_deref())?;
        set("tenant", "lambda-runtime-aws-tenant-id", options.tenant.as_deref())?;
        set(
            "trace id",
            "lambda-runtime-trace-id",
            Some(options.trace_id.as_ref().unwrap_or(&made_up)),
        )?;
        let (reply, answer) = oneshot::channel();
        let request_id = Uuid::new_v4().to_string();
        Ok((Self { request_id, headers, event, tail: Arc::default(), reply }, answer))
    }

    /// Finds a sandbox and sees the invocation through.
    pub(crate) async fn run(self, inner: Arc<Inner>) {
        loop {
            let place = match self.place(&inner).await {
                Ok(Ok(place)) => place,
                Ok(Err(_)) if inner.pool.is_stopped() => {
                    return drop(self.reply.send(Err(InvokeError::Stopped)));
                }
                Ok(Err(failed)) => return self.fail_init(&inner, failed),
                Err(error) => return drop(self.reply.send(Err(error))),
            };
            // A runtime that stopped polling while it was idle is left to itself.
            if place.sandbox.exchange().is_waiting() {
                return self.supervise(&inner, place).await;
            }
        }
    }

    async fn place(&self, inner: &Inner) -> Result<Result<Initialised, Failed>, InvokeError> {
        match inner.pool.acquire().await? {
            Grant::Place(sandbox) => {
                Ok(Ok(Initialised { sandbox, init: None, remaining: inner.settings.timeout }))
            }
            Grant::Start(permit) => init::run(inner, permit).await,
        }
    }

    async fn supervise(self, inner: &Inner, place: Initialised) {
        let Initialised { sandbox, init, remaining } = place;
        if inner.settings.concurrency_per_sandbox == 1 {
            sandbox.journal().begin(&self.request_id, &self.tail);
        }
        self.print(&sandbox, format!("START RequestId: {} Version: $LATEST", self.request_id));
        let begun = Instant::now();
        let deadline = begun + remaining;
        let (outcome, answered) = oneshot::channel();
        let mut watch = Watch { sandbox: &sandbox, deadline, begun, init };
        let end = match self.deliver(inner, &sandbox, outcome, remaining) {
            Ok(()) => watch.end(answered).await,
            Err(_) => End::Exited(sandbox.exited().await),
        };
        match end {
            End::Answered(Outcome::Streaming(streaming, ended)) => {
                self.stream(inner, &mut watch, Answer::Streaming(streaming), ended).await;
            }
            end => self.conclude(inner, &watch, end).await,
        }
    }

    fn deliver(
        &self,
        inner: &Inner,
        sandbox: &Sandbox,
        outcome: oneshot::Sender<Outcome>,
        remaining: Duration,
    ) -> Result<(), NotTaken> {
        let invocation_id = Uuid::new_v4().to_string();
        let deadline = SystemTime::now() + remaining;
        let deadline_ms = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut headers = self.headers.clone();
        for (name, value) in [
            ("lambda-runtime-aws-request-id", self.request_id.clone()),
            ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", inner.settings.arn()),
            ("lambda-runtime-invocation-id", invocation_id.clone()),
        ] {
            // A function's name with a control character has no header; the runtime then goes without it.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let delivery = Delivery { headers, event: self.event.clone() };
        sandbox.exchange().deliver(&self.request_id, Active { invocation_id, outcome }, delivery)
    }

    /// Gives the answer and the last lines of the log.
    async fn conclude(self, inner: &Inner, watch: &Watch<'_>, end: End) {
        let sandbox = watch.sandbox;
        sandbox.exchange().forget(&self.request_id);
        if matches!(end, End::TimedOut) {
            sandbox.kill();
            sandbox.exited().await;
        }
        let stopped = matches!(end, End::Exited(_)) && inner.pool.is_stopped();
        let (answer, status) = self.judge(inner, end);
        self.report(inner, watch, status);
        let Self { request_id, tail, reply, .. } = self;
        let completed = Completed { request_id, answer, log_tail: tail.text() };
        drop(reply.send(if stopped { Err(InvokeError::Stopped) } else { Ok(completed) }));
    }

    /// Gives the beginning of a streamed answer at once and watches over the rest.
    async fn stream(
        self,
        inner: &Inner,
        watch: &mut Watch<'_>,
        answer: Answer,
        ended: oneshot::Receiver<StreamEnd>,
    ) {
        let Self { request_id, headers, event, tail, reply } = self;
        let completed =
            Completed { request_id: request_id.clone(), answer, log_tail: String::new() };
        drop(reply.send(Ok(completed)));
        let status = watch.stream_end(ended).await;
        let nobody = oneshot::channel().0;
        Self { request_id, headers, event, tail, reply: nobody }.report(inner, watch, status);
    }

    fn judge(&self, inner: &Inner, end: End) -> (Answer, Status) {
        let failed = |error_type: &str, message: &str| {
            let payload = failure(error_type, message);
            let status = Status::Error(error_type.to_owned());
            (Answer::FunctionError { kind: Answer::UNHANDLED, payload }, status)
        };
        match end {
            End::Answered(Outcome::Payload(payload)) => {
                (Answer::Buffered(payload), Status::Success)
            }
            End::Answered(Outcome::Failed { error_type, payload }) => (
                Answer::FunctionError { kind: Answer::UNHANDLED, payload },
                Status::Error(error_type),
            ),
            End::Answered(Outcome::TooLarge { size }) => failed(
                "Function.ResponseSizeTooLarge",
                &format!(
                    "Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
                ),
            ),
            End::Answered(Outcome::InvalidMode { mode }) => failed(
                "Runtime.InvalidResponseModeHeader",
                &format!("{} Error: invalid response mode {mode}", self.prefix()),
            ),
            End::Answered(Outcome::Streaming(..)) | End::Truncated => failed(
                "Runtime.TruncatedResponse",
                &format!("{} Error: Response truncated", self.prefix()),
            ),
            End::Exited(status) => {
                failed("Runtime.ExitError", &format!("{} Error: {}", self.prefix(), reason(status)))
            }
            End::TimedOut => {
                let seconds = inner.settings.timeout.as_secs_f64();
                let message =
                    format!("{} Error: Task timed out after {seconds:.2} seconds", self.prefix());
                (failed("Sandbox.Timedout", &message).0, Status::Timeout)
            }
        }
    }

    /// The sandbox never came to take the event.
    fn fail_init(self, inner: &Inner, failed: Failed) {
        let Failed { sandbox, cause, duration } = failed;
        self.print(&sandbox, format!("START RequestId: {} Version: $LATEST", self.request_id));
        let (answer, status) = match cause {
            InitFailure::Reported { error_type, payload } => {
                self.judge(inner, End::Answered(Outcome::Failed { error_type, payload }))
            }
            InitFailure::Exited(status) => self.judge(inner, End::Exited(status)),
            InitFailure::TimedOut => self.judge(inner, End::TimedOut),
        };
        let begun = Instant::now().checked_sub(duration).unwrap_or_else(Instant::now);
        self.report(
            inner,
            &Watch { sandbox: &sandbox, deadline: begun, begun, init: None },
            status,
        );
        let Self { request_id, tail, reply, .. } = self;
        drop(reply.send(Ok(Completed { request_id, answer, log_tail: tail.text() })));
    }

    fn report(&self, inner: &Inner, watch: &Watch<'_>, status: Status) {
        let duration = watch.begun.elapsed();
        watch.sandbox.flush();
        self.print(watch.sandbox, format!("END RequestId: {}", self.request_id));
        let report = Report {
            request_id: &self.request_id,
            duration,
            init: watch.init,
            memory_mb: inner.settings.memory_mb,
            peak_memory_mb: watch.sandbox.peak_memory_mb(),
            status,
        };
        self.print(watch.sandbox, report.line());
    }

    fn print(&self, sandbox: &Sandbox, line: String) {
        sandbox.journal().platform(&self.request_id, &self.tail, line);
    }

    fn prefix(&self) -> String {
        format!("RequestId: {}", self.request_id)
    }
}

/// An X-Ray trace header that is not sampled
/// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>).
fn trace_id() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let random = Uuid::new_v4().simple().to_string();
    let (unique, parent) =
        (random.get(..24).unwrap_or_default(), random.get(16..32).unwrap_or_default());
    format!("Root=1-{seconds:08x}-{unique};Parent={parent};Sampled=0")
}
