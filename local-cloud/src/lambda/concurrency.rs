//! How many invocations of a function may be under way at once: its reserved concurrency
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>).
//!
//! How many sandboxes the machine carries is another matter, which `pool` decides by letting invocations wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::InvokeError;

/// The count of a function's invocations under way, and its bound.
#[derive(Debug)]
pub(crate) struct Concurrency {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    reserved: Option<usize>,
    running: usize,
}

/// One invocation's share; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share(Arc<Concurrency>);

impl Drop for Share {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Concurrency {
    pub(crate) fn new(reserved: Option<usize>) -> Self {
        Self { state: Mutex::new(State { reserved, running: 0 }) }
    }

    pub(crate) fn reserved(&self) -> Option<usize> {
        self.lock().reserved
    }

    /// Sets the bound, or takes it away; invocations under way go on.
    pub(crate) fn reserve(&self, reserved: Option<usize>) {
        self.lock().reserved = reserved;
    }

    /// Counts one more invocation, unless that is one too many.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Share, InvokeError> {
        let mut state = self.lock();
        if let Some(reserved) = state.reserved.filter(|reserved| state.running >= *reserved) {
            return Err(InvokeError::TooManyRequests { reserved });
        }
        state.running += 1;
        drop(state);
        Ok(Share(Arc::clone(self)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
