//! The calls of SQS's clients, in JSON 1.0
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attributes::{MAX_DELAY, MAX_HIDDEN, MAX_WAIT};
use super::{Attribute, MAX_RECEIVED, Message, QueueError, Queues};
use crate::ACCOUNT_ID;
use crate::http_server::{AwsReply, whole};

/// How the header `X-Amz-Target` of these calls begins.
pub(crate) const TARGET: &str = "AmazonSQS.";

/// The largest request, in bytes: a batch has at most as much as one message may have, and JSON around it.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Name and message of an error.
#[derive(Debug)]
pub(super) struct Refused(pub(super) &'static str, pub(super) String);

pub(super) type Answer = Result<Value, Refused>;

/// The parameters of all calls; each has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Asked {
    queue_url: Option<String>,
    pub(super) queue_name: Option<String>,
    queue_name_prefix: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) attribute_names: Vec<String>,
    message_system_attribute_names: Vec<String>,
    message_attribute_names: Vec<String>,
    message_body: Option<String>,
    message_attributes: BTreeMap<String, Attribute>,
    delay_seconds: Option<u64>,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    wait_time_seconds: Option<u64>,
    receipt_handle: Option<String>,
    entries: Vec<Entry>,
}

/// One of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    asked: Map<String, Value>,
}

impl Queues {
    /// Answers one call, named as in `X-Amz-Target`.
    pub(crate) async fn answer(&self, call: &str, request: Request<Incoming>) -> AwsReply {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let base = format!("http://{}/{ACCOUNT_ID}", host.unwrap_or("localhost"));
        let result = match Limited::new(request.into_body(), MAX_BODY).collect().await {
            Ok(body) => match serde_json::from_slice(&body.to_bytes()) {
                Ok(asked) => self.call(call, asked, &base).await,
                Err(error) => Err(Refused("SerializationException", error.to_string())),
            },
            Err(error) => Err(Refused("SerializationException", error.to_string())),
        };
        let (status, document, code) = match result {
            Ok(document) => (StatusCode::OK, document, None),
            Err(Refused(name, message)) => {
                let document =
                    json!({ "__type": format!("com.amazonaws.sqs#{name}"), "message": message });
                (StatusCode::BAD_REQUEST, document, Some(query_code(name)))
            }
        };
        let mut response = Response::new(whole(document.to_string()));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if let Some(code) =
            code.and_then(|code| HeaderValue::try_from(format!("{code};Sender")).ok())
        {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        response
    }

    async fn call(&self, call: &str, asked: Asked, base: &str) -> Answer {
        match call {
            "CreateQueue" => self.create(&asked, base),
            "GetQueueUrl" => {
                let name = asked.queue_name.as_deref().unwrap_or_default();
                self.lock().get(name).ok_or(QueueError::Missing)?;
                Ok(json!({ "QueueUrl": format!("{base}/{name}") }))
            }
            "ListQueues" => {
                let prefix = asked.queue_name_prefix.unwrap_or_default();
                let state = self.lock();
                let names = state.keys().filter(|name| name.starts_with(&prefix));
                Ok(
                    json!({ "QueueUrls": names.map(|name| format!("{base}/{name}")).collect::<Vec<_>>() }),
                )
            }
            "GetQueueAttributes" => self.attributes(&asked),
            "SetQueueAttributes" => self.change(&asked),
            "DeleteQueue" => {
                self.lock().remove(asked.queue()?).ok_or(QueueError::Missing)?;
                Ok(json!({}))
            }
            "PurgeQueue" => {
                let mut state = self.lock();
                state.get_mut(asked.queue()?).ok_or(QueueError::Missing)?.messages.clear();
                Ok(json!({}))
            }
            "SendMessage" => self.send_one(asked),
            "ReceiveMessage" => self.receive_some(&asked).await,
            "DeleteMessage" => self.delete_one(&asked),
            "ChangeMessageVisibility" => self.hide_one(&asked),
            "SendMessageBatch" => batch(asked, |one| self.send_one(one)),
            "DeleteMessageBatch" => batch(asked, |one| self.delete_one(&one)),
            "ChangeMessageVisibilityBatch" => batch(asked, |one| self.hide_one(&one)),
            other => Err(Refused(
                "UnknownOperationException",
                format!("the local cloud has no call {other} of SQS"),
            )),
        }
    }

    fn send_one(&self, asked: Asked) -> Answer {
        let name = asked.queue()?.to_owned();
        let body = asked.message_body.unwrap_or_default();
        if body.is_empty() {
            return Err(Refused(
                "MissingParameter",
                "The request must contain the parameter MessageBody.".to_owned(),
            ));
        }
        let delay = within("DelaySeconds", asked.delay_seconds, MAX_DELAY)?;
        let message = self.send(&name, (body, asked.message_attributes), delay)?;
        let mut sent = json!({ "MessageId": message.id, "MD5OfMessageBody": message.body_md5() });
        if let (Some(md5), Some(sent)) = (message.attributes_md5(), sent.as_object_mut()) {
            sent.insert("MD5OfMessageAttributes".to_owned(), md5.into());
        }
        Ok(sent)
    }

    async fn receive_some(&self, asked: &Asked) -> Answer {
        let count = asked.max_number_of_messages.unwrap_or(1);
        if !(1..=MAX_RECEIVED).contains(&count) {
            let message = format!(
                "Value {count} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
            );
            return Err(Refused("InvalidParameterValueException", message));
        }
        let wait = within("WaitTimeSeconds", asked.wait_time_seconds, MAX_WAIT)?;
        let hidden = within("VisibilityTimeout", asked.visibility_timeout, MAX_HIDDEN)?;
        let received = self.receive(asked.queue()?, count, (wait, hidden)).await?;
        let messages: Vec<_> = received.iter().map(|message| asked.shown(message)).collect();
        // SQS leaves the member out when there is none.
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    fn delete_one(&self, asked: &Asked) -> Answer {
        self.delete(asked.queue()?, asked.receipt_handle.as_deref().unwrap_or_default())?;
        Ok(json!({}))
    }

    fn hide_one(&self, asked: &Asked) -> Answer {
        let hidden = within("VisibilityTimeout", asked.visibility_timeout, MAX_HIDDEN)?;
        let hidden = hidden.unwrap_or_default();
        self.hide(asked.queue()?, asked.receipt_handle.as_deref().unwrap_or_default(), hidden)?;
        Ok(json!({}))
    }
}

impl Asked {
    /// The queue's name, which its URL ends with.
    pub(super) fn queue(&self) -> Result<&str, QueueError> {
        let url = self.queue_url.as_deref().ok_or(QueueError::Missing)?;
        url.rsplit('/').next().ok_or(QueueError::Missing)
    }

    /// A message as the client wants to see it.
    fn shown(&self, message: &Message) -> Value {
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": message.body_md5(),
            "Body": message.body,
        });
        let names: Vec<String> = self
            .attribute_names
            .iter()
            .chain(&self.message_system_attribute_names)
            .cloned()
            .collect();
        let mut system = message.system_attributes();
        system.retain(|name, _| is_asked(&names, name));
        let mut own = message.clone();
        own.attributes.retain(|name, _| is_asked(&self.message_attribute_names, name));
        if let Some(members) = shown.as_object_mut() {
            if !system.is_empty() {
                members.insert("Attributes".to_owned(), system.into());
            }
            if let Some(md5) = own.attributes_md5() {
                members.insert("MD5OfMessageAttributes".to_owned(), md5.into());
                members.insert("MessageAttributes".to_owned(), json!(own.attributes));
            }
        }
        shown
    }
}

/// Whether one of `names` is the attribute's, or a pattern for it: `All`, `.*`, `prefix.*`.
pub(super) fn is_asked(names: &[String], name: &str) -> bool {
    names.iter().any(|asked| match asked.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => asked == "All" || asked == name,
    })
}

/// A number of seconds within SQS's bound.
fn within(name: &str, seconds: Option<u64>, most: u64) -> Result<Option<Duration>, Refused> {
    match seconds {
        Some(given) if given > most => {
            let message = format!(
                "Value {given} for parameter {name} is invalid. Reason: Must be between 0 and {most}, if provided."
            );
            Err(Refused("InvalidParameterValueException", message))
        }
        given => Ok(given.map(Duration::from_secs)),
    }
}

/// Calls with each of the entries for the queue, and tells which were taken.
fn batch(asked: Asked, one: impl Fn(Asked) -> Answer) -> Answer {
    if asked.entries.is_empty() {
        let message = "There should be at least one entry in the request.";
        return Err(Refused("EmptyBatchRequest", message.to_owned()));
    }
    if asked.entries.len() > MAX_RECEIVED {
        let message = format!(
            "Maximum number of entries per request are 10. You have sent {}.",
            asked.entries.len()
        );
        return Err(Refused("TooManyEntriesInBatchRequest", message));
    }
    let ids: BTreeSet<&str> = asked.entries.iter().map(|entry| entry.id.as_str()).collect();
    if ids.len() < asked.entries.len() {
        let message = "Two or more batch entries in the request have the same Id.";
        return Err(Refused("BatchEntryIdsNotDistinct", message.to_owned()));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in asked.entries {
        let given: Result<Asked, _> = serde_json::from_value(entry.asked.into());
        let outcome =
            given.map_err(|error| Refused("InvalidParameterValueException", error.to_string()));
        let outcome =
            outcome.and_then(|given| one(Asked { queue_url: asked.queue_url.clone(), ..given }));
        match outcome {
            Ok(mut answer) => {
                if let Some(members) = answer.as_object_mut() {
                    members.insert("Id".to_owned(), entry.id.into());
                }
                successful.push(answer);
            }
            // A queue that is not there fails the whole call.
            Err(refused @ Refused("QueueDoesNotExist", _)) => return Err(refused),
            Err(Refused(name, message)) => {
                failed.push(json!({ "Id": entry.id, "SenderFault": true, "Code": name, "Message": message }));
            }
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// What clients of the older protocol call an error; SDKs still read it.
fn query_code(name: &str) -> &str {
    match name {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "QueueNameExists" => "QueueAlreadyExists",
        "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "MessageNotInflight" => "AWS.SimpleQueueService.MessageNotInflight",
        "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
        "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation",
        "InvalidParameterValueException" => "InvalidParameterValue",
        other => other,
    }
}

impl From<QueueError> for Refused {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Missing => {
                Self("QueueDoesNotExist", "The specified queue does not exist.".to_owned())
            }
            QueueError::TooLarge(size) => Self(
                "InvalidParameterValueException",
                format!(
                    "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes, and it has {size}."
                ),
            ),
            QueueError::NotInFlight => {
                Self("MessageNotInflight", "The specified message isn't in flight.".to_owned())
            }
            QueueError::Handle => {
                Self("ReceiptHandleIsInvalid", "The input receipt handle is invalid.".to_owned())
            }
        }
    }
}
