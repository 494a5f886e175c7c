//! The calls that are under way in one instance: whose output a line is, when the guest must have ended, who is told what.

use super::{Caller, Outcome, Ticket};
use crate::answer::Failure;
use crate::error::{DeadlineReached, InvokeError};
use crate::invocation::{OutputSink, Usage};
use crate::session::Session;
use crate::state::State;
use crate::ticker::TICK;
use std::collections::BTreeMap;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::component::GuestTaskId;
use wasmtime::{AsContextMut as _, StoreContextMut};

/// Time after a call's deadline in which it may be given up alone, although its guest's code happens to run.
const GRACE: Duration = TICK.saturating_mul(2);

/// What is under way, the latest last. Empty in a store that serves one invocation at a time.
#[derive(Default)]
pub(crate) struct Calls {
    under_way: BTreeMap<CallId, UnderWay>,
    last: u64,
}

/// Tells the calls of one instance apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallId(u64);

struct UnderWay {
    reply: oneshot::Sender<Outcome>,
    ticket: Option<Ticket>,
    failure: Option<Failure>,
    output: OutputSink,
    output_of_several: Option<OutputSink>,
    deadline: Instant,
    started: Instant,
    /// Time to make the instance, for the call that it was made for.
    instantiate: Duration,
    task: Option<GuestTaskId>,
}

impl State {
    /// Notes a call that is about to be made.
    pub(super) fn enter(
        &mut self,
        (caller, failure): (Caller, Option<Failure>),
        instantiate: Duration,
    ) -> CallId {
        if self.calls.under_way.is_empty() {
            self.stdout.begin();
            self.stderr.begin();
        }
        self.deadline = self.deadline.max(caller.invocation.deadline);
        *self.capabilities() = caller.invocation.capabilities;
        self.calls.last += 1;
        let id = CallId(self.calls.last);
        let under_way = UnderWay {
            reply: caller.reply,
            ticket: caller.ticket,
            failure,
            output: caller.invocation.output,
            output_of_several: caller.invocation.output_of_several,
            deadline: caller.invocation.deadline,
            started: Instant::now(),
            instantiate,
            task: None,
        };
        self.calls.under_way.insert(id, under_way);
        self.direct_output();
        id
    }

    /// Notes the guest's task of a call.
    pub(super) fn begun(&mut self, id: CallId, task: GuestTaskId) {
        if let Some(call) = self.calls.under_way.get_mut(&id) {
            call.task = Some(task);
        }
    }

    /// Whether a call's caller waits no more.
    pub(super) fn poll_given_up(&mut self, id: CallId, cx: &mut Context<'_>) -> Poll<()> {
        match self.calls.under_way.get_mut(&id) {
            Some(call) => call.reply.poll_closed(cx),
            None => Poll::Ready(()),
        }
    }

    /// Forgets a call that was given up.
    pub(super) fn abandon(&mut self, id: CallId) {
        drop(self.leave(id));
    }

    /// Tells a call's caller what came of it.
    pub(super) fn answer(&mut self, id: CallId, answer: Result<String, InvokeError>) {
        let Some(call) = self.leave(id) else { return };
        let usage = Usage {
            instantiate: call.instantiate,
            guest: call.started.elapsed(),
            peak_memory_bytes: self.limiter.peak(),
        };
        if let Some(failure) = call.failure {
            failure.disarm();
        }
        // Counted out first: who has the answer finds the instance free.
        drop(call.ticket);
        let _gone = call.reply.send(answer.map(|answer| (answer, usage)));
    }

    fn leave(&mut self, id: CallId) -> Option<UnderWay> {
        let call = self.calls.under_way.remove(&id);
        if self.calls.under_way.is_empty() {
            self.flush_lines();
        }
        self.direct_output();
        call
    }

    /// Output is that of the only call, else of all of them.
    fn direct_output(&self) {
        let Some(latest) = self.calls.under_way.values().next_back() else { return };
        let several = latest.output_of_several.as_ref().filter(|_| self.calls.under_way.len() > 1);
        self.set_output(several.unwrap_or(&latest.output));
    }
}

impl Calls {
    fn of_task(&self, task: GuestTaskId) -> Option<CallId> {
        // The number of a task that has ended may be given again: the latest call has it.
        let mut latest = self.under_way.iter().rev();
        latest.find(|(_, call)| call.task == Some(task)).map(|(id, _)| *id)
    }
}

/// The call of the host's that the guest's code runs for.
fn running(store: &mut StoreContextMut<'_, State>) -> Option<GuestTaskId> {
    store.async_call_stack().ok()?.last()
}

/// When the guest's code that runs in this store must have ended.
pub(crate) fn deadline(store: &mut StoreContextMut<'_, State>) -> Instant {
    let latest = store.data().deadline;
    if store.data().calls.under_way.is_empty() {
        return latest;
    }
    let Some(task) = running(store) else { return latest };
    let calls = &store.data().calls;
    let call = calls.of_task(task).and_then(|id| calls.under_way.get(&id));
    call.map_or(latest, |call| call.deadline + GRACE)
}

/// Tells everyone who is left in an instance that ended by `error`.
pub(super) fn fail(session: &mut Session, error: &wasmtime::Error) {
    let culprit = running(&mut session.store.as_context_mut());
    let ended = Instant::now();
    session.store.data().flush_lines();
    let reason = session.explain(error, ended);
    let calls = std::mem::take(&mut session.store.data_mut().calls);
    let culprit = culprit.map(|task| calls.of_task(task));
    for (id, call) in calls.under_way {
        let error = if error.is::<DeadlineReached>() && call.deadline <= ended {
            InvokeError::Timeout { after: call.deadline.saturating_duration_since(call.started) }
        } else if culprit.is_none_or(|culprit| culprit == Some(id)) {
            reason.clone()
        } else {
            InvokeError::InstanceLost { reason: reason.to_string() }
        };
        drop((call.failure, call.ticket));
        let _gone = call.reply.send(Err(error));
    }
}
