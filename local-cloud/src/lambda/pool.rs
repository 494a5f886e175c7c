//! Which sandbox takes which invocation: the one that was busy last, a new one while there is room, or wait in line.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::sandbox::Sandbox;
use super::{Freeze, InvokeError, Settings};

/// How long an invocation waits for a sandbox that has answered but not yet polled again, before another is started.
/// The runtime is on its way back then, and a new sandbox takes longer.
const RETURNING: Duration = Duration::from_millis(50);

/// The sandboxes of one function.
pub(crate) struct Pool {
    max_sandboxes: usize,
    freeze: Freeze,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// One entry per free place, the most recent last.
    idle: Vec<Arc<Sandbox>>,
    sandboxes: BTreeMap<u64, Arc<Sandbox>>,
    /// Places whose invocation is answered and whose next poll has not come, by sandbox.
    returning: BTreeMap<u64, usize>,
    waiting: VecDeque<oneshot::Sender<Grant>>,
    /// Permits that are given out.
    living: usize,
    /// Sandboxes that died in an invocation and are to be set up anew.
    reset: usize,
    started: u64,
    stopped: bool,
}

/// What an invocation may use.
pub(crate) enum Grant {
    /// A place in a sandbox that is waiting for an event.
    Place(Arc<Sandbox>),
    /// A sandbox to be started.
    Start(Permit),
}

/// The right to have one sandbox live; given back when dropped.
pub(crate) struct Permit {
    pool: Arc<Pool>,
    for_reset: bool,
}

impl Permit {
    /// Whether the sandbox stands in for one that died in an invocation.
    pub(crate) fn is_for_reset(&self) -> bool {
        self.for_reset
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pool.returned();
    }
}

impl Pool {
    pub(crate) fn new(settings: &Settings) -> Self {
        let freeze =
            if settings.concurrency_per_sandbox > 1 { Freeze::Never } else { settings.freeze };
        Self { max_sandboxes: settings.max_sandboxes, freeze, state: Mutex::default() }
    }

    pub(crate) fn living(&self) -> usize {
        self.lock().living
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// A place for one invocation; waits while all sandboxes are busy.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Grant, InvokeError> {
        let mut granted = match self.try_acquire()? {
            Ok(grant) => return Ok(grant),
            Err(granted) => granted,
        };
        if let Ok(grant) = tokio::time::timeout(RETURNING, &mut granted).await {
            return grant.map_err(|_| InvokeError::Stopped);
        }
        if let Some(permit) = self.permit_instead(&mut granted)? {
            return Ok(permit);
        }
        granted.await.map_err(|_| InvokeError::Stopped)
    }

    /// A grant at once, or a place in line.
    fn try_acquire(
        self: &Arc<Self>,
    ) -> Result<Result<Grant, oneshot::Receiver<Grant>>, InvokeError> {
        let mut state = self.lock();
        if state.stopped {
            return Err(InvokeError::Stopped);
        }
        while let Some(sandbox) = state.idle.pop() {
            if sandbox.is_alive() {
                sandbox.thaw();
                return Ok(Ok(Grant::Place(sandbox)));
            }
        }
        let coming_back: usize = state.returning.values().sum();
        if state.living < self.max_sandboxes && state.waiting.len() >= coming_back {
            return Ok(Ok(Grant::Start(self.permit(&mut state))));
        }
        let (grant, granted) = oneshot::channel();
        state.waiting.push_back(grant);
        Ok(Err(granted))
    }

    /// Leaves the line with a permit if there is room by now, unless a grant has just come.
    fn permit_instead(
        self: &Arc<Self>,
        granted: &mut oneshot::Receiver<Grant>,
    ) -> Result<Option<Grant>, InvokeError> {
        let mut state = self.lock();
        match granted.try_recv() {
            Ok(grant) => return Ok(Some(grant)),
            Err(oneshot::error::TryRecvError::Closed) => return Err(InvokeError::Stopped),
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        if state.living >= self.max_sandboxes {
            return Ok(None);
        }
        granted.close();
        state.waiting.retain(|grant| !grant.is_closed());
        Ok(Some(Grant::Start(self.permit(&mut state))))
    }

    fn permit(self: &Arc<Self>, state: &mut State) -> Permit {
        state.living += 1;
        let for_reset = state.reset > 0;
        state.reset = state.reset.saturating_sub(1);
        Permit { pool: Arc::clone(self), for_reset }
    }

    /// A number for a new sandbox.
    pub(crate) fn number(&self) -> u64 {
        let mut state = self.lock();
        state.started += 1;
        state.started
    }

    /// A sandbox lives.
    pub(crate) fn add(&self, sandbox: &Arc<Sandbox>) {
        let mut state = self.lock();
        if state.stopped {
            sandbox.kill();
        }
        state.sandboxes.insert(sandbox.number(), Arc::clone(sandbox));
    }

    /// A sandbox has answered and will poll again.
    pub(crate) fn answered(&self, number: u64) {
        *self.lock().returning.entry(number).or_default() += 1;
    }

    /// A sandbox waits for another event: the first in line gets the place, or it stands still.
    pub(crate) fn polled(&self, number: u64) {
        let mut state = self.lock();
        if let Some(returning) = state.returning.get_mut(&number) {
            *returning = returning.saturating_sub(1);
        }
        let Some(sandbox) = state.sandboxes.get(&number).map(Arc::clone) else { return };
        let mut grant = Grant::Place(Arc::clone(&sandbox));
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(grant) {
                Ok(()) => return,
                Err(refused) => grant = refused,
            }
        }
        if self.freeze == Freeze::BetweenInvocations {
            sandbox.freeze();
        }
        state.idle.push(sandbox);
    }

    /// A sandbox's process has ended.
    pub(crate) fn remove(&self, number: u64) {
        let mut state = self.lock();
        state.returning.remove(&number);
        state.idle.retain(|sandbox| sandbox.number() != number);
        if state.sandboxes.remove(&number).is_some_and(|sandbox| sandbox.is_occupied()) {
            state.reset += 1;
        }
    }

    /// A permit came back: the first in line may start a sandbox.
    fn returned(self: &Arc<Self>) {
        let mut state = self.lock();
        state.living -= 1;
        let Some(waiting) = state.waiting.pop_front() else { return };
        let refused = waiting.send(Grant::Start(self.permit(&mut state)));
        // A refused permit comes back here when it is dropped, and goes to the next in line.
        drop(state);
        drop(refused);
    }

    /// Kills every sandbox at once.
    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.waiting.clear();
        state.idle.clear();
        for sandbox in state.sandboxes.values() {
            sandbox.kill();
        }
    }

    /// Ends every sandbox and turns away whoever waits.
    pub(crate) async fn stop(&self) {
        let sandboxes: Vec<_> = {
            let mut state = self.lock();
            state.stopped = true;
            state.waiting.clear();
            state.idle.clear();
            state.sandboxes.values().cloned().collect()
        };
        futures::future::join_all(sandboxes.iter().map(|sandbox| sandbox.stop())).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
