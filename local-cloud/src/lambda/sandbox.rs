//! One sandbox: a `bootstrap` process and the Runtime API that it alone may call.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::exchange::{Exchange, Init};
use super::launcher::Process;
use super::log::{Journal, Source};
use super::output::Output;
use super::pool::Permit;
use super::runtime_api::RuntimeApi;
use super::{Inner, InvokeError, environment};
use crate::http_server::HttpServer;

/// How long a process may take to end after SIGTERM; Lambda's budget for a runtime without external extensions
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>).
const TERMINATION: Duration = Duration::from_millis(500);

/// How long answers that a dead process has sent may be on their way.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A living sandbox, or one whose process has just ended.
pub(crate) struct Sandbox {
    number: u64,
    process: Process,
    exchange: Arc<Exchange>,
    journal: Arc<Journal>,
    outputs: Vec<Arc<Output>>,
    runtime_api: HttpServer,
    started: Instant,
    /// Invocations that the sandbox has now.
    invocations: AtomicUsize,
    peak_memory_mb: AtomicU64,
}

/// How an Init failed.
#[derive(Debug)]
pub(crate) enum InitFailure {
    /// The runtime said so.
    Reported { error_type: String, payload: bytes::Bytes },
    /// The process ended.
    Exited(ExitStatus),
    /// It did not poll in time.
    TimedOut,
}

impl Sandbox {
    /// Starts the process; it keeps the permit until it ends.
    pub(crate) async fn start(
        inner: &Inner,
        permit: Arc<Permit>,
    ) -> Result<Arc<Self>, InvokeError> {
        let settings = &inner.settings;
        let failed = |source| InvokeError::Launch { path: settings.bootstrap.clone(), source };
        let number = inner.pool.number();
        let exchange = Arc::new(Exchange::new(settings.concurrency_per_sandbox));
        let api =
            RuntimeApi::new(number, Arc::clone(&exchange), Arc::clone(&inner.pool), &settings.name);
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let runtime_api = HttpServer::start(any_port, api.into_service()).await.map_err(failed)?;
        let log_stream = environment::log_stream();
        let mut command = Command::new(&settings.bootstrap);
        command.env_clear().envs(environment::sandbox(
            settings,
            runtime_api.address(),
            &log_stream,
        ));
        if let Some(task_root) =
            settings.bootstrap.parent().filter(|root| !root.as_os_str().is_empty())
        {
            command.current_dir(task_root);
        }
        let started = Instant::now();
        let mut child = inner.launcher.launch(command).await.map_err(failed)?;
        let journal = Arc::new(Journal::new(number, &log_stream, Arc::clone(&settings.on_log)));
        let outputs = outputs(&mut child, &journal).map_err(failed)?;
        let process = Process::watch(child);
        let sandbox = Arc::new(Self {
            number,
            process,
            exchange,
            journal,
            outputs,
            runtime_api,
            started,
            invocations: AtomicUsize::new(0),
            peak_memory_mb: AtomicU64::new(0),
        });
        inner.pool.add(&sandbox);
        let pool = Arc::clone(&inner.pool);
        let watched = Arc::clone(&sandbox);
        tokio::spawn(async move {
            watched.process.exited().await;
            watched.outputs.iter().for_each(|output| output.finish());
            pool.remove(watched.number);
            drop(permit);
        });
        Ok(sandbox)
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Waits for the first poll, and says how long it took.
    pub(crate) async fn init(&self, limit: Duration) -> Result<Duration, InitFailure> {
        tokio::select! {
            biased;
            init = self.exchange.initialised() => match init {
                Init::Done { at } => Ok(at - self.started),
                Init::Failed { error_type, payload } => Err(InitFailure::Reported { error_type, payload }),
                Init::Running => Err(InitFailure::TimedOut),
            },
            status = self.process.exited() => {
                self.last_words().await;
                match self.exchange.init_so_far() {
                    Init::Failed { error_type, payload } => Err(InitFailure::Reported { error_type, payload }),
                    Init::Done { .. } | Init::Running => Err(InitFailure::Exited(status)),
                }
            },
            () = tokio::time::sleep(limit) => Err(InitFailure::TimedOut),
        }
    }

    /// Waits until the process has ended.
    pub(crate) async fn exited(&self) -> ExitStatus {
        self.process.exited().await
    }

    /// Waits until what a dead process has sent is read.
    pub(crate) async fn last_words(&self) {
        self.runtime_api.settle(LAST_WORDS).await;
    }

    /// Hands on all that the process has printed so far.
    pub(crate) fn flush(&self) {
        self.outputs.iter().for_each(|output| output.drain());
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// An invocation begins here.
    pub(crate) fn occupy(&self) {
        self.invocations.fetch_add(1, Ordering::Relaxed);
        self.note_memory();
    }

    /// An invocation has ended here. A sandbox that died in it stays occupied: that is what became of it.
    pub(crate) fn leave(&self) {
        if self.is_alive() {
            self.invocations.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_occupied(&self) -> bool {
        self.invocations.load(Ordering::Relaxed) > 0
    }

    /// Remembers how much memory the process has held, which nobody can tell after its end.
    pub(crate) fn note_memory(&self) {
        if let Some(bytes) = self.process.peak_memory() {
            self.peak_memory_mb.fetch_max(bytes.div_ceil(1 << 20), Ordering::Relaxed);
        }
    }

    /// The most memory that the process was seen to hold, in MiB.
    pub(crate) fn peak_memory_mb(&self) -> Option<u64> {
        Some(self.peak_memory_mb.load(Ordering::Relaxed)).filter(|peak| *peak > 0)
    }

    /// Asks the process to end, then makes it.
    pub(crate) async fn stop(&self) {
        self.process.terminate();
        if tokio::time::timeout(TERMINATION, self.process.exited()).await.is_err() {
            self.process.kill();
            self.process.exited().await;
        }
    }
}

fn outputs(child: &mut Child, journal: &Arc<Journal>) -> std::io::Result<Vec<Arc<Output>>> {
    let mut outputs = Vec::with_capacity(2);
    if let Some(stdout) = child.stdout.take() {
        outputs.push(Output::start(stdout.into_owned_fd()?, Source::Stdout, Arc::clone(journal))?);
    }
    if let Some(stderr) = child.stderr.take() {
        outputs.push(Output::start(stderr.into_owned_fd()?, Source::Stderr, Arc::clone(journal))?);
    }
    Ok(outputs)
}
