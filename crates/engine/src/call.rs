//! Calling a component: one module per shape of call.
//!
//! Each makes a store, instantiates the component in it and runs it to its end, within the deadline.

mod command;
mod function;
mod http;

pub(crate) use function::answer as guest_answer;
pub(crate) use http::{Answering, Asked};

use crate::ahead::{self, Next};
use crate::component::{Component, Inner};
use crate::instance::Instance;
use crate::kept::{Kept, Life};
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

/// A session for an invocation, with an instance if there was one for it.
struct Opened {
    session: Session,
    instance: Option<Instance>,
    after: After,
}

/// What comes after an invocation that has come to a good end.
enum After {
    /// Its instance lives on.
    Keep(Life),
    /// Its store is taken down, and this may be made in its place.
    Retire(Option<Next>),
}

fn open(component: &Component, invocation: &mut Invocation) -> Result<Opened, InvokeError> {
    let inner = &*component.0;
    let shared = &inner.shared;
    if let Some(kept) = shared.kept.take(inner.id, invocation) {
        let Kept { mut session, instance, life } = kept;
        session.reopen(shared, invocation)?;
        return Ok(Opened { session, instance: Some(instance), after: After::Keep(life) });
    }
    let after = match Life::new(inner, invocation) {
        Some(life) => After::Keep(life),
        None if inner.can_be_kept && shared.spent.is_asked() => {
            let (ready, next) = shared.ahead.take(component, invocation);
            let after = After::Retire(next);
            if let Some((mut session, instance)) = ready {
                session.reopen(shared, invocation)?;
                return Ok(Opened { session, instance: Some(instance), after });
            }
            after
        }
        None => After::Retire(None),
    };
    let session = Session::open(inner, invocation, Stdout::Lines)?;
    Ok(Opened { session, instance: None, after })
}

impl After {
    /// Does that with the session of the invocation and its instance.
    fn settle(self, component: &Component, session: Session, instance: Option<Instance>) {
        match (self, instance) {
            (Self::Keep(life), Some(instance)) => {
                component.0.shared.kept.put(Kept { session, instance, life });
            }
            (Self::Keep(_), None) => retire(component, session, None),
            (Self::Retire(next), _) => retire(component, session, next),
        }
    }
}

/// Has the store of an invocation that has come to a good end taken down.
fn retire(component: &Component, session: Session, next: Option<Next>) {
    let Inner { shared, pager, resident, .. } = &*component.0;
    resident.settle(pager.as_deref());
    let next = next.filter(|_| ahead::is_quick(session.instantiate_time()));
    shared.spent.put(session, pager.clone(), next);
}

/// `exit(0)` ends a guest by an error that is none.
fn exit_is_an_end(error: wasmtime::Error) -> wasmtime::Result<()> {
    match error.downcast_ref() {
        Some(I32Exit(0)) => Ok(()),
        _ => Err(error),
    }
}
