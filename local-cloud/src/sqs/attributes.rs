//! What a queue is set to, as clients write and read it
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::api::{Answer, Asked, Refused, is_asked};
use super::{MAX_MESSAGE, QueueError, QueueSettings, Queues};

/// The longest that a message is hidden, waits to be received, and is waited for, in seconds; the same page.
pub(super) const MAX_HIDDEN: u64 = 43_200;
pub(super) const MAX_DELAY: u64 = 900;
pub(super) const MAX_WAIT: u64 = 20;

impl Queues {
    /// Sets a queue that is there.
    pub(super) fn change(&self, asked: &Asked) -> Answer {
        let name = asked.queue()?;
        let before = self.lock().get(name).map(|queue| queue.settings.clone());
        let wanted = settings(before.ok_or(QueueError::Missing)?, &asked.attributes)?;
        self.check_redrive(&wanted)?;
        self.set(name, wanted);
        Ok(json!({}))
    }

    /// The queue of the dead letters must be there first.
    fn check_redrive(&self, settings: &QueueSettings) -> Result<(), Refused> {
        match &settings.redrive {
            Some((target, _)) if !self.has(target) => {
                let message = format!(
                    "Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist: {target}."
                );
                Err(Refused("InvalidParameterValueException", message))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn create(&self, asked: &Asked, base: &str) -> Answer {
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
        self.check_redrive(&wanted)?;
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

    pub(super) fn attributes(&self, asked: &Asked) -> Answer {
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
            ("MaximumMessageSize", MAX_MESSAGE.to_string()),
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
}

/// `before` with what the attributes say; those that change nothing here are taken and not kept.
pub(super) fn settings(
    before: QueueSettings,
    attributes: &BTreeMap<String, String>,
) -> Result<QueueSettings, Refused> {
    let mut settings = before;
    let invalid = |name: &str| {
        Refused("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
    };
    for (name, value) in attributes {
        let seconds = |most: u64| {
            let number = value.parse().ok().filter(|number| *number <= most);
            number.map(Duration::from_secs).ok_or_else(|| invalid(name))
        };
        match name.as_str() {
            "VisibilityTimeout" => settings.visibility_timeout = seconds(MAX_HIDDEN)?,
            "DelaySeconds" => settings.delay = seconds(MAX_DELAY)?,
            "ReceiveMessageWaitTimeSeconds" => settings.receive_wait = seconds(MAX_WAIT)?,
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
