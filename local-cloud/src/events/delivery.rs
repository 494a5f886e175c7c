//! The one place where a source hands an event to a function, asynchronously.

use std::sync::Arc;

use bytes::Bytes;

use crate::lambda::{Function, InvokeOptions};

/// Takes an event on its way to a function, at once.
pub type Deliver = Arc<dyn Fn(Bytes) + Send + Sync>;

/// Queues each event for `function`, which retries as Lambda does; what fails for good is told by the function's own log and
/// its destination. An event that Lambda does not take at all (over 1 MiB) is lost, as AWS loses it.
pub fn to_function(function: Function) -> Deliver {
    Arc::new(move |event| drop(function.queue(event, InvokeOptions::default())))
}
