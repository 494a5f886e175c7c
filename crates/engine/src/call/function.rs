//! Functions: one event in, one answer out, both JSON texts.

use super::{guarded, open, retire};
use crate::bindings::{async_function, function, types};
use crate::component::{Callee, Component};
use crate::kept::{Instance, Kept, Life};
use crate::session::Session;
use crate::state::Stdout;
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
            Callee::Function(pre) => guarded(self.call_function(pre, event, invocation)).await,
            Callee::AsyncFunction(pre) => {
                guarded(self.call_async_function(pre, event, invocation)).await
            }
            _ => Err(called()),
        }
    }

    async fn call_function(
        &self,
        pre: &function::FunctionPre<crate::state::State>,
        event: &str,
        mut invocation: Invocation,
    ) -> Result<(String, Usage), InvokeError> {
        let (mut session, kept, life) = open(self, &mut invocation)?;
        let mut instance = kept.and_then(Instance::function);
        let context = types::Context::new(invocation.context, invocation.environment);
        let outcome = timeout_at(session.deadline(), async {
            let instance = if let Some(instance) = &instance {
                instance
            } else {
                let made = pre.instantiate_async(&mut session.store).await?;
                session.instantiated();
                instance.insert(made)
            };
            instance
                .lambkin_function_handler()
                .call_handle(&mut session.store, event, &context)
                .await
        });
        let outcome = outcome.await;
        let (outcome, usage) = session.close(outcome)?;
        match (instance, life) {
            (Some(instance), Some(life)) => {
                let instance = Instance::Function(instance);
                self.0.shared.kept.put(Kept { session, instance, life });
            }
            _ => retire(self, session),
        }
        answer(outcome).map(|answer| (answer, usage))
    }

    async fn call_async_function(
        &self,
        pre: &async_function::AsyncFunctionPre<crate::state::State>,
        event: &str,
        mut invocation: Invocation,
    ) -> Result<(String, Usage), InvokeError> {
        if let Some(life) = Life::new(&self.0, &invocation) {
            let call = Call::Function { event: event.to_owned() };
            return worker::call(self, invocation, (call, life)).await;
        }
        let mut session = Session::open(&self.0, &mut invocation, Stdout::Lines)?;
        let context = types::Context::new(invocation.context, invocation.environment);
        let event = event.to_owned();
        let outcome = timeout_at(session.deadline(), async {
            let instance = pre.instantiate_async(&mut session.store).await?;
            session.instantiated();
            let run = session.store.run_concurrent(async |accessor| {
                instance
                    .lambkin_function_async_handler()
                    .call_handle(accessor, event, context)
                    .await
            });
            run.await?
        });
        let outcome = outcome.await;
        let (outcome, usage) = session.close(outcome)?;
        retire(self, session);
        answer(outcome).map(|answer| (answer, usage))
    }
}

/// What a function's outcome is to its caller.
pub(crate) fn answer(outcome: Outcome) -> Result<String, InvokeError> {
    outcome.map_err(|types::FunctionError { error_type, error_message, stack_trace }| {
        InvokeError::Function { error_type, error_message, stack_trace }
    })
}
