//! Instances of WASI 0.3 that live on: each in a task of its own, which serves the calls that are sent to it, several at
//! once where the release allows it.
//!
//! A call that runs out of time or is given up ends alone, but closes its instance: nothing enters any more, and what is
//! under way comes to its end. A trap, an exit or a guest that computes beyond its deadline ends the instance at once;
//! the call that did it gets the reason, and the others in it [`InvokeError::InstanceLost`].

mod call;
mod calls;
mod run;

pub(crate) use calls::{Calls, deadline};

use crate::InvokeError;
use crate::call::Asked;
use crate::component::Component;
use crate::engine::Shared;
use crate::invocation::{Invocation, Usage};
use crate::kept::Life;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout_at;

/// What came of a call; the text is a function's answer.
pub(crate) type Outcome = Result<(String, Usage), InvokeError>;

/// How an instance is called.
pub(crate) enum Call {
    Function { event: String },
    Http(Box<Asked>),
}

/// One call on its way to an instance.
struct Job {
    component: Component,
    call: Call,
    caller: Caller,
}

/// Who makes a call.
struct Caller {
    invocation: Invocation,
    reply: oneshot::Sender<Outcome>,
    /// None until the call is placed.
    ticket: Option<Ticket>,
}

/// Calls a component of WASI 0.3 in an instance that lives on, which is the one there is, or a new one with this life.
pub(crate) async fn call(
    component: &Component,
    invocation: Invocation,
    (call, life): (Call, Life),
) -> Outcome {
    let started = Instant::now();
    let deadline = invocation.deadline;
    let (reply, outcome) = oneshot::channel();
    let caller = Caller { invocation, reply, ticket: None };
    place(Job { component: component.clone(), call, caller }, life);
    // The instance may be busy with another call's code when the time is over, so the clock is looked at here.
    match timeout_at(deadline.into(), outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(InvokeError::Host { message: "the instance's task is gone".to_owned() }),
        Err(_) => Err(InvokeError::Timeout { after: deadline.saturating_duration_since(started) }),
    }
}

/// Gives a call to a worker that may serve it, or to a new one.
fn place(mut job: Job, life: Life) {
    let shared = Arc::clone(&job.component.0.shared);
    while let Some(handle) = shared.kept.enter(job.component.0.id, &job.caller.invocation) {
        job.caller.ticket = Some(Ticket { shared: Arc::clone(&shared), handle: handle.clone() });
        match handle.jobs.send(job) {
            Ok(()) => return,
            // It has closed in the meantime.
            Err(mpsc::error::SendError(back)) => job = back,
        }
    }
    let (jobs, inbox) = mpsc::unbounded_channel();
    let handle = Handle { id: next_id(), jobs, computing: Arc::default() };
    let computing = Arc::clone(&handle.computing);
    shared.kept.employ(life, handle.clone());
    job.caller.ticket = Some(Ticket { shared, handle });
    tokio::spawn(run::run(job, inbox, computing));
}

fn next_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl Job {
    /// Places it anew; its first worker has closed before it was begun.
    fn place_again(mut self) {
        self.caller.ticket = None;
        if let Some(life) = Life::new(&self.component.0, &self.caller.invocation) {
            place(self, life);
        }
    }

    /// Whether its caller waits no more.
    fn is_given_up(&self) -> bool {
        self.caller.reply.is_closed()
    }

    fn refuse(self, error: InvokeError) {
        drop(self.caller.ticket);
        // A caller that is gone needs no answer.
        let _gone = self.caller.reply.send(Err(error));
    }
}

/// The way to a worker. A worker ends when nobody holds one, and nothing is under way.
#[derive(Clone)]
pub(crate) struct Handle {
    id: u64,
    jobs: mpsc::UnboundedSender<Job>,
    computing: Arc<AtomicBool>,
}

impl Handle {
    /// Whether it takes no more calls.
    pub(crate) fn is_gone(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Whether its guest's code runs at this moment.
    pub(crate) fn is_computing(&self) -> bool {
        self.computing.load(Ordering::Relaxed)
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Counts a call out when it is dropped.
struct Ticket {
    shared: Arc<Shared>,
    handle: Handle,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.kept.leave(&self.handle);
    }
}
