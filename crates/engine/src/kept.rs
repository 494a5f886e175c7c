//! Instances that outlive an invocation, for components whose release allows it.
//!
//! *Invariant*: an instance that is kept serves nobody but the same component of the same release of the same app, with
//! the same environment, grants and bounds, and for the same tenant. One that trapped, ran out of time, exited, or was
//! given up by its caller is never kept.

use crate::bindings::function;
use crate::component::Inner;
use crate::invocation::{Context, Grants, Invocation, Limits, Reuse};
use crate::session::Session;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use wasmtime_wasi_http::p2::bindings::Proxy;

/// Instances that one engine keeps beside one for each invocation that may run at once.
const SPARE: u32 = 4;

/// How many instances an engine keeps for all of its components; the pool has room for as many, of one memory each.
pub(crate) fn most(concurrency: u32) -> u32 {
    concurrency.saturating_add(SPARE)
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

/// What an instance was made with, and so whom it may serve.
#[derive(PartialEq)]
struct Given {
    component: ComponentId,
    app: String,
    release: String,
    name: String,
    tenant: Option<String>,
    environment: Vec<(String, String)>,
    config: BTreeMap<String, String>,
    grants: Grants,
    limits: Limits,
}

/// An instance in its store, between two invocations.
pub(crate) struct Kept {
    pub(crate) session: Session,
    pub(crate) instance: Instance,
    pub(crate) life: Life,
}

/// An instance, by how it is called.
pub(crate) enum Instance {
    Function(function::Function),
    Http(Proxy),
}

impl Instance {
    pub(crate) fn function(self) -> Option<function::Function> {
        if let Self::Function(function) = self { Some(function) } else { None }
    }

    pub(crate) fn http(self) -> Option<Proxy> {
        if let Self::Http(proxy) = self { Some(proxy) } else { None }
    }
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
        let Reuse { max_invocations, max_age } = reuse?;
        Some(Self {
            given: given(component.id, invocation),
            until: Instant::now() + max_age,
            left: max_invocations,
        })
    }
}

fn given(component: ComponentId, invocation: &Invocation) -> Given {
    let Context { app, release, component: name, tenant, .. } = &invocation.context;
    Given {
        component,
        app: app.clone(),
        release: release.clone(),
        name: name.clone(),
        tenant: tenant.clone(),
        environment: invocation.environment.clone(),
        config: invocation.config.clone(),
        grants: invocation.grants.clone(),
        limits: invocation.limits,
    }
}

/// The kept instances of one engine, the longest unused first.
pub(crate) struct Instances {
    kept: Mutex<VecDeque<Kept>>,
    most: usize,
}

impl Instances {
    /// Keeps nothing yet, and later no more than [`most`].
    pub(crate) fn new(concurrency: u32) -> Self {
        let most = usize::try_from(most(concurrency)).unwrap_or(usize::MAX);
        Self { kept: Mutex::default(), most }
    }

    /// Takes out an instance that may serve `invocation`.
    pub(crate) fn take(&self, component: ComponentId, invocation: &Invocation) -> Option<Kept> {
        invocation.reuse?;
        let given = given(component, invocation);
        let now = Instant::now();
        let (stale, found) = {
            let mut kept = self.lock();
            // Dropped after the lock: to drop a store is work.
            let (stale, fresh) = std::mem::take(&mut *kept)
                .into_iter()
                .partition::<Vec<_>, _>(|one| one.life.until <= now);
            kept.extend(fresh);
            let place = kept.iter().rposition(|one| one.life.given == given);
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
        let mut kept = self.lock();
        kept.push_back(one);
        let surplus = if kept.len() > self.most { kept.pop_front() } else { None };
        drop(kept);
        drop(surplus);
    }

    /// Drops the instances of a component that is gone.
    pub(crate) fn forget(&self, component: ComponentId) {
        let mut kept = self.lock();
        let (gone, others) = std::mem::take(&mut *kept)
            .into_iter()
            .partition::<Vec<_>, _>(|one| one.life.given.component == component);
        kept.extend(others);
        drop(kept);
        drop(gone);
    }

    /// A panic while the lock was held leaves the list whole.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
