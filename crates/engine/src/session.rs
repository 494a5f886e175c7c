//! One store from its making to its end: deadline, memory bound, measurements, and what an error means.
//!
//! Each way of calling a component opens a session, runs the guest in its store and closes it with the outcome.

use crate::component::Inner;
use crate::engine::Shared;
use crate::error::{DeadlineReached, InvokeError, from_wasmtime};
use crate::invocation::{Invocation, Usage};
use crate::state::{State, Stdout};
use crate::ticker::Running;
use crate::worker;
use std::time::{Duration, Instant};
use wasmtime::{Store, UpdateDeadline};

/// Ticks between two looks at the clock.
const TICKS: u64 = 1;

/// One invocation in its store.
pub(crate) struct Session {
    pub(crate) store: Store<State>,
    opened: Instant,
    instantiated: Option<Instant>,
    /// None between two invocations.
    running: Option<Running>,
}

impl Session {
    /// Makes the store. What the guest gets from `invocation` is taken out of it.
    pub(crate) fn open(
        component: &Inner,
        invocation: &mut Invocation,
        stdout: Stdout,
    ) -> Result<Self, InvokeError> {
        let shared = &component.shared;
        let opened = Instant::now();
        shared.spent.tear_down();
        let state = State::new(invocation, stdout)?;
        let mut store = Store::new(&shared.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut store| {
            if Instant::now() >= worker::deadline(&mut store) {
                return Err(wasmtime::Error::new(DeadlineReached));
            }
            // Tokio's own yield, so that timers and sockets are looked at too.
            Ok(UpdateDeadline::YieldCustom(TICKS, Box::pin(tokio::task::yield_now())))
        });
        if let Some(pager) = &component.pager {
            pager.attend(&mut store);
        }
        let mut session = Self { store, opened, instantiated: None, running: None };
        session.watch(shared)?;
        Ok(session)
    }

    /// Begins the next invocation in the same store.
    pub(crate) fn reopen(
        &mut self,
        shared: &Shared,
        invocation: &Invocation,
    ) -> Result<(), InvokeError> {
        self.opened = Instant::now();
        self.store.data_mut().begin(invocation);
        self.watch(shared)?;
        self.instantiated();
        Ok(())
    }

    /// Ends the invocation and leaves the store as it is.
    pub(crate) fn rest(&mut self) {
        self.running = None;
    }

    /// What makes the guest look at the clock for as long as it is held, for who holds it in the session's place.
    pub(crate) fn take_running(&mut self) -> Option<Running> {
        self.running.take()
    }

    /// Time that it took to make the instance.
    pub(crate) fn instantiate_time(&self) -> Duration {
        self.instantiated.map_or(Duration::ZERO, |instantiated| instantiated - self.opened)
    }

    /// Lets the guest look at the clock from time to time.
    fn watch(&mut self, shared: &Shared) -> Result<(), InvokeError> {
        let running = shared.ticker.run(&shared.engine);
        let running = running
            .map_err(|error| InvokeError::Host { message: format!("no thread: {error}") })?;
        self.running = Some(running);
        // A deadline that is over ends the guest at its first look at the clock, which is its first instruction.
        let is_over = Instant::now() >= self.store.data().deadline;
        self.store.set_epoch_deadline(if is_over { 0 } else { TICKS });
        Ok(())
    }

    /// When the guest must have ended.
    pub(crate) fn deadline(&self) -> tokio::time::Instant {
        self.store.data().deadline.into()
    }

    /// Notes that the instance is there and the guest's code is about to run.
    pub(crate) fn instantiated(&mut self) {
        self.instantiated = Some(Instant::now());
    }

    /// Ends the session: passes on unfinished lines, and says what the outcome means.
    pub(crate) fn close<T>(
        &self,
        outcome: Result<wasmtime::Result<T>, Elapsed>,
    ) -> Result<(T, Usage), InvokeError> {
        let ended = Instant::now();
        self.store.data().flush_lines();
        match outcome {
            Ok(Ok(value)) => Ok((value, self.usage(ended))),
            Ok(Err(error)) => Err(self.explain(&error, ended)),
            Err(_) => Err(self.timeout(ended)),
        }
    }

    fn usage(&self, ended: Instant) -> Usage {
        let started = self.instantiated.unwrap_or(ended);
        Usage {
            instantiate: started.duration_since(self.opened),
            guest: ended.duration_since(started),
            peak_memory_bytes: self.store.data().limiter.peak(),
        }
    }

    /// What it means that the guest was ended by `error`.
    pub(crate) fn explain(&self, error: &wasmtime::Error, ended: Instant) -> InvokeError {
        if error.downcast_ref::<DeadlineReached>().is_some() {
            return self.timeout(ended);
        }
        if let Some(error) = error.downcast_ref::<InvokeError>() {
            return error.clone();
        }
        let state = self.store.data();
        match state.limiter.refused() {
            Some(limit_bytes) => InvokeError::OutOfMemory { limit_bytes },
            None => from_wasmtime(error, &state.stderr.tail()),
        }
    }

    fn timeout(&self, ended: Instant) -> InvokeError {
        let deadline = self.store.data().deadline;
        let after: Duration = deadline.saturating_duration_since(self.opened);
        InvokeError::Timeout { after: after.min(ended.duration_since(self.opened)) }
    }
}

/// The timer came first.
pub(crate) type Elapsed = tokio::time::error::Elapsed;
