//! One event as Lambda delivered it, with what is known of it while it is answered.

use crate::telemetry::Tags;
use crate::warmup;
use bytes::Bytes;
use lambda_runtime::LambdaInvocation;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest invocation that Lambda allows.
const LONGEST_INVOCATION: Duration = Duration::from_mins(15);

/// One event as Lambda delivered it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) event: Bytes,
    pub(crate) headers: http::HeaderMap,
    pub(crate) context: lambda_runtime::Context,
    /// Filled once the event is routed, so that every later record is tagged.
    tags: OnceLock<Tags>,
}

impl Received {
    /// Takes over what the Runtime API delivered.
    pub(crate) fn new(lambda: LambdaInvocation) -> Self {
        let mut context = lambda.context;
        context.deadline = credible_deadline(context.deadline, SystemTime::now());
        Self { event: lambda.body, headers: lambda.parts.headers, context, tags: OnceLock::new() }
    }

    /// An event that no invocation brought: in Init, with so much time.
    pub(crate) fn in_init(event: Bytes, time: Duration) -> Self {
        let mut context = lambda_runtime::Context::default();
        warmup::REQUEST_ID.clone_into(&mut context.request_id);
        context.deadline = milliseconds(SystemTime::now() + time);
        Self { event, headers: http::HeaderMap::new(), context, tags: OnceLock::new() }
    }

    /// Notes where the event is routed to; the first note counts.
    pub(crate) fn tag(&self, tags: Tags) {
        let _ = self.tags.set(tags);
    }

    /// What log records of this invocation are about, as far as it is known.
    pub(crate) fn tags(&self) -> Tags {
        self.tags.get().cloned().unwrap_or_else(|| Tags {
            request_id: self.context.request_id.clone(),
            ..Tags::default()
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
