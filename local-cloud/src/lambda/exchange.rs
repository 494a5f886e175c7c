//! Who waits for what in one sandbox: polls for an event on one side, invocations for an answer on the other.
//!
//! It knows neither HTTP nor processes; `runtime_api` brings polls and answers, `invocation` brings events.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::{oneshot, watch};

use super::answer::Streaming;

/// An event on its way to the sandbox.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// `Lambda-Runtime-*`.
    pub(crate) headers: HeaderMap,
    pub(crate) event: Bytes,
}

/// An invocation that waits for its answer.
#[derive(Debug)]
pub(crate) struct Active {
    /// Sent with the event; an answer that names another is stale.
    pub(crate) invocation_id: String,
    pub(crate) outcome: oneshot::Sender<Outcome>,
}

/// What the sandbox had to say.
#[derive(Debug)]
pub(crate) enum Outcome {
    Payload(Bytes),
    /// An error that the runtime reported; its type, if it named one of the known form.
    Failed {
        error_type: String,
        payload: Bytes,
    },
    /// A payload beyond Lambda's limit.
    TooLarge {
        size: usize,
    },
    /// The answer has begun; the receiver tells how it ended.
    Streaming(Streaming, oneshot::Receiver<StreamEnd>),
    /// The runtime asked for a way to answer that does not exist.
    InvalidMode {
        mode: String,
    },
}

/// How a streamed answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    Complete,
    Failed { error_type: String },
    Truncated,
}

/// How far the sandbox's Init is.
#[derive(Debug, Clone)]
pub(crate) enum Init {
    Running,
    /// The first poll has come.
    Done {
        at: Instant,
    },
    /// The runtime reported an error.
    Failed {
        error_type: String,
        payload: Bytes,
    },
}

/// Why an answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such invocation, or it has its answer.
    UnknownRequest,
    /// The answer belongs to an earlier invocation of the same id.
    Stale,
}

/// No poll took an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotTaken;

/// A poll came before the answer that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unanswered;

/// Whether a poll was the sandbox's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poll {
    First,
    Later,
}

/// One sandbox's book of waiting polls and active invocations.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// How many invocations the sandbox takes at once.
    places: usize,
    state: Mutex<State>,
    init: watch::Sender<Init>,
}

#[derive(Debug, Default)]
struct State {
    polls: Vec<oneshot::Sender<Delivery>>,
    active: HashMap<String, Active>,
}

impl Exchange {
    pub(crate) fn new(places: usize) -> Self {
        Self { places, state: Mutex::default(), init: watch::Sender::new(Init::Running) }
    }

    /// A poll for the next event; refused as long as every place has an invocation without an answer.
    pub(crate) fn poll(&self) -> Result<(Poll, oneshot::Receiver<Delivery>), Unanswered> {
        let (deliver, delivery) = oneshot::channel();
        let mut state = self.lock();
        if state.active.len() >= self.places {
            return Err(Unanswered);
        }
        state.polls.push(deliver);
        drop(state);
        let first = self.init.send_if_modified(|init| {
            let running = matches!(init, Init::Running);
            if running {
                *init = Init::Done { at: Instant::now() };
            }
            running
        });
        Ok((if first { Poll::First } else { Poll::Later }, delivery))
    }

    /// Hands an event to a waiting poll.
    pub(crate) fn deliver(
        &self,
        request_id: &str,
        active: Active,
        delivery: Delivery,
    ) -> Result<(), NotTaken> {
        let mut state = self.lock();
        state.active.insert(request_id.to_owned(), active);
        let mut delivery = delivery;
        while let Some(poll) = state.polls.pop() {
            match poll.send(delivery) {
                Ok(()) => return Ok(()),
                Err(refused) => delivery = refused,
            }
        }
        state.active.remove(request_id);
        Err(NotTaken)
    }

    /// The invocation that an answer is for; each is answered once.
    pub(crate) fn take(
        &self,
        request_id: &str,
        invocation_id: Option<&str>,
    ) -> Result<Active, Refusal> {
        let mut state = self.lock();
        let active = state.active.get(request_id).ok_or(Refusal::UnknownRequest)?;
        if invocation_id.is_some_and(|id| id != active.invocation_id) {
            return Err(Refusal::Stale);
        }
        state.active.remove(request_id).ok_or(Refusal::UnknownRequest)
    }

    /// The invocation is over without an answer.
    pub(crate) fn forget(&self, request_id: &str) {
        self.lock().active.remove(request_id);
    }

    /// The runtime reported that its Init failed.
    pub(crate) fn fail_init(&self, error_type: String, payload: Bytes) {
        self.init.send_if_modified(|init| {
            let running = matches!(init, Init::Running);
            if running {
                *init = Init::Failed { error_type, payload };
            }
            running
        });
    }

    /// Waits until Init has ended one way or the other.
    pub(crate) async fn initialised(&self) -> Init {
        let mut init = self.init.subscribe();
        let ended = init.wait_for(|init| !matches!(init, Init::Running)).await;
        ended.map_or(Init::Running, |init| init.clone())
    }

    /// How far Init is now.
    pub(crate) fn init_so_far(&self) -> Init {
        self.init.borrow().clone()
    }

    /// Whether a poll waits for an event.
    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().polls.iter().any(|poll| !poll.is_closed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
