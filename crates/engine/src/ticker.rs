//! The clock behind epoch interruption: one thread per engine, started by the first invocation.
//!
//! A tick only makes running guests look at the time; the deadline itself is an [`Instant`](std::time::Instant) that the
//! epoch callback compares with the clock. So ticks that are lost while Lambda freezes the process do no harm.
//! The thread parks when nothing has run for a while, and costs an idle environment nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time between two looks at the clock, and so the most by which a guest may overrun its deadline.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Ticks without an invocation after which the thread parks.
///
/// Long enough that a stream of short invocations does not pay for waking it each time.
const IDLE_TICKS: u32 = 50;

/// Advances an engine's epoch while invocations run.
#[derive(Debug, Default)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    running: usize,
    parked: bool,
    closed: bool,
}

impl Ticker {
    /// Keeps `engine`'s epoch advancing for as long as the answer lives.
    pub(crate) fn run(&self, engine: &wasmtime::Engine) -> std::io::Result<Running> {
        let mut state = self.shared.lock();
        if !state.started {
            spawn(Arc::clone(&self.shared), engine.weak())?;
            state.started = true;
        }
        state.running += 1;
        if std::mem::take(&mut state.parked) {
            self.shared.wake.notify_one();
        }
        drop(state);
        Ok(Running(Arc::clone(&self.shared)))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
    }
}

/// One running invocation.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until something runs; `false` when the engine is gone.
    fn park(&self) -> bool {
        let mut state = self.lock();
        state.parked = state.running == 0;
        while state.parked && !state.closed {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.closed
    }
}

fn spawn(shared: Arc<Shared>, engine: wasmtime::EngineWeak) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("lambkin-ticker".to_owned())
        .spawn(move || tick(&shared, &engine))
        .map(drop)
}

fn tick(shared: &Shared, engine: &wasmtime::EngineWeak) {
    let mut idle = 0;
    loop {
        std::thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        drop(engine);
        idle = if shared.lock().running == 0 { idle + 1 } else { 0 };
        if idle >= IDLE_TICKS {
            if !shared.park() {
                return;
            }
            idle = 0;
        }
    }
}
