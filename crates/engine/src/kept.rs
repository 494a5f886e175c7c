//! Instances that outlive an invocation, for components whose release allows it.
//!
//! An instance of WASI 0.2 lies here between two invocations; one of WASI 0.3 lives in a worker, of which this is the
//! list, also while it serves.
//!
//! *Invariant*: an instance that is kept serves nobody but whom [`Given`] tells. One that trapped, ran out of time, exited,
//! or was given up by its caller is never kept.

use crate::component::Inner;
use crate::given::Given;
use crate::instance::Instance;
use crate::invocation::{Invocation, Reuse};
use crate::session::Session;
use crate::worker::Handle;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Instances that one engine keeps beside one for each invocation that may run at once.
const SPARE: u32 = 4;

/// Instances that are made ahead.
const AHEAD: u32 = 1;

/// How many instances an engine keeps for all of its components.
fn most(concurrency: u32) -> u32 {
    concurrency.saturating_add(SPARE)
}

/// The room that the pool has for them, of one memory each: also for those of workers that are still coming down, and for
/// one that is made ahead.
pub(crate) fn room(concurrency: u32) -> u32 {
    most(concurrency).saturating_add(SPARE + AHEAD)
}

/// Tells components apart for as long as the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ComponentId(u64);

impl ComponentId {
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// An instance in its store, between two invocations.
pub(crate) struct Kept {
    pub(crate) session: Session,
    pub(crate) instance: Instance,
    pub(crate) life: Life,
}

/// Whom an instance may serve, and how much longer.
pub(crate) struct Life {
    given: Given,
    until: Instant,
    left: u32,
}

impl Life {
    /// The life of an instance that is made for `invocation`; none when it is not to be used again.
    pub(crate) fn new(component: &Inner, invocation: &Invocation) -> Option<Self> {
        let reuse = invocation.reuse.filter(|_| component.can_be_kept);
        let Reuse { max_invocations, max_age, .. } = reuse?;
        Some(Self {
            given: Given::new(component.id, invocation),
            until: Instant::now() + max_age,
            left: max_invocations,
        })
    }
}

/// The kept instances of one engine.
pub(crate) struct Instances {
    living: Mutex<Living>,
    most: usize,
}

/// Both the longest unused first.
#[derive(Default)]
struct Living {
    kept: VecDeque<Kept>,
    workers: VecDeque<Worker>,
}

/// An instance in a worker.
struct Worker {
    life: Life,
    handle: Handle,
    under_way: u32,
}

impl Living {
    fn idle(&self) -> usize {
        self.kept.len() + self.workers.iter().filter(|worker| worker.under_way == 0).count()
    }

    /// Takes out an idle worker.
    fn take_idle(&mut self, is_wanted: impl Fn(&Worker) -> bool) -> Option<Worker> {
        let is_it = |worker: &Worker| worker.under_way == 0 && is_wanted(worker);
        let place = self.workers.iter().position(is_it)?;
        self.workers.remove(place)
    }
}

impl Instances {
    /// Keeps nothing yet, and later no more than [`most`].
    pub(crate) fn new(concurrency: u32) -> Self {
        let most = usize::try_from(most(concurrency)).unwrap_or(usize::MAX);
        Self { living: Mutex::default(), most }
    }

    /// Takes out an instance that may serve `invocation`.
    pub(crate) fn take(&self, component: ComponentId, invocation: &Invocation) -> Option<Kept> {
        invocation.reuse?;
        let now = Instant::now();
        let (stale, found) = {
            let kept = &mut self.lock().kept;
            // Dropped after the lock: to drop a store is work.
            let (stale, fresh) = std::mem::take(kept)
                .into_iter()
                .partition::<Vec<_>, _>(|one| one.life.until <= now);
            kept.extend(fresh);
            let place = kept.iter().rposition(|one| one.life.given.is_of(component, invocation));
            (stale, place.and_then(|place| kept.remove(place)))
        };
        drop(stale);
        found
    }

    /// Keeps an instance that has come to a good end, unless its life is over.
    pub(crate) fn put(&self, mut one: Kept) {
        one.life.left = one.life.left.saturating_sub(1);
        if one.life.left == 0 || one.life.until <= Instant::now() {
            return;
        }
        one.session.rest();
        let mut living = self.lock();
        living.kept.push_back(one);
        let surplus = if living.idle() > self.most { living.kept.pop_front() } else { None };
        drop(living);
        drop(surplus);
    }

    /// Counts an invocation in with a worker that may serve it.
    pub(crate) fn enter(&self, component: ComponentId, invocation: &Invocation) -> Option<Handle> {
        let most = invocation.reuse?.max_concurrent;
        let now = Instant::now();
        let mut living = self.lock();
        living.workers.retain(|worker| {
            let is_over = worker.under_way == 0 && worker.life.until <= now;
            !is_over && !worker.handle.is_gone()
        });
        let has_room = |worker: &Worker| {
            let Life { until, left, .. } = worker.life;
            // One that computes would let the invocation wait, while another processor may be free.
            let is_open =
                worker.under_way == 0 || worker.under_way < most && !worker.handle.is_computing();
            is_open && left > 0 && until > now && worker.life.given.is_of(component, invocation)
        };
        let place = living.workers.iter().rposition(has_room)?;
        let mut worker = living.workers.remove(place)?;
        worker.under_way += 1;
        worker.life.left -= 1;
        let handle = worker.handle.clone();
        living.workers.push_back(worker);
        Some(handle)
    }

    /// Notes a new worker, with the invocation that it was made for.
    pub(crate) fn employ(&self, mut life: Life, handle: Handle) {
        life.left = life.left.saturating_sub(1);
        self.lock().workers.push_back(Worker { life, handle, under_way: 1 });
    }

    /// Counts an invocation out. A worker whose life is over ends with its last.
    pub(crate) fn leave(&self, handle: &Handle) {
        let mut living = self.lock();
        let now = Instant::now();
        if let Some(worker) = living.workers.iter_mut().find(|worker| worker.handle == *handle) {
            worker.under_way = worker.under_way.saturating_sub(1);
        }
        let over = living.take_idle(|worker| worker.life.left == 0 || worker.life.until <= now);
        let surplus = if living.idle() > self.most { living.take_idle(|_| true) } else { None };
        drop(living);
        drop((over, surplus));
    }

    /// Drops the instances of a component that is gone.
    pub(crate) fn forget(&self, component: ComponentId) {
        let mut living = self.lock();
        let (gone, others) = std::mem::take(&mut living.kept)
            .into_iter()
            .partition::<Vec<_>, _>(|one| one.life.given.component() == component);
        living.kept.extend(others);
        living.workers.retain(|worker| worker.life.given.component() != component);
        drop(living);
        drop(gone);
    }

    /// A panic while the lock was held leaves the lists whole.
    fn lock(&self) -> MutexGuard<'_, Living> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
