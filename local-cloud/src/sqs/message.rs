//! A message: its body, its attributes, and the checksums that SDKs compare.
//!
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

/// An attribute that a sender gives; binary values are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute {
    pub(crate) data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) string_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) binary_value: Option<String>,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    /// When it was sent, and first received, in milliseconds since the Unix epoch.
    pub(crate) sent: u64,
    pub(crate) first_received: Option<u64>,
    pub(crate) receives: u32,
    /// The handle of the last receive, by which it is deleted.
    pub(crate) receipt: Option<String>,
    pub(crate) visible: Instant,
}

impl Message {
    /// A message that can be received from `visible` on.
    pub(crate) fn new(
        body: String,
        attributes: BTreeMap<String, Attribute>,
        visible: Instant,
    ) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            body,
            attributes,
            sent: now(),
            first_received: None,
            receives: 0,
            receipt: None,
            visible,
        }
    }

    /// Hands it out, invisible to others until `visible`.
    pub(crate) fn receive(&mut self, visible: Instant) {
        self.receives += 1;
        self.first_received = self.first_received.or_else(|| Some(now()));
        self.receipt = Some(STANDARD.encode(format!("{} {}", self.id, Uuid::new_v4())));
        self.visible = visible;
    }

    /// What it has cost of the bound on a message's size, in bytes.
    pub(crate) fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            let value = attribute.string_value.as_ref().or(attribute.binary_value.as_ref());
            name.len() + attribute.data_type.len() + value.map_or(0, String::len)
        });
        self.body.len() + attributes.sum::<usize>()
    }

    /// The attributes that SQS itself gives.
    pub(crate) fn system_attributes(&self) -> Map<String, Value> {
        let all = [
            ("ApproximateReceiveCount", self.receives.to_string()),
            ("SentTimestamp", self.sent.to_string()),
            ("SenderId", "AIDALOCAL".to_owned()),
            (
                "ApproximateFirstReceiveTimestamp",
                self.first_received.unwrap_or(self.sent).to_string(),
            ),
        ];
        all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    /// The record of Lambda's event
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>).
    pub(crate) fn record(&self, queue_arn: &str, region: &str) -> Value {
        let attributes: Map<String, Value> = self
            .attributes
            .iter()
            .map(|(name, attribute)| {
                (
                    name.clone(),
                    json!({
                        "stringValue": attribute.string_value,
                        "binaryValue": attribute.binary_value,
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": attribute.data_type,
                    }),
                )
            })
            .map(|(name, value)| (name, without_nulls(value)))
            .collect();
        let mut record = json!({
            "messageId": self.id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": self.system_attributes(),
            "messageAttributes": attributes,
            "md5OfBody": self.body_md5(),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        });
        if let (Some(md5), Some(record)) = (self.attributes_md5(), record.as_object_mut()) {
            record.insert("md5OfMessageAttributes".to_owned(), md5.into());
        }
        record
    }

    pub(crate) fn body_md5(&self) -> String {
        hex(&Md5::digest(self.body.as_bytes()))
    }

    /// Over the attributes in the order of their names; `None` without any.
    pub(crate) fn attributes_md5(&self) -> Option<String> {
        if self.attributes.is_empty() {
            return None;
        }
        let mut md5 = Md5::new();
        for (name, attribute) in &self.attributes {
            update(&mut md5, name.as_bytes());
            update(&mut md5, attribute.data_type.as_bytes());
            let binary =
                attribute.binary_value.as_ref().and_then(|text| STANDARD.decode(text).ok());
            let text = attribute.string_value.as_deref().unwrap_or_default();
            // The kind of transport: 1 for text, 2 for bytes.
            md5.update([if binary.is_some() { 2 } else { 1 }]);
            update(&mut md5, binary.as_deref().unwrap_or(text.as_bytes()));
        }
        Some(hex(&md5.finalize()))
    }
}

/// Adds a part, its length before it.
fn update(md5: &mut Md5, part: &[u8]) {
    md5.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(part);
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
