//! One invocation from its event to its answer, whatever happens to the sandbox on the way.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::answer::StreamSummary;
use super::concurrency::Share;
use super::exchange::{Active, Delivery, NotTaken, Outcome, StreamEnd};
use super::init::{self, Failed, Initialised};
use super::log::{Report, Status, Tail};
use super::pool::Grant;
use super::sandbox::{InitFailure, Sandbox};
use super::verdict;
use super::watch::{End, Watch};
use super::{Answer, Completed, Inner, InvokeError, InvokeOptions, Streaming};

type Reply = oneshot::Sender<Result<Completed, InvokeError>>;

/// An event on its way.
pub(crate) struct Invocation {
    request_id: String,
    headers: HeaderMap,
    event: Bytes,
    tail: Arc<Tail>,
    reply: Reply,
    /// Given back before the answer is given, so that whoever calls one after the other is never one too many.
    share: Share,
}

impl Invocation {
    /// The invocation, and where its answer will come.
    pub(crate) fn new(
        request_id: String,
        event: Bytes,
        options: &InvokeOptions,
        share: Share,
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
        Ok((Self { request_id, headers, event, tail: Arc::default(), reply, share }, answer))
    }

    /// Finds a sandbox and sees the invocation through.
    pub(crate) async fn run(self, inner: Arc<Inner>) {
        loop {
            let place = match self.place(&inner).await {
                Ok(Ok(place)) => place,
                Ok(Err(_)) if inner.pool.is_stopped() => return self.refuse(InvokeError::Stopped),
                Ok(Err(failed)) => return self.fail_init(&inner, failed),
                Err(error) => return self.refuse(error),
            };
            // A runtime that stopped polling while it was idle is left to itself.
            if place.sandbox.exchange().is_waiting() {
                return self.supervise(&inner, place).await;
            }
        }
    }

    fn refuse(self, error: InvokeError) {
        let Self { reply, share, .. } = self;
        drop(share);
        drop(reply.send(Err(error)));
    }

    async fn place(&self, inner: &Inner) -> Result<Result<Initialised, Failed>, InvokeError> {
        match inner.pool.acquire().await? {
            Grant::Place(sandbox) => Ok(Ok(Initialised { sandbox, init: None, begun: None })),
            Grant::Start(permit) => {
                init::run(inner, permit, |sandbox| self.begin(inner, sandbox)).await
            }
        }
    }

    fn begin(&self, inner: &Inner, sandbox: &Sandbox) {
        if inner.settings.concurrency_per_sandbox == 1 {
            sandbox.journal().begin(&self.request_id, &self.tail);
        }
        self.print(sandbox, format!("START RequestId: {} Version: $LATEST", self.request_id));
    }

    async fn supervise(self, inner: &Inner, place: Initialised) {
        let Initialised { sandbox, init, begun } = place;
        if begun.is_none() {
            sandbox.occupy();
            self.begin(inner, &sandbox);
        }
        let begun = begun.unwrap_or_else(Instant::now);
        let deadline = begun + inner.settings.timeout;
        let (outcome, answered) = oneshot::channel();
        let mut watch = Watch { sandbox: &sandbox, deadline, begun, init };
        let end = match self.deliver(inner, &sandbox, (outcome, deadline)) {
            Ok(()) => watch.end(answered).await,
            Err(_) => End::Exited(sandbox.exited().await),
        };
        match end {
            End::Answered(Outcome::Streaming(streaming, ended)) => {
                self.stream(inner, &mut watch, (streaming, ended)).await;
            }
            end => self.conclude(inner, &watch, end).await,
        }
    }

    fn deliver(
        &self,
        inner: &Inner,
        sandbox: &Sandbox,
        (outcome, deadline): (oneshot::Sender<Outcome>, Instant),
    ) -> Result<(), NotTaken> {
        let invocation_id = Uuid::new_v4().to_string();
        let deadline = SystemTime::now() + deadline.saturating_duration_since(Instant::now());
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
            sandbox.note_memory();
            sandbox.kill();
            sandbox.exited().await;
        }
        let stopped = matches!(end, End::Exited(_)) && inner.pool.is_stopped();
        let (answer, status) = verdict::judge(&self.request_id, inner.settings.timeout, end);
        self.report(inner, watch, &answer, status);
        let Self { request_id, tail, reply, share, .. } = self;
        drop(share);
        let completed = Completed { request_id, answer, log_tail: tail.text() };
        drop(reply.send(if stopped { Err(InvokeError::Stopped) } else { Ok(completed) }));
    }

    /// Gives the beginning of a streamed answer at once and watches over the rest.
    async fn stream(
        mut self,
        inner: &Inner,
        watch: &mut Watch<'_>,
        (mut streaming, ended): (Streaming, oneshot::Receiver<StreamEnd>),
    ) {
        let (summarise, summary) = oneshot::channel();
        streaming.end = Some(summary);
        let completed = Completed {
            request_id: self.request_id.clone(),
            answer: Answer::Streaming(streaming),
            log_tail: String::new(),
        };
        let nobody = oneshot::channel().0;
        let reply = std::mem::replace(&mut self.reply, nobody);
        drop(reply.send(Ok(completed)));
        let status = watch.stream_end(ended).await;
        let end = match &status {
            Status::Timeout => Some(End::TimedOut),
            Status::Error(error_type) if error_type == verdict::TRUNCATED => Some(End::Truncated),
            Status::Success | Status::Error(_) => None,
        };
        let answer = match end {
            Some(end) => verdict::judge(&self.request_id, inner.settings.timeout, end).0,
            None => Answer::Buffered(Bytes::new()),
        };
        self.report(inner, watch, &answer, status);
        let Self { tail, share, .. } = self;
        drop(share);
        drop(summarise.send(StreamSummary { log_tail: tail.text(), failure: answer.failure() }));
    }

    /// The sandbox never came to take the event.
    fn fail_init(self, inner: &Inner, failed: Failed) {
        let Failed { sandbox, cause, begun } = failed;
        let (answer, status) = match cause {
            InitFailure::Reported { error_type, payload } => verdict::judge(
                &self.request_id,
                inner.settings.timeout,
                End::Answered(Outcome::Failed { error_type, payload }),
            ),
            InitFailure::Exited(status) => {
                verdict::judge(&self.request_id, inner.settings.timeout, End::Exited(status))
            }
            InitFailure::TimedOut => {
                verdict::judge(&self.request_id, inner.settings.timeout, End::TimedOut)
            }
        };
        let watch = Watch { sandbox: &sandbox, deadline: begun, begun, init: None };
        self.report(inner, &watch, &answer, status);
        let Self { request_id, tail, reply, share, .. } = self;
        drop(share);
        drop(reply.send(Ok(Completed { request_id, answer, log_tail: tail.text() })));
    }

    fn report(&self, inner: &Inner, watch: &Watch<'_>, answer: &Answer, status: Status) {
        let duration = watch.begun.elapsed();
        watch.sandbox.flush();
        watch.sandbox.note_memory();
        watch.sandbox.leave();
        if let Some(cause) = verdict::cause(&self.request_id, answer) {
            self.print(watch.sandbox, cause);
        }
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
