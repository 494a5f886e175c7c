//! Commands: the event on standard input, the answer on standard output, logs on standard error.

use super::{exit_is_an_end, guarded, retire};
use crate::component::{Callee, Component};
use crate::session::Session;
use crate::state::{State, Stdout};
use crate::{Invocation, InvokeError, Usage};
use bytes::Bytes;
use tokio::time::timeout_at;
use wasmtime::Store;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

impl Component {
    /// Runs a command component with the event as its standard input; the answer is all of its standard output.
    ///
    /// An exit code that is not 0 is an error. The answer may be as large as the guest's memory bound.
    pub async fn command(
        &self,
        event: Bytes,
        invocation: Invocation,
    ) -> Result<(Bytes, Usage), InvokeError> {
        guarded(self.call_command(event, invocation)).await
    }

    async fn call_command(
        &self,
        event: Bytes,
        mut invocation: Invocation,
    ) -> Result<(Bytes, Usage), InvokeError> {
        let answer = MemoryOutputPipe::new(
            usize::try_from(invocation.limits.memory_bytes).unwrap_or(usize::MAX),
        );
        let stdout = Stdout::Answer { event, answer: answer.clone() };
        let mut session = Session::open(&self.0, &mut invocation, stdout)?;
        let outcome = timeout_at(session.deadline(), self.run(&mut session)).await;
        let outcome = outcome.map(|run| run.or_else(exit_is_an_end));
        let ((), usage) = session.close(outcome)?;
        retire(self, session, None);
        Ok((answer.contents(), usage))
    }

    async fn run(&self, session: &mut Session) -> wasmtime::Result<()> {
        let run = match &self.0.callee {
            Callee::Command(pre) => {
                let command = pre.instantiate_async(&mut session.store).await?;
                session.instantiated();
                command.wasi_cli_run().call_run(&mut session.store).await?
            }
            Callee::AsyncCommand(pre) => {
                let command = pre.instantiate_async(&mut session.store).await?;
                session.instantiated();
                run_async(&mut session.store, &command).await?
            }
            _ => {
                let error = InvokeError::WrongWorld { found: self.world(), called: "a command" };
                return Err(wasmtime::Error::new(error));
            }
        };
        run.map_err(|()| wasmtime::Error::new(I32Exit(1)))
    }
}

async fn run_async(
    store: &mut Store<State>,
    command: &wasmtime_wasi::p3::bindings::Command,
) -> wasmtime::Result<Result<(), ()>> {
    store.run_concurrent(async |accessor| command.wasi_cli_run().call_run(accessor).await).await?
}
