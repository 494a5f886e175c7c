//! Watches one invocation in one sandbox until it ends, one way or another.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::exchange::{Outcome, StreamEnd};
use super::log::Status;
use super::sandbox::Sandbox;

/// How long a process whose answer broke off may take to end before the answer alone is blamed.
const CRASH: Duration = Duration::from_secs(1);

/// How the sandbox ended the invocation.
pub(crate) enum End {
    Answered(Outcome),
    Exited(ExitStatus),
    TimedOut,
    Truncated,
}

/// One invocation in one sandbox, against the clock.
pub(crate) struct Watch<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) deadline: Instant,
    pub(crate) begun: Instant,
    pub(crate) init: Option<Duration>,
}

impl Watch<'_> {
    /// Waits for the answer, the end of the process or the time-out, whatever comes first.
    pub(crate) async fn end(&mut self, mut answered: oneshot::Receiver<Outcome>) -> End {
        tokio::select! {
            biased;
            outcome = &mut answered => match outcome {
                Ok(outcome) => End::Answered(outcome),
                Err(_) => self.truncated().await,
            },
            status = self.sandbox.exited() => {
                // It may have answered just before it ended.
                self.sandbox.last_words().await;
                answered.try_recv().map_or(End::Exited(status), End::Answered)
            }
            () = tokio::time::sleep_until(self.deadline.into()) => End::TimedOut,
        }
    }

    /// An answer broke off: most often because the process crashed.
    async fn truncated(&self) -> End {
        let exit = tokio::time::timeout(CRASH, self.sandbox.exited()).await;
        exit.map_or(End::Truncated, End::Exited)
    }

    /// The same for the rest of a streamed answer.
    pub(crate) async fn stream_end(&mut self, mut ended: oneshot::Receiver<StreamEnd>) -> Status {
        let end = tokio::select! {
            biased;
            end = &mut ended => end.unwrap_or(StreamEnd::Truncated),
            _ = self.sandbox.exited() => {
                self.sandbox.last_words().await;
                ended.try_recv().unwrap_or(StreamEnd::Truncated)
            }
            () = tokio::time::sleep_until(self.deadline.into()) => {
                self.sandbox.note_memory();
                self.sandbox.kill();
                self.sandbox.exited().await;
                return Status::Timeout;
            }
        };
        match end {
            StreamEnd::Complete => Status::Success,
            StreamEnd::Failed { error_type } => Status::Error(error_type),
            StreamEnd::Truncated => Status::Error("Runtime.TruncatedResponse".to_owned()),
        }
    }
}

/// The words Lambda has for the end of a process.
pub(crate) fn reason(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(11)) => "Runtime exited with error: signal: segmentation fault".to_owned(),
        (None, Some(6)) => "Runtime exited with error: signal: aborted".to_owned(),
        (None, signal) => {
            format!("Runtime exited with error: signal: {}", signal.unwrap_or_default())
        }
    }
}
