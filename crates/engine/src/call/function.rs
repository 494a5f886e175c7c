//! Functions: one event in, one answer out, both JSON texts.

use super::{Opened, guarded, open};
use crate::bindings::types;
use crate::component::{Callee, Component};
use crate::instance::{Instance, of_another_kind};
use crate::kept::Life;
use crate::worker::{self, Call};
use crate::{Invocation, InvokeError, Usage};
use tokio::time::timeout_at;

/// What the guest gave: an answer, or an error of its own.
type Outcome = Result<String, types::FunctionError>;

impl Component {
    /// Calls a function component with the JSON text of an event; the answer is JSON text as the guest made it.
    pub async fn function(
        &self,
        event: &str,
        invocation: Invocation,
    ) -> Result<(String, Usage), InvokeError> {
        let called = || InvokeError::WrongWorld { found: self.world(), called: "a function" };
        match &self.0.callee {
            Callee::Function(_) => guarded(self.call_function(event, invocation)).await,
            Callee::AsyncFunction(_) => guarded(self.call_async_function(event, invocation)).await,
            _ => Err(called()),
        }
    }

    async fn call_function(
        &self,
        event: &str,
        mut invocation: Invocation,
    ) -> Result<(String, Usage), InvokeError> {
        let Opened { mut session, mut instance, after } = open(self, &mut invocation)?;
        let context = types::Context::new(invocation.context, invocation.environment);
        let outcome = timeout_at(session.deadline(), async {
            let instance = Instance::in_place(&mut instance, &self.0, &mut session).await?;
            let Instance::Function(function) = instance else { return of_another_kind() };
            let handler = function.lambkin_function_handler();
            handler.call_handle(&mut session.store, event, &context).await
        });
        let outcome = outcome.await;
        let (outcome, usage) = session.close(outcome)?;
        after.settle(self, session, instance);
        answer(outcome).map(|answer| (answer, usage))
    }

    async fn call_async_function(
        &self,
        event: &str,
        mut invocation: Invocation,
    ) -> Result<(String, Usage), InvokeError> {
        if let Some(life) = Life::new(&self.0, &invocation) {
            let call = Call::Function { event: event.to_owned() };
            return worker::call(self, invocation, (call, life)).await;
        }
        let Opened { mut session, mut instance, after } = open(self, &mut invocation)?;
        let context = types::Context::new(invocation.context, invocation.environment);
        let event = event.to_owned();
        let outcome = timeout_at(session.deadline(), async {
            let instance = Instance::in_place(&mut instance, &self.0, &mut session).await?;
            let Instance::AsyncFunction(function) = instance else { return of_another_kind() };
            let handler = function.lambkin_function_async_handler();
            let run = session.store.run_concurrent(async |accessor| {
                handler.call_handle(accessor, event, context).await
            });
            run.await?
        });
        let outcome = outcome.await;
        let (outcome, usage) = session.close(outcome)?;
        after.settle(self, session, instance);
        answer(outcome).map(|answer| (answer, usage))
    }
}

/// What a function's outcome is to its caller.
pub(crate) fn answer(outcome: Outcome) -> Result<String, InvokeError> {
    outcome.map_err(|types::FunctionError { error_type, error_message, stack_trace }| {
        InvokeError::Function { error_type, error_message, stack_trace }
    })
}
