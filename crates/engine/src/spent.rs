//! Stores of invocations that have come to a good end, until somebody has time to take them down.
//!
//! To set an instance's memory back is up to a third of a call, and nobody waits for it: an answer can go first.

use crate::Teardown;
use crate::paging::Pager;
use crate::session::Session;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store, and who fills its pages as long as it lives.
type Store = (Session, Option<Arc<Pager>>);

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

    pub(crate) fn put(&self, mut session: Session, pager: Option<Arc<Pager>>) {
        session.rest();
        if self.when == Teardown::WhenAsked {
            self.lock().push((session, pager));
        }
    }

    /// Takes down all that are here.
    pub(crate) fn tear_down(&self) {
        // Dropped after the lock: that is the work.
        let stores = std::mem::take(&mut *self.lock());
        drop(stores);
    }

    /// A panic while the lock was held leaves the list whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Store>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
