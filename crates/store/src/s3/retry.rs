//! Attempts with a growing, jittered pause between them, all within one deadline.

use std::sync::Arc;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::Cause;
use crate::s3::failure::{Attempt, Failure};

/// The pauses are random in `0..=bound`, the bound doubling from the first to the longest
/// (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A shorter attempt than this would not tell a slow server from a dead one.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(500);

/// How much of the time that is left one attempt may take.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// A third: a connection that hangs is given up early enough for others.
    Read,
    /// Two thirds: an upload over a slow line must be able to end.
    Write,
}

impl Pace {
    fn attempt(self, remaining: Duration) -> Duration {
        let share = match self {
            Self::Read => remaining / 3,
            Self::Write => remaining * 2 / 3,
        };
        share.max(SHORTEST_ATTEMPT).min(remaining)
    }
}

/// An attempt that was cut off.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
struct NoAnswer(Duration);

/// Calls `attempt` with the number of attempts before it until it settles or the deadline is near. An attempt that the deadline
/// cut short says nothing of the server, so the cause that is told is then the one of the attempt before it.
pub(crate) async fn retry<T, F>(
    deadline: Deadline,
    pace: Pace,
    mut attempt: impl FnMut(u32) -> F,
) -> Attempt<T>
where
    F: Future<Output = Attempt<T>>,
{
    let mut attempts = 0;
    let mut bound = FIRST_PAUSE;
    let mut told: Option<Cause> = None;
    loop {
        let limit = pace.attempt(deadline.remaining());
        let outcome = tokio::time::timeout(limit, attempt(attempts)).await;
        attempts += 1;
        let source = match outcome {
            Ok(Err(Failure::Transient(source))) => source,
            Ok(settled) => return settled,
            Err(_) if limit < SHORTEST_ATTEMPT => told.unwrap_or_else(|| Arc::new(NoAnswer(limit))),
            Err(_) => Arc::new(NoAnswer(limit)),
        };
        let pause = bound.mul_f64(fastrand::f64());
        if pause >= deadline.remaining() {
            return Err(Failure::Exhausted { attempts, within: deadline.within(), source });
        }
        tokio::time::sleep(pause).await;
        bound = (bound * 2).min(LONGEST_PAUSE);
        told = Some(source);
    }
}
