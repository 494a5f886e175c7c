//! The calls of SQS's clients, in JSON 1.0
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>).

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Attribute, MAX_RECEIVED, Message, QueueError, QueueSettings, Queues};
use crate::ACCOUNT_ID;
use crate::http_server::{AwsReply, whole};

/// How the header `X-Amz-Target` of these calls begins.
pub(crate) const TARGET: &str = "AmazonSQS.";

/// The largest request, in bytes: a batch has at most as much as one message may have, and JSON around it.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Name and message of an error.
#[derive(Debug)]
struct Refused(&'static str, String);

type Answer = Result<Value, Refused>;

/// The parameters of all calls; each has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    queue_url: Option<String>,
    queue_name: Option<String>,
    queue_name_prefix: Option<String>,
    attributes: BTreeMap<String, String>,
    attribute_names: Vec<String>,
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
            "SetQueueAttributes" => {
                let mut state = self.lock();
                let queue = state.get_mut(asked.queue()?).ok_or(QueueError::Missing)?;
                queue.settings = settings(queue.settings.clone(), &asked.attributes)?;
                Ok(json!({}))
            }
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

    fn create(&self, asked: &Asked, base: &str) -> Answer {
        let name = asked.queue_name.as_deref().unwrap_or_default();
        if name.strip_suffix(".fifo").is_some() || asked.attributes.contains_key("FifoQueue") {
            let message = "the local cloud has standard queues only: leave out FifoQueue";
            return Err(Refused("UnsupportedOperation", message.to_owned()));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > 80 || !name.bytes().all(is_name) {
            let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(Refused("InvalidParameterValueException", message.to_owned()));
        }
        let wanted = settings(QueueSettings::default(), &asked.attributes)?;
        let there = self.lock().get(name).map(|queue| queue.settings.clone());
        match there {
            Some(there) if there != wanted && !asked.attributes.is_empty() => {
                let message = "A queue already exists with the same name and a different value for an attribute";
                return Err(Refused("QueueNameExists", message.to_owned()));
            }
            Some(_) => {}
            None => self.set(name, wanted),
        }
        Ok(json!({ "QueueUrl": format!("{base}/{name}") }))
    }

    fn attributes(&self, asked: &Asked) -> Answer {
        let state = self.lock();
        let name = asked.queue()?;
        let queue = state.get(name).ok_or(QueueError::Missing)?;
        let now = tokio::time::Instant::now();
        let (mut visible, mut hidden, mut delayed) = (0_usize, 0_usize, 0_usize);
        for message in &queue.messages {
            *match (message.visible > now, message.receives) {
                (false, _) => &mut visible,
                (true, 0) => &mut delayed,
                (true, _) => &mut hidden,
            } += 1;
        }
        let mut all = vec![
            ("QueueArn", self.arn(name)),
            ("ApproximateNumberOfMessages", visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", hidden.to_string()),
            ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
            ("VisibilityTimeout", queue.settings.visibility_timeout.as_secs().to_string()),
            ("DelaySeconds", queue.settings.delay.as_secs().to_string()),
            ("ReceiveMessageWaitTimeSeconds", queue.settings.receive_wait.as_secs().to_string()),
            ("MaximumMessageSize", super::MAX_MESSAGE.to_string()),
            ("MessageRetentionPeriod", "345600".to_owned()),
        ];
        if let Some((target, most)) = &queue.settings.redrive {
            let policy =
                json!({ "deadLetterTargetArn": self.arn(target), "maxReceiveCount": most });
            all.push(("RedrivePolicy", policy.to_string()));
        }
        let wanted = |name: &str| is_asked(&asked.attribute_names, name);
        let all = all.into_iter().filter(|(name, _)| wanted(name));
        let all: Map<String, Value> =
            all.map(|(name, value)| (name.to_owned(), value.into())).collect();
        Ok(json!({ "Attributes": all }))
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
        let delay = asked.delay_seconds.map(Duration::from_secs);
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
        let wait = asked.wait_time_seconds.map(|seconds| Duration::from_secs(seconds.min(20)));
        let hidden = asked.visibility_timeout.map(Duration::from_secs);
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
        let hidden = Duration::from_secs(asked.visibility_timeout.unwrap_or_default());
        self.hide(asked.queue()?, asked.receipt_handle.as_deref().unwrap_or_default(), hidden)?;
        Ok(json!({}))
    }
}

impl Asked {
    /// The queue's name, which its URL ends with.
    fn queue(&self) -> Result<&str, QueueError> {
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
fn is_asked(names: &[String], name: &str) -> bool {
    names.iter().any(|asked| match asked.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => asked == "All" || asked == name,
    })
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

/// `before` with what the attributes say; those that change nothing here are taken and not kept.
fn settings(
    before: QueueSettings,
    attributes: &BTreeMap<String, String>,
) -> Result<QueueSettings, Refused> {
    let mut settings = before;
    let invalid = |name: &str| {
        Refused("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
    };
    for (name, value) in attributes {
        let seconds = || value.parse().map(Duration::from_secs).map_err(|_| invalid(name));
        match name.as_str() {
            "VisibilityTimeout" => settings.visibility_timeout = seconds()?,
            "DelaySeconds" => settings.delay = seconds()?,
            "ReceiveMessageWaitTimeSeconds" => settings.receive_wait = seconds()?,
            "RedrivePolicy" if value.is_empty() => settings.redrive = None,
            "RedrivePolicy" => {
                settings.redrive = Some(redrive(value).ok_or_else(|| invalid(name))?);
            }
            "MessageRetentionPeriod"
            | "MaximumMessageSize"
            | "Policy"
            | "KmsMasterKeyId"
            | "KmsDataKeyReusePeriodSeconds"
            | "SqsManagedSseEnabled"
            | "RedriveAllowPolicy" => {}
            _ => return Err(Refused("InvalidAttributeName", format!("Unknown Attribute {name}."))),
        }
    }
    Ok(settings)
}

/// The queue of the dead letters and the most receives.
fn redrive(policy: &str) -> Option<(String, u32)> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let target = policy.get("deadLetterTargetArn")?.as_str()?.rsplit(':').next()?;
    let most = policy.get("maxReceiveCount")?;
    // SDKs send a number or a text.
    let most = most.as_u64().or_else(|| most.as_str()?.parse().ok())?;
    Some((target.to_owned(), u32::try_from(most).ok()?))
}

/// What clients of the older protocol call an error; SDKs still read it.
fn query_code(name: &str) -> &str {
    match name {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "QueueNameExists" => "QueueAlreadyExists",
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
            QueueError::Handle => {
                Self("ReceiptHandleIsInvalid", "The input receipt handle is invalid.".to_owned())
            }
        }
    }
}
