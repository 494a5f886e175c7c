//! Lambda on one machine: a real `bootstrap` process per sandbox, spoken to over the Runtime API.
//!
//! [`Function`] is what invokes, [`ControlPlane`] puts AWS's calls before it. Inside, in the order of
//! an invocation: `concurrency` lets it in, `event_queue` tries it again and tells a `destination` when
//! nobody waits for its answer, `invocation` sees one event through to its answer, `pool` picks a sandbox
//! or has one started, `init` waits until that is ready, `sandbox` is one process with its Runtime
//! API, `launcher` starts processes that cannot outlive this one, `runtime_api` and `response` are the
//! HTTP between them, `exchange` holds who waits for what, `watch` waits for an answer, a time-out or
//! a crash, `verdict` has the words for these, `output` and `log` print what Lambda prints.
//!
//! Differences from AWS: memory is reported but not limited, and `/tmp` is the machine's own.

mod answer;
mod concurrency;
mod control_plane;
mod destination;
mod environment;
mod event_queue;
mod event_stream;
mod exchange;
mod init;
mod invocation;
mod launcher;
mod log;
mod output;
mod pool;
mod response;
mod runtime_api;
mod sandbox;
mod verdict;
mod watch;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::ACCOUNT_ID;
use bytes::Bytes;
use uuid::Uuid;

pub use answer::{Answer, Completed, InvokeError, InvokeOptions, StreamError, Streaming};
pub use control_plane::ControlPlane;
pub use destination::Destination;
pub use event_queue::{EventInvokeConfig, MAX_ASYNC_EVENT, RetryDelays};
pub use log::{LogLine, OnLog, Source};

use concurrency::Concurrency;
use event_queue::Queued;
use invocation::Invocation;
use launcher::Launcher;
use pool::Pool;

/// The largest event Lambda takes in a synchronous invocation, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const MAX_EVENT: usize = 6 * 1024 * 1024;

/// What a function is started with.
#[derive(Clone)]
pub struct Settings {
    /// The executable that speaks the Runtime API.
    pub bootstrap: PathBuf,
    /// The function's name.
    pub name: String,
    /// What the function is told it has; reported, not enforced.
    pub memory_mb: u32,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Variables of the function, over the ones that Lambda sets. Nothing else is passed on from this process.
    pub environment: BTreeMap<String, String>,
    /// How many sandboxes may live at once; invocations beyond what they take wait. It is the machine's bound, not the
    /// function's: a developer's machine is slow where Lambda would have started another sandbox.
    pub max_sandboxes: usize,
    /// How many invocations may be under way at once: more are refused with [`InvokeError::TooManyRequests`]. Absent:
    /// none is refused.
    pub reserved_concurrency: Option<usize>,
    /// What happens to asynchronous invocations that fail.
    pub event_invoke_config: EventInvokeConfig,
    /// How long asynchronous invocations wait for another attempt.
    pub retry_delays: RetryDelays,
    /// How many invocations one sandbox takes at once: more than one makes it a Lambda Managed Instance, told by
    /// `AWS_LAMBDA_MAX_CONCURRENCY`.
    pub concurrency_per_sandbox: usize,
    /// Whether a sandbox stands still while it has no invocation.
    pub freeze: Freeze,
    /// Gets every line of output and every platform line, in order for each sandbox.
    pub on_log: OnLog,
}

impl Settings {
    /// Lambda's defaults: 128 MB, 3 s; ten sandboxes, frozen between invocations; logs dropped.
    pub fn new(bootstrap: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            name: name.into(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            environment: BTreeMap::new(),
            max_sandboxes: 10,
            reserved_concurrency: None,
            event_invoke_config: EventInvokeConfig::default(),
            retry_delays: RetryDelays::default(),
            concurrency_per_sandbox: 1,
            freeze: Freeze::BetweenInvocations,
            on_log: Arc::new(drop),
        }
    }

    /// The function's version-less ARN, in the region its environment names.
    pub(crate) fn arn(&self) -> String {
        let region = environment::region(self);
        format!("arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{}", self.name)
    }
}

/// What a sandbox does between invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freeze {
    /// Its processes are stopped, as on Lambda. A sandbox that takes several invocations at once is never stopped.
    BetweenInvocations,
    /// It runs on.
    Never,
}

/// Why a function could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such file, or it may not be executed.
    #[error("the bootstrap {} cannot be run", path.display())]
    Bootstrap {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A bound that must be at least one is zero.
    #[error("{setting} must be at least 1")]
    Zero {
        /// The name of the setting.
        setting: &'static str,
    },
    /// The thread that starts processes could not be started.
    #[error("cannot start the launcher thread")]
    Launcher {
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// A function that can be invoked. Clones are the same function; when the last is dropped its processes are killed.
#[derive(Clone)]
pub struct Function {
    inner: Arc<Inner>,
}

/// What all parts of one function share.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) pool: Arc<Pool>,
    pub(crate) launcher: Launcher,
    pub(crate) concurrency: Arc<Concurrency>,
    event_invoke_config: RwLock<EventInvokeConfig>,
}

impl Inner {
    pub(crate) fn event_invoke_config(&self) -> EventInvokeConfig {
        self.event_invoke_config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pool.kill();
    }
}

impl Function {
    /// Checks the settings. No process is started before the first invocation, as on Lambda.
    ///
    /// Must be called inside a Tokio runtime.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        for (setting, value) in [
            ("max_sandboxes", settings.max_sandboxes),
            ("concurrency_per_sandbox", settings.concurrency_per_sandbox),
        ] {
            if value == 0 {
                return Err(StartError::Zero { setting });
            }
        }
        let path = &settings.bootstrap;
        rustix::fs::access(path, rustix::fs::Access::EXEC_OK).map_err(|source| {
            StartError::Bootstrap { path: path.clone(), source: source.into() }
        })?;
        let launcher = Launcher::start().map_err(|source| StartError::Launcher { source })?;
        let pool = Arc::new(Pool::new(&settings));
        let concurrency = Arc::new(Concurrency::new(settings.reserved_concurrency));
        let event_invoke_config = RwLock::new(settings.event_invoke_config.clone());
        let inner = Inner { settings, pool, launcher, concurrency, event_invoke_config };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.inner.settings.name
    }

    /// Its ARN, without a version.
    pub fn arn(&self) -> String {
        self.inner.settings.arn()
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Invokes the function and waits for its answer. Dropping the future does not end the invocation.
    pub async fn invoke(
        &self,
        event: Bytes,
        options: InvokeOptions,
    ) -> Result<Answer, InvokeError> {
        self.call(event, options).await.map(|completed| completed.answer)
    }

    /// The same, with the request's id and the end of its log.
    pub async fn call(
        &self,
        event: Bytes,
        options: InvokeOptions,
    ) -> Result<Completed, InvokeError> {
        self.call_as(Uuid::new_v4().to_string(), event, options).await
    }

    /// Takes the event and gives the request's id; the invocation runs, and runs again if it fails, by the function's
    /// [`EventInvokeConfig`].
    ///
    /// Must be called inside a Tokio runtime.
    pub fn queue(&self, event: Bytes, options: InvokeOptions) -> Result<String, InvokeError> {
        if event.len() > MAX_ASYNC_EVENT {
            return Err(InvokeError::EventTooLarge { size: event.len() });
        }
        if self.inner.pool.is_stopped() {
            return Err(InvokeError::Stopped);
        }
        let request_id = Uuid::new_v4().to_string();
        let queued = Queued { request_id: request_id.clone(), event, options };
        tokio::spawn(queued.run(Arc::downgrade(&self.inner)));
        Ok(request_id)
    }

    /// What happens to asynchronous invocations that fail, now.
    pub fn event_invoke_config(&self) -> EventInvokeConfig {
        self.inner.event_invoke_config()
    }

    /// Changes that, for events that wait too.
    pub fn set_event_invoke_config(&self, config: EventInvokeConfig) {
        let current = &self.inner.event_invoke_config;
        *current.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// How many invocations may be under way at once, now; absent: any number.
    pub fn reserved_concurrency(&self) -> Option<usize> {
        self.inner.concurrency.reserved()
    }

    /// Changes that; invocations under way go on.
    pub fn reserve_concurrency(&self, reserved: Option<usize>) {
        self.inner.concurrency.reserve(reserved);
    }

    async fn call_as(
        &self,
        request_id: String,
        event: Bytes,
        options: InvokeOptions,
    ) -> Result<Completed, InvokeError> {
        if event.len() > MAX_EVENT {
            return Err(InvokeError::EventTooLarge { size: event.len() });
        }
        let share = self.inner.concurrency.enter()?;
        let (invocation, answer) = Invocation::new(request_id, event, &options, share)?;
        tokio::spawn(invocation.run(Arc::clone(&self.inner)));
        answer.await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// How many sandboxes live now, those that start included.
    pub fn sandboxes(&self) -> usize {
        self.inner.pool.living()
    }

    /// Ends every sandbox: SIGTERM, and SIGKILL after half a second. Invocations that wait or run get an error.
    pub async fn stop(&self) {
        self.inner.pool.stop().await;
    }
}
