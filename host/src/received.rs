//! One event or request as it came, with what is known of it while it is answered.

use crate::init;
use crate::telemetry::Tags;
use bytes::Bytes;
use lambda_runtime::LambdaInvocation;
use lambkin_engine::LambdaFunction;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest invocation that Lambda allows.
const LONGEST_INVOCATION: Duration = Duration::from_mins(15);

/// Time kept back from Lambda's deadline to report a guest that used up all of its own.
const REPORTING_TIME: Duration = Duration::from_millis(100);

/// One event as Lambda delivered it, or one request without an event.
#[derive(Debug)]
pub(crate) struct Received {
    /// Empty for a request.
    pub(crate) event: Bytes,
    pub(crate) request_id: String,
    /// When the guest must have ended.
    pub(crate) deadline: Instant,
    /// What the guest is told of that, in milliseconds since the Unix epoch.
    pub(crate) deadline_ms: u64,
    pub(crate) trace_id: Option<String>,
    pub(crate) tenant: Option<String>,
    /// The function that the host runs in, but for its memory.
    pub(crate) function: LambdaFunction,
    pub(crate) client_context: Option<String>,
    pub(crate) identity: Option<String>,
    /// Filled once it is routed, so that every later record is tagged.
    tags: OnceLock<Arc<Tags>>,
}

impl Received {
    /// Takes over what the Runtime API delivered.
    pub(crate) fn from_lambda(lambda: LambdaInvocation) -> Self {
        let (context, now) = (lambda.context, SystemTime::now());
        let deadline_ms = credible_deadline(context.deadline, now);
        let left = (UNIX_EPOCH + Duration::from_millis(deadline_ms))
            .duration_since(now)
            .unwrap_or_default();
        let header =
            |name: &str| lambda.parts.headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
        Self {
            event: lambda.body,
            request_id: context.request_id,
            deadline: Instant::now() + left.saturating_sub(REPORTING_TIME.min(left / 10)),
            deadline_ms,
            trace_id: context.xray_trace_id,
            tenant: context.tenant_id,
            function: LambdaFunction {
                name: context.env_config.function_name.clone(),
                version: context.env_config.version.clone(),
                invoked_arn: context.invoked_function_arn,
                memory_mb: 0,
                log_group: context.env_config.log_group.clone(),
                log_stream: context.env_config.log_stream.clone(),
            },
            client_context: header("lambda-runtime-client-context"),
            identity: header("lambda-runtime-cognito-identity"),
            tags: OnceLock::new(),
        }
    }

    /// An event that no invocation brought: in Init, with so much time.
    pub(crate) fn in_init(event: Bytes, time: Duration) -> Self {
        Self { event, ..Self::request(init::REQUEST_ID.to_owned(), time) }
    }

    /// A request that came over HTTP, and may take as long as `time`.
    pub(crate) fn request(request_id: String, time: Duration) -> Self {
        Self {
            event: Bytes::new(),
            request_id,
            deadline: Instant::now() + time,
            deadline_ms: milliseconds(SystemTime::now() + time),
            trace_id: None,
            tenant: None,
            function: LambdaFunction::default(),
            client_context: None,
            identity: None,
            tags: OnceLock::new(),
        }
    }

    /// Notes where it is routed to; the first note counts.
    pub(crate) fn tag(&self, tags: Tags) {
        let _ = self.tags.set(Arc::new(tags));
    }

    /// What log records of this invocation are about, as far as it is known.
    pub(crate) fn tags(&self) -> Arc<Tags> {
        self.tags.get().cloned().unwrap_or_else(|| {
            Arc::new(Tags { request_id: self.request_id.clone(), ..Tags::default() })
        })
    }
}

/// The deadline in milliseconds of Unix time, unless it was over before the event came: then the latest that Lambda could
/// set. Lambda never sends such an event, but cargo-lambda's emulator always does: its deadline is a constant in 1970.
fn credible_deadline(deadline: u64, now: SystemTime) -> u64 {
    if deadline > milliseconds(now) { deadline } else { milliseconds(now + LONGEST_INVOCATION) }
}

/// Milliseconds of Unix time.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::credible_deadline;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_deadline_that_was_over_before_the_event_came_does_not_count() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(credible_deadline(1_700_000_000_001, now), 1_700_000_000_001);
        assert_eq!(credible_deadline(1_700_000_000_000, now), 1_700_000_900_000);
        assert_eq!(credible_deadline(600_000, now), 1_700_000_900_000);
    }
}
