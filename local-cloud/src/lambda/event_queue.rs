//! Asynchronous invocations: answered at once, tried again when they fail, their end told to a destination.
//!
//! Rules: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>. Events wait in memory,
//! each in a task of its own that does not keep its function alive.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::destination::{Condition, Destination, Outcome, Record};
use super::{Answer, Function, Inner, InvokeError, InvokeOptions};

/// The largest event of an asynchronous invocation, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const MAX_ASYNC_EVENT: usize = 1024 * 1024;

/// What happens to asynchronous invocations that fail, and who hears of their end
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_FunctionEventInvokeConfig.html>).
#[derive(Debug, Clone)]
pub struct EventInvokeConfig {
    /// How often an invocation is tried again after an error of the function: 0 to 2.
    pub maximum_retry_attempts: u8,
    /// How long an event is kept for another attempt: a minute to six hours.
    pub maximum_event_age: Duration,
    /// Gets the record of each invocation that succeeded.
    pub on_success: Option<Destination>,
    /// Gets the record of each invocation that was given up.
    pub on_failure: Option<Destination>,
}

impl Default for EventInvokeConfig {
    /// Two more attempts within six hours; nobody hears of the end.
    fn default() -> Self {
        Self {
            maximum_retry_attempts: 2,
            maximum_event_age: Duration::from_hours(6),
            on_success: None,
            on_failure: None,
        }
    }
}

/// How long Lambda waits before it tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryDelays {
    /// After the first and the second error of the function.
    pub after_error: [Duration; 2],
    /// After the first throttle or failure of Lambda's own; each further wait is twice as long.
    pub first_back_off: Duration,
    /// The longest wait after those.
    pub longest_back_off: Duration,
}

impl Default for RetryDelays {
    /// AWS's: one and two minutes; one second to five minutes.
    fn default() -> Self {
        Self {
            after_error: [Duration::from_mins(1), Duration::from_mins(2)],
            first_back_off: Duration::from_secs(1),
            longest_back_off: Duration::from_mins(5),
        }
    }
}

/// One event and what has become of it so far.
pub(crate) struct Queued {
    pub(crate) request_id: String,
    pub(crate) event: Bytes,
    pub(crate) options: InvokeOptions,
}

/// What the next step of an event is.
enum Next {
    End(Condition, Option<Outcome>),
    WaitThenTry(Duration),
    /// The function is gone, or cannot take the event at all.
    Drop,
}

/// How often an event was tried, and since when.
struct Progress {
    begun: Instant,
    invocations: u32,
    refusals: u32,
}

impl Queued {
    /// Sees the event through all its attempts.
    pub(crate) async fn run(self, function: Weak<Inner>) {
        let mut progress = Progress { begun: Instant::now(), invocations: 0, refusals: 0 };
        loop {
            let Some(inner) = function.upgrade() else { return };
            match self.attempt(&inner, &mut progress).await {
                Next::Drop => return,
                Next::WaitThenTry(delay) => {
                    drop(inner);
                    tokio::time::sleep(delay).await;
                }
                Next::End(condition, outcome) => {
                    return self.tell(&inner, (condition, progress.invocations), outcome);
                }
            }
        }
    }

    async fn attempt(&self, inner: &Arc<Inner>, progress: &mut Progress) -> Next {
        if inner.concurrency.reserved() == Some(0) {
            return Next::End(Condition::ZeroReservedConcurrency, None);
        }
        let function = Function { inner: Arc::clone(inner) };
        let (event, options) = (self.event.clone(), self.options.clone());
        let result = function.call_as(self.request_id.clone(), event, options).await;
        let answer = match result {
            Ok(completed) => completed.answer.into_buffered().await,
            Err(InvokeError::TooManyRequests { .. } | InvokeError::Launch { .. }) => {
                return progress.refused(inner);
            }
            Err(
                InvokeError::Stopped
                | InvokeError::EventTooLarge { .. }
                | InvokeError::Option { .. },
            ) => return Next::Drop,
        };
        progress.invocations += 1;
        match answer {
            Answer::Buffered(payload) => {
                Next::End(Condition::Success, Some(Outcome { payload, error: None }))
            }
            Answer::FunctionError { kind, payload } => {
                progress.failed(inner, Outcome { payload, error: Some(kind) })
            }
            // `into_buffered` leaves no stream.
            Answer::Streaming(_) => Next::Drop,
        }
    }

    fn tell(
        &self,
        inner: &Inner,
        (condition, invocations): (Condition, u32),
        outcome: Option<Outcome>,
    ) {
        let config = inner.event_invoke_config();
        let destination = match condition {
            Condition::Success => &config.on_success,
            _ => &config.on_failure,
        };
        let Some(destination) = destination else { return };
        let record = Record {
            request_id: &self.request_id,
            function_arn: format!("{}:$LATEST", inner.settings.arn()),
            condition,
            invocations,
            event: &self.event,
            outcome,
        };
        destination.take(record.json());
    }
}

impl Progress {
    fn failed(&self, inner: &Inner, outcome: Outcome) -> Next {
        let config = inner.event_invoke_config();
        if self.invocations > u32::from(config.maximum_retry_attempts) {
            return Next::End(Condition::RetriesExhausted, Some(outcome));
        }
        let [first, second] = inner.settings.retry_delays.after_error;
        let delay = if self.invocations == 1 { first } else { second };
        if self.begun.elapsed() + delay > config.maximum_event_age {
            return Next::End(Condition::EventAgeExceeded, Some(outcome));
        }
        Next::WaitThenTry(delay)
    }

    /// The function was not invoked, which does not count against its retries.
    fn refused(&mut self, inner: &Inner) -> Next {
        let delays = &inner.settings.retry_delays;
        let doubled = delays.first_back_off.saturating_mul(2_u32.saturating_pow(self.refusals));
        let delay = doubled.min(delays.longest_back_off);
        self.refusals += 1;
        if self.begun.elapsed() + delay > inner.event_invoke_config().maximum_event_age {
            return Next::End(Condition::EventAgeExceeded, None);
        }
        Next::WaitThenTry(delay)
    }
}
