//! A new sandbox's Init, by Lambda's rules: ten seconds, and when it fails once more under the function's own time-out
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>).
//!
//! A sandbox that stands in for one that crashed or timed out in an invocation gets the second kind at once, which
//! Lambda calls a suppressed Init: its time is the invocation's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::log::Status;
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
    /// When the invocation began, if Init ran inside it.
    pub(crate) begun: Option<Instant>,
}

/// A sandbox that failed inside the invocation.
pub(crate) struct Failed {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) cause: InitFailure,
    pub(crate) begun: Instant,
}

/// Starts a sandbox with the permit; `on_begin` is called when the invocation begins before its Init.
pub(crate) async fn run(
    inner: &Inner,
    permit: Permit,
    on_begin: impl FnOnce(&Sandbox),
) -> Result<Result<Initialised, Failed>, InvokeError> {
    let suppressed = permit.is_for_reset();
    let permit = Arc::new(permit);
    if !suppressed {
        let sandbox = Sandbox::start(inner, Arc::clone(&permit)).await?;
        let started = Instant::now();
        match sandbox.init(LIMIT).await {
            Ok(init) => return Ok(Ok(Initialised { sandbox, init: Some(init), begun: None })),
            Err(failure) => end(&sandbox, &failure, ("init", started)).await,
        }
    }
    let begun = Instant::now();
    let sandbox = Sandbox::start(inner, permit).await?;
    sandbox.occupy();
    on_begin(&sandbox);
    match sandbox.init(inner.settings.timeout).await {
        Ok(_) => Ok(Ok(Initialised { sandbox, init: None, begun: Some(begun) })),
        Err(cause) => {
            end(&sandbox, &cause, ("invoke", begun)).await;
            Ok(Err(Failed { sandbox, cause, begun }))
        }
    }
}

/// Ends the sandbox and reports its Init.
async fn end(sandbox: &Sandbox, failure: &InitFailure, (phase, started): (&str, Instant)) {
    let duration = started.elapsed();
    sandbox.kill();
    sandbox.exited().await;
    sandbox.flush();
    let status = match failure {
        InitFailure::Reported { error_type, .. } => Status::Error(error_type.clone()),
        InitFailure::Exited(_) => Status::Error("Runtime.ExitError".to_owned()),
        InitFailure::TimedOut => Status::Timeout,
    };
    sandbox.journal().init_report(duration, phase, &status);
}
