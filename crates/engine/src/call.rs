//! Calling a component: one module per shape of call.
//!
//! Each makes a store, instantiates the component in it and runs it to its end, within the deadline.

mod command;
mod function;
mod http;

pub(crate) use function::answer as guest_answer;
pub(crate) use http::{Answering, Asked};

use crate::component::{Component, Inner};
use crate::kept::{Instance, Kept, Life};
use crate::session::Session;
use crate::state::Stdout;
use crate::{Invocation, InvokeError};
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use wasmtime_wasi::I32Exit;

/// Runs a call so that a panic in a host function fails this invocation and nothing else.
///
/// The store, the only thing that the panic could have left half-done, is dropped with the call.
async fn guarded<T>(call: impl Future<Output = Result<T, InvokeError>>) -> Result<T, InvokeError> {
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(InvokeError::Host {
            message: format!("a panic: {}", text.unwrap_or("without a message")),
        })
    })
}

/// A session for the invocation: one whose instance was kept, or a new one without an instance; and how long its instance
/// may live on, if it may.
fn open(
    component: &Component,
    invocation: &mut Invocation,
) -> Result<(Session, Option<Instance>, Option<Life>), InvokeError> {
    let shared = &component.0.shared;
    if let Some(kept) = shared.kept.take(component.0.id, invocation) {
        let Kept { mut session, instance, life } = kept;
        session.reopen(shared, invocation)?;
        return Ok((session, Some(instance), Some(life)));
    }
    let life = Life::new(&component.0, invocation);
    Ok((Session::open(&component.0, invocation, Stdout::Lines)?, None, life))
}

/// Has the store of an invocation that has come to a good end taken down.
fn retire(component: &Component, session: Session) {
    let Inner { shared, pager, resident, .. } = &*component.0;
    resident.settle(pager.as_deref());
    shared.spent.put(session, pager.clone());
}

/// `exit(0)` ends a guest by an error that is none.
fn exit_is_an_end(error: wasmtime::Error) -> wasmtime::Result<()> {
    match error.downcast_ref() {
        Some(I32Exit(0)) => Ok(()),
        _ => Err(error),
    }
}
