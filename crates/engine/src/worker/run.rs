//! The task of an instance that lives on: takes calls in, waits for them, and ends when it is told to or has to.

use super::Job;
use super::call::{self, Begun, End};
use super::calls::{self, CallId};
use crate::error::DeadlineReached;
use crate::instance::Instance;
use crate::session::Session;
use crate::state::{State, Stdout};
use crate::ticker::Running;
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout_at};
use wasmtime::component::Accessor;

/// Runs a worker from its first call to its end. Calls that it has not begun by then go to others.
pub(super) async fn run(
    first: Job,
    mut inbox: mpsc::UnboundedReceiver<Job>,
    computing: Arc<AtomicBool>,
) {
    // A panic in a host function ends this instance and nothing else: whoever is under way in it finds its reply dropped.
    let served = AssertUnwindSafe(serve(first, &mut inbox, &computing)).catch_unwind().await;
    inbox.close();
    drop(served);
    while let Ok(job) = inbox.try_recv() {
        job.place_again();
    }
}

async fn serve(mut first: Job, inbox: &mut mpsc::UnboundedReceiver<Job>, computing: &AtomicBool) {
    let component = Arc::clone(&first.component.0);
    let mut session = match Session::open(&component, &mut first.caller.invocation, Stdout::Lines) {
        Ok(session) => session,
        Err(error) => {
            inbox.close();
            return first.refuse(error);
        }
    };
    let made = timeout_at(session.deadline(), Instance::make(&component, &mut session)).await;
    drop(component);
    let instance = match session.close(made) {
        Ok((instance, _)) => instance,
        Err(error) => {
            inbox.close();
            return first.refuse(error);
        }
    };
    let instantiate = session.instantiate_time();
    let (busy, until) = watch::channel(Some(first.caller.invocation.deadline));
    let running = session.take_running();
    let outcome = {
        let working = session.store.run_concurrent(async |accessor| {
            let mut desk = Desk {
                accessor,
                instance: &instance,
                inbox,
                calls: FuturesUnordered::new(),
                finishing: Vec::new(),
                busy,
                running,
            };
            desk.accept(first, instantiate)?;
            poll_fn(|cx| desk.poll(cx)).await
        });
        let mut working = pin!(working);
        let working = poll_fn(|cx| {
            computing.store(true, Ordering::Relaxed);
            let polled = working.as_mut().poll(cx);
            computing.store(false, Ordering::Relaxed);
            polled
        });
        tokio::select! {
            biased;
            outcome = working => outcome.and_then(|outcome| outcome),
            () = overdue(until) => Err(wasmtime::Error::new(DeadlineReached)),
        }
    };
    inbox.close();
    if let Err(error) = outcome {
        calls::fail(&mut session, &error);
    }
}

/// Ends when the last deadline of what is under way is over.
async fn overdue(mut until: watch::Receiver<Option<Instant>>) {
    loop {
        let deadline = *until.borrow_and_update();
        let changed = until.changed();
        let is_known = match deadline {
            None => changed.await,
            Some(deadline) => tokio::select! {
                changed = changed => changed,
                () = sleep_until(deadline.into()) => return,
            },
        };
        if is_known.is_err() {
            return std::future::pending().await;
        }
    }
}

/// What a worker has in hand.
struct Desk<'a> {
    accessor: &'a Accessor<State>,
    instance: &'a Instance,
    inbox: &'a mut mpsc::UnboundedReceiver<Job>,
    calls: FuturesUnordered<BoxFuture<'a, wasmtime::Result<End>>>,
    /// Answered calls whose guest may still work.
    finishing: Vec<CallId>,
    /// The last deadline of what is under way; none while nothing is.
    busy: watch::Sender<Option<Instant>>,
    /// Lets the guest look at the clock while anything is under way.
    running: Option<Running>,
}

impl Desk<'_> {
    fn accept(&mut self, job: Job, instantiate: Duration) -> wasmtime::Result<()> {
        let shared = &job.component.0.shared;
        if self.running.is_none() {
            self.running = Some(shared.ticker.run(&shared.engine)?);
        }
        let deadline = job.caller.invocation.deadline;
        self.busy.send_modify(|until| *until = (*until).max(Some(deadline)));
        let begun: (CallId, Begun) = call::begin(self.accessor, self.instance, job, instantiate)?;
        self.calls.push(call::end(self.accessor, self.instance, begun).boxed());
        Ok(())
    }

    /// Goes on until the worker has nothing more to wait for.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<wasmtime::Result<()>> {
        loop {
            // First what is under way: a call that was given up closes the inbox before another is taken out of it.
            match self.calls.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(end))) => {
                    match end {
                        End::Answered => {}
                        End::Finishing(call) => self.finishing.push(call),
                        End::GivenUp => self.inbox.close(),
                    }
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) | Poll::Pending => {}
            }
            match self.poll_inbox(cx) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                nothing => {
                    let is_over = self.settle(cx) && nothing.is_ready();
                    return if is_over { Poll::Ready(Ok(())) } else { Poll::Pending };
                }
            }
        }
    }

    /// Takes a call in; what is left in a closed inbox goes elsewhere.
    fn poll_inbox(&mut self, cx: &mut Context<'_>) -> Poll<Option<wasmtime::Result<()>>> {
        self.inbox.poll_recv(cx).map(|job| {
            let job = job?;
            if self.inbox.is_closed() {
                job.place_again();
                return Some(Ok(()));
            }
            if job.is_given_up() {
                return Some(Ok(()));
            }
            Some(self.accept(job, Duration::ZERO))
        })
    }

    /// Ends the calls whose guest has come to rest, and says whether nothing is under way any more. Work that goes on after
    /// an answer counts to the last call.
    fn settle(&mut self, cx: &mut Context<'_>) -> bool {
        let is_at_rest =
            self.calls.is_empty() && self.accessor.poll_no_interesting_tasks(cx).is_ready();
        if is_at_rest || !self.calls.is_empty() {
            for call in self.finishing.drain(..) {
                self.accessor.with(|mut access| access.get().answer(call, Ok(String::new())));
            }
        }
        if is_at_rest {
            self.running = None;
            self.busy.send_if_modified(|until| until.take().is_some());
        }
        is_at_rest
    }
}
