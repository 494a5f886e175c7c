//! A new sandbox's Init, by Lambda's rules: ten seconds, and when it fails once more under the function's own time-out
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pool::Permit;
use super::sandbox::{InitFailure, Sandbox};
use super::{Inner, InvokeError};

/// How long an Init may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A sandbox that is ready for its first event.
pub(crate) struct Initialised {
    pub(crate) sandbox: Arc<Sandbox>,
    /// How long Init took; absent when it ran inside the invocation.
    pub(crate) init: Option<Duration>,
    /// What is left of the function's time-out.
    pub(crate) remaining: Duration,
}

/// A sandbox that failed twice.
pub(crate) struct Failed {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) cause: InitFailure,
    pub(crate) duration: Duration,
}

/// Starts a sandbox with the permit.
pub(crate) async fn run(
    inner: &Inner,
    permit: Permit,
) -> Result<Result<Initialised, Failed>, InvokeError> {
    let permit = Arc::new(permit);
    let timeout = inner.settings.timeout;
    let begun = Instant::now();
    let sandbox = Sandbox::start(inner, Arc::clone(&permit)).await?;
    match sandbox.init(LIMIT).await {
        Ok(init) => return Ok(Ok(Initialised { sandbox, init: Some(init), remaining: timeout })),
        Err(failure) => {
            sandbox.kill();
            sandbox.exited().await;
            sandbox.flush();
            let status = if matches!(failure, InitFailure::TimedOut) { "timeout" } else { "error" };
            sandbox.journal().init_report(begun.elapsed(), status);
        }
    }
    let begun = Instant::now();
    let sandbox = Sandbox::start(inner, permit).await?;
    let initialised = sandbox.init(timeout).await;
    let duration = begun.elapsed();
    Ok(match initialised {
        Ok(_) => {
            Ok(Initialised { sandbox, init: None, remaining: timeout.saturating_sub(duration) })
        }
        Err(cause) => {
            sandbox.kill();
            sandbox.exited().await;
            Err(Failed { sandbox, cause, duration })
        }
    })
}
