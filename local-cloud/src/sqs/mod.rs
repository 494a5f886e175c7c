//! The local SQS: standard queues in memory, for its clients and for the triggers of an app.
//!
//! `api` answers SDKs, `attributes` is how they set a queue, `message` what it holds; `mapping` invokes a function with what arrives,
//! `destination` takes what Lambda tells of invocations. Rules:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html>.

mod api;
mod attributes;
mod destination;
mod mapping;
mod message;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use api::TARGET;
pub use mapping::{BatchAnswer, Invoke, Invoked, Mapping, to_function};
pub(crate) use message::{Attribute, Message};

use crate::ACCOUNT_ID;

/// The largest message, its attributes included, in bytes
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>).
const MAX_MESSAGE: usize = 1024 * 1024;

/// The most messages that one call receives; the same page.
pub const MAX_RECEIVED: usize = 10;

/// All queues. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queues {
    region: Arc<str>,
    state: Arc<Mutex<BTreeMap<String, Queue>>>,
    arrived: Arc<Notify>,
}

/// What a queue is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a message that was received stays hidden from others.
    pub visibility_timeout: Duration,
    /// How long a message that was sent waits before it can be received.
    pub delay: Duration,
    /// How long a receive waits for a message when it does not say.
    pub receive_wait: Duration,
    /// The queue that takes a message which was received too often, and how often that is.
    pub redrive: Option<(String, u32)>,
}

#[derive(Debug, Default)]
struct Queue {
    settings: QueueSettings,
    messages: VecDeque<Message>,
}

/// Why a call of a queue is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// There is no queue of the name.
    #[error("the specified queue does not exist")]
    Missing,
    /// The message has more bytes than SQS takes.
    #[error(
        "one or more parameters are invalid: the message has {0} bytes, and 1048576 are the most"
    )]
    TooLarge(usize),
    /// The message can be received by anyone already.
    #[error("the message referred to is not in flight")]
    NotInFlight,
    /// No message has the handle.
    #[error("the input receipt handle is invalid")]
    Handle,
}

/// The record of Lambda's event for one message that was sent and received just now.
pub fn record(body: &str, queue_arn: &str, region: &str) -> serde_json::Value {
    let now = Instant::now();
    let mut message = Message::new(body.to_owned(), BTreeMap::new(), now);
    message.receive(now);
    message.record(queue_arn, region)
}

impl Default for QueueSettings {
    /// As SQS sets a queue when nothing is said.
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            receive_wait: Duration::ZERO,
            redrive: None,
        }
    }
}

impl Queues {
    /// No queues.
    pub fn new(region: &str) -> Self {
        Self { region: region.into(), state: Arc::default(), arrived: Arc::default() }
    }

    /// Creates a queue, or sets the one that is there; its messages stay.
    pub fn set(&self, name: &str, settings: QueueSettings) {
        self.lock().entry(name.to_owned()).or_default().settings = settings;
        self.arrived.notify_waiters();
    }

    /// Creates a queue, unless it is there.
    pub(crate) fn provide(&self, name: &str) {
        self.lock().entry(name.to_owned()).or_default();
    }

    /// Whether there is a queue of the name.
    fn has(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    /// A queue's ARN.
    pub fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{ACCOUNT_ID}:{name}", self.region)
    }

    fn send(
        &self,
        name: &str,
        (body, attributes): (String, BTreeMap<String, Attribute>),
        delay: Option<Duration>,
    ) -> Result<Message, QueueError> {
        let mut state = self.lock();
        let queue = state.get_mut(name).ok_or(QueueError::Missing)?;
        let visible = Instant::now() + delay.unwrap_or(queue.settings.delay);
        let message = Message::new(body, attributes, visible);
        if message.size() > MAX_MESSAGE {
            return Err(QueueError::TooLarge(message.size()));
        }
        queue.messages.push_back(message.clone());
        drop(state);
        self.arrived.notify_waiters();
        Ok(message)
    }

    /// Receives at most `count` messages, as soon as there is one, and none after `wait`.
    async fn receive(
        &self,
        name: &str,
        count: usize,
        (wait, hidden): (Option<Duration>, Option<Duration>),
    ) -> Result<Vec<Message>, QueueError> {
        let begun = Instant::now();
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // From here on no arrival is missed.
            arrived.as_mut().enable();
            let (received, next, usual) = self.take(name, count, hidden)?;
            let deadline = begun + wait.unwrap_or(usual);
            if !received.is_empty() || Instant::now() >= deadline {
                return Ok(received);
            }
            let until = next.map_or(deadline, |next| next.min(deadline));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// What can be received now, when the next one can be, and how long the queue's own receives wait. What was received
    /// too often goes to the dead letters instead.
    fn take(
        &self,
        name: &str,
        count: usize,
        hidden: Option<Duration>,
    ) -> Result<(Vec<Message>, Option<Instant>, Duration), QueueError> {
        let mut state = self.lock();
        // Without its dead letters' queue a queue keeps what it has.
        let has: BTreeSet<String> = state.keys().cloned().collect();
        let queue = state.get_mut(name).ok_or(QueueError::Missing)?;
        let (now, settings) = (Instant::now(), queue.settings.clone());
        let hidden_until = now + hidden.unwrap_or(settings.visibility_timeout);
        let redrive = settings.redrive.filter(|(target, _)| has.contains(target));
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        let mut left = VecDeque::new();
        for mut message in std::mem::take(&mut queue.messages) {
            if message.visible > now || received.len() == count {
                left.push_back(message);
            } else if redrive.as_ref().is_some_and(|(_, most)| message.receives >= *most) {
                message.receipt = None;
                dead.push(message);
            } else {
                message.receive(hidden_until);
                received.push(message.clone());
                left.push_back(message);
            }
        }
        let next = left.iter().map(|message| message.visible).filter(|time| *time > now).min();
        queue.messages = left;
        let target = redrive.and_then(|(name, _)| state.get_mut(&name));
        if let (Some(target), false) = (target, dead.is_empty()) {
            target.messages.extend(dead);
            self.arrived.notify_waiters();
        }
        Ok((received, next, settings.receive_wait))
    }

    /// Deletes the message of the handle; one that is gone already is deleted too.
    fn delete(&self, name: &str, receipt: &str) -> Result<(), QueueError> {
        let mut state = self.lock();
        let queue = state.get_mut(name).ok_or(QueueError::Missing)?;
        queue.messages.retain(|message| message.receipt.as_deref() != Some(receipt));
        Ok(())
    }

    /// Hides the message of the handle for so long from now.
    fn hide(&self, name: &str, receipt: &str, hidden: Duration) -> Result<(), QueueError> {
        let mut state = self.lock();
        let queue = state.get_mut(name).ok_or(QueueError::Missing)?;
        let mut messages = queue.messages.iter_mut();
        let found = messages.find(|message| message.receipt.as_deref() == Some(receipt));
        let (found, now) = (found.ok_or(QueueError::Handle)?, Instant::now());
        if found.visible <= now {
            return Err(QueueError::NotInFlight);
        }
        found.visible = now + hidden;
        drop(state);
        self.arrived.notify_waiters();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
