//! One call in an instance that lives on.

use super::calls::CallId;
use super::{Call, Job};
use crate::bindings::types;
use crate::call::{Answering, Asked, guest_answer};
use crate::instance::Instance;
use crate::state::State;
use futures::future::{Either, select};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;
use wasmtime::AsContextMut as _;
use wasmtime::component::{Accessor, Resource, TypedFuncCallConcurrent};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p3::{Request, bindings::http::types as http};

/// How a call has gone.
pub(super) enum End {
    /// Its caller has the answer.
    Answered,
    /// The answer is given, and the guest may still work.
    Finishing(CallId),
    /// Nobody waits for it any more.
    GivenUp,
}

type FunctionCall = TypedFuncCallConcurrent<
    State,
    (String, types::Context),
    (Result<String, types::FunctionError>,),
>;

type HttpCall = TypedFuncCallConcurrent<
    State,
    (Resource<Request>,),
    (Result<Resource<http::Response>, http::ErrorCode>,),
>;

/// What becomes of a request's body once it is sent.
type Sent = Pin<Box<dyn Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send>>;

/// A call that the guest has been given.
pub(super) enum Begun {
    Function(FunctionCall),
    Http(HttpCall, Sent, Answering),
}

/// Gives a call to the guest, which does not run before it is waited for.
pub(super) fn begin(
    accessor: &Accessor<State>,
    instance: &Instance,
    Job { mut caller, call, .. }: Job,
    instantiate: Duration,
) -> wasmtime::Result<(CallId, Begun)> {
    accessor.with(|mut access| match (instance, call) {
        (Instance::AsyncFunction(function), Call::Function { event }) => {
            let context = std::mem::take(&mut caller.invocation.context);
            let environment = std::mem::take(&mut caller.invocation.environment);
            let context = types::Context::new(context, environment);
            let id = access.get().enter((caller, None), instantiate);
            let handle = function.lambkin_function_async_handler().func_handle();
            let begun = handle.start_call_concurrent(access.as_context_mut(), (event, context))?;
            access.get().begun(id, begun.task());
            Ok((id, Begun::Function(begun)))
        }
        (Instance::HttpAsync(service), Call::Http(asked)) => {
            let Asked { request, answering, failure } = *asked;
            let id = access.get().enter((caller, Some(failure)), instantiate);
            let view = access.get().http();
            let (request, sent) = Request::from_http(view.hooks, request);
            let request = view.table.push(request)?;
            let handle = service.wasi_http_handler().func_handle();
            let begun = handle.start_call_concurrent(access.as_context_mut(), (request,))?;
            access.get().begun(id, begun.task());
            Ok((id, Begun::Http(begun, Box::pin(sent), answering)))
        }
        _ => wasmtime::bail!("a call of another kind than the instance"),
    })
}

/// Waits for a call's end.
pub(super) async fn end(
    accessor: &Accessor<State>,
    instance: &Instance,
    (id, begun): (CallId, Begun),
) -> wasmtime::Result<End> {
    let given_up = poll_fn(|cx| accessor.with(|mut access| access.get().poll_given_up(id, cx)));
    let ended = pin!(answer(accessor, instance, (id, begun)));
    match select(ended, given_up).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) => {
            accessor.with(|mut access| access.get().abandon(id));
            Ok(End::GivenUp)
        }
    }
}

async fn answer(
    accessor: &Accessor<State>,
    instance: &Instance,
    (id, begun): (CallId, Begun),
) -> wasmtime::Result<End> {
    match (instance, begun) {
        (Instance::AsyncFunction(function), Begun::Function(begun)) => {
            let handle = function.lambkin_function_async_handler().func_handle();
            let (answer,) = handle.finish_call_concurrent(accessor, begun).await?;
            accessor.with(|mut access| access.get().answer(id, guest_answer(answer)));
            Ok(End::Answered)
        }
        (Instance::HttpAsync(service), Begun::Http(begun, sent, answering)) => {
            let handle = service.wasi_http_handler().func_handle();
            let (response,) = handle.finish_call_concurrent(accessor, begun).await?;
            match response {
                Err(code) => answering.fail(&code),
                Ok(response) => {
                    let response = accessor.with(|mut access| {
                        let response = access.get().http().table.delete(response)?;
                        response.into_http(access, sent)
                    })?;
                    // The body is fed from the store, and so ends with it.
                    let _ended = answering.answer(response).await;
                }
            }
            Ok(End::Finishing(id))
        }
        _ => wasmtime::bail!("a call of another kind than the instance"),
    }
}
