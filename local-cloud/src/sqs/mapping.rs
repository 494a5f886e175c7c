//! An event source mapping: invokes a function with batches of a queue's messages, as Lambda's pollers do
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lambkin_protocol::manifest::Trigger;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{MAX_RECEIVED, Message, QueueSettings, Queues};
use crate::lambda::{Answer, Function, InvokeError, InvokeOptions};

/// How long a poll waits for messages.
const POLL: Duration = Duration::from_secs(20);

/// How long a poller rests when the function takes no more, before it asks again.
const REST: Duration = Duration::from_secs(1);

/// Invokes a function and waits: its payload, or `None` when it failed.
pub type Invoke = Arc<dyn Fn(Bytes) -> Pin<Box<dyn Future<Output = Invoked> + Send>> + Send + Sync>;

/// How an invocation by a poller ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invoked {
    /// The function answered with this payload.
    Answered(Bytes),
    /// It failed: its batch comes again.
    Failed,
    /// It was throttled: it was not called.
    Throttled,
}

/// What a mapping is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The queue's name.
    pub queue: String,
    /// The queue's ARN, as events tell it.
    pub arn: String,
    /// The most messages of a batch, 1 to 10.
    pub batch_size: usize,
    /// What the function's answer means.
    pub answer: BatchAnswer,
}

/// What a function's answer to a batch means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchAnswer {
    /// Nothing: the whole batch is done.
    Ignored,
    /// `batchItemFailures` names the messages that are not done: `ReportBatchItemFailures`.
    NamesFailures,
}

/// Invokes `function`, as its pollers do.
pub fn to_function(function: Function) -> Invoke {
    Arc::new(move |event| {
        let function = function.clone();
        Box::pin(async move {
            match function.invoke(event, InvokeOptions::default()).await {
                Ok(answer) => match answer.into_buffered().await {
                    Answer::Buffered(payload) => Invoked::Answered(payload),
                    Answer::Streaming(_) | Answer::FunctionError { .. } => Invoked::Failed,
                },
                Err(InvokeError::TooManyRequests { .. }) => Invoked::Throttled,
                Err(_) => Invoked::Failed,
            }
        })
    })
}

impl Mapping {
    /// The mapping of a trigger; its queue, and that of its dead letters, are there from now on, set as it says.
    pub(crate) fn of(trigger: &Trigger, queues: &Queues) -> Self {
        let name = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
        let queue = name(trigger.queue.as_deref().unwrap_or_default());
        let mut settings = QueueSettings::default();
        if let Some(seconds) = trigger.visibility_timeout_seconds {
            settings.visibility_timeout = Duration::from_secs(seconds.into());
        }
        if let Some(target) = &trigger.dead_letter_queue {
            queues.provide(&name(target));
            settings.redrive = trigger.max_receives.map(|most| (name(target), most));
        }
        queues.set(&queue, settings);
        let answer = match trigger.report_batch_item_failures {
            Some(true) => BatchAnswer::NamesFailures,
            _ => BatchAnswer::Ignored,
        };
        let named = trigger.queue.as_deref().filter(|name| name.starts_with("arn:"));
        let arn = named.map_or_else(|| queues.arn(&queue), str::to_owned);
        Self { queue, arn, batch_size: trigger.batch_size.unwrap_or(MAX_RECEIVED), answer }
    }

    /// Polls until it is to stop; a batch that is under way is ended first. A queue that is not there is asked for again.
    pub(crate) async fn run(self, queues: Queues, invoke: Invoke, stop: CancellationToken) {
        loop {
            let wait = (Some(POLL), None);
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = queues.receive(&self.queue, self.batch_size, wait) => received,
            };
            match received {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => self.invoke(&queues, &batch, &invoke).await,
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
    }

    async fn invoke(&self, queues: &Queues, batch: &[Message], invoke: &Invoke) {
        // An ARN has the region in its fourth part.
        let region = self.arn.split(':').nth(3).unwrap_or(&queues.region);
        let records: Vec<_> =
            batch.iter().map(|message| message.record(&self.arn, region)).collect();
        let event = json!({ "Records": records }).to_string();
        let failed = loop {
            match invoke(event.clone().into()).await {
                Invoked::Answered(payload) => break self.failed(&payload, batch),
                Invoked::Failed => break None,
                Invoked::Throttled => tokio::time::sleep(REST).await,
            }
        };
        // What is not deleted can be received again when its visibility timeout is over.
        let Some(failed) = failed else { return };
        for message in batch.iter().filter(|message| !failed.contains(&message.id)) {
            // A queue that is gone has no message either.
            let _ = queues.delete(&self.queue, message.receipt.as_deref().unwrap_or_default());
        }
    }

    /// The ids of the messages that failed by the function's word; `None` when all did, as an answer that cannot be read says.
    fn failed(&self, payload: &[u8], batch: &[Message]) -> Option<HashSet<String>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reported {
            batch_item_failures: Option<Vec<Failure>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Failure {
            item_identifier: String,
        }
        if self.answer == BatchAnswer::Ignored {
            return Some(HashSet::new());
        }
        // Nothing, `null` and `{}` are complete successes.
        if payload.is_empty() {
            return Some(HashSet::new());
        }
        let reported: Option<Reported> = serde_json::from_slice(payload).ok()?;
        let failures = reported.and_then(|reported| reported.batch_item_failures);
        let failed: HashSet<String> =
            failures.into_iter().flatten().map(|failure| failure.item_identifier).collect();
        let known = |id: &String| batch.iter().any(|message| message.id == *id);
        failed.iter().all(known).then_some(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tokio::time::Instant;

    #[track_caller]
    fn check(answer: &str, failed: Option<&[usize]>) {
        let mapping = Mapping {
            queue: "orders".to_owned(),
            arn: "arn:aws:sqs:us-east-1:000000000000:orders".to_owned(),
            batch_size: 10,
            answer: BatchAnswer::NamesFailures,
        };
        let message = || Message::new(String::new(), BTreeMap::new(), Instant::now());
        let batch = [message(), message()];
        let answer = answer.replace("FIRST", &batch[0].id);
        let expected: Option<HashSet<String>> =
            failed.map(|failed| failed.iter().map(|index| batch[*index].id.clone()).collect());
        assert_eq!(mapping.failed(answer.as_bytes(), &batch), expected, "{answer}");
    }

    #[test]
    fn an_answer_names_failures_or_fails_as_a_whole() {
        for success in
            ["", "null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#]
        {
            check(success, Some(&[]));
        }
        check(r#"{"batchItemFailures":[{"itemIdentifier":"FIRST"}]}"#, Some(&[0]));
        for failure in [
            r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"FIRST"}]}"#,
            "not JSON",
        ] {
            check(failure, None);
        }
    }
}
