//! Stores of invocations that have come to a good end, until somebody has time to take them down.
//!
//! To set an instance's memory back is up to a third of a call, and nobody waits for it: an answer can go first.

use crate::Teardown;
use crate::ahead::Next;
use crate::paging::Pager;
use crate::session::Session;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A store, and what it needs and leaves.
struct Store {
    session: Session,
    /// Who fills its pages as long as it lives.
    _pager: Option<Arc<Pager>>,
    /// The instance that is to be made when it is gone.
    next: Option<Next>,
}

/// The stores of one engine that are not taken down yet.
///
/// *Invariant*: no more of them and of running ones together than invocations at once, for each that begins takes
/// down those that are here. So the pool has room for all.
pub(crate) struct Spent {
    when: Teardown,
    stores: Mutex<Vec<Store>>,
}

impl Spent {
    pub(crate) fn new(when: Teardown) -> Self {
        Self { when, stores: Mutex::default() }
    }

    /// Whether stores wait here, and so whether somebody comes when there is time.
    pub(crate) fn is_asked(&self) -> bool {
        self.when == Teardown::WhenAsked
    }

    pub(crate) fn put(&self, mut session: Session, pager: Option<Arc<Pager>>, next: Option<Next>) {
        session.rest();
        if self.is_asked() {
            self.lock().push(Store { session, _pager: pager, next });
        }
    }

    /// Takes down all that are here, and tells the instance that is to be made after the last of them, with the time until
    /// when that may be done.
    pub(crate) fn tear_down(&self) -> Option<(Next, Instant)> {
        // Dropped after the lock: that is the work.
        let mut stores = std::mem::take(&mut *self.lock());
        let Store { session, next, .. } = stores.last_mut()?;
        next.take().map(|next| (next, session.deadline().into_std()))
    }

    /// A panic while the lock was held leaves the list whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Store>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
