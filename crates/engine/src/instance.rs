//! An instance of a component, by how it is called.

use crate::bindings::{async_function, function};
use crate::component::{Callee, Inner};
use crate::session::Session;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p3::bindings::Service;

/// An instance in a session's store. Commands have none: they run once, from their start to their end.
pub(crate) enum Instance {
    Function(function::Function),
    AsyncFunction(async_function::AsyncFunction),
    Http(Proxy),
    HttpAsync(Service),
}

impl Instance {
    /// Makes the component's instance in this session, and notes there that it is made.
    pub(crate) async fn make(component: &Inner, session: &mut Session) -> wasmtime::Result<Self> {
        let store = &mut session.store;
        let made = match &component.callee {
            Callee::Function(pre) => Self::Function(pre.instantiate_async(store).await?),
            Callee::AsyncFunction(pre) => Self::AsyncFunction(pre.instantiate_async(store).await?),
            Callee::Http(pre) => Self::Http(pre.instantiate_async(store).await?),
            Callee::HttpAsync(pre) => Self::HttpAsync(pre.instantiate_async(store).await?),
            Callee::Command(_) | Callee::AsyncCommand(_) => {
                wasmtime::bail!("a command is run, not called")
            }
        };
        session.instantiated();
        Ok(made)
    }

    /// The instance in `place`, which is made if there is none.
    pub(crate) async fn in_place<'a>(
        place: &'a mut Option<Self>,
        component: &Inner,
        session: &mut Session,
    ) -> wasmtime::Result<&'a Self> {
        match place {
            Some(instance) => Ok(instance),
            None => Ok(place.insert(Self::make(component, session).await?)),
        }
    }
}

/// What is said of an instance that is none of its component's: not met, as one follows from the other.
pub(crate) fn of_another_kind<T>() -> wasmtime::Result<T> {
    Err(wasmtime::format_err!("an instance of another kind than its component"))
}
