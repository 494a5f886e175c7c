//! Where exactly an event comes from: the bucket, queue, rule, topic, table or stream in it, and the trigger for that.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{First, Text};
use crate::encoding::decode_query;
use crate::manifest::{Trigger, TriggerKind};

/// The members of an event that tell its origin.
#[derive(Debug, Deserialize)]
struct Told<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<Text<'a>>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    resources: Option<Vec<Text<'a>>>,
}

/// The same of a record.
#[derive(Debug, Default, Deserialize)]
struct Record<'a> {
    #[serde(borrow, rename = "eventSource", alias = "EventSource")]
    source: Option<Text<'a>>,
    #[serde(borrow, rename = "eventSourceARN")]
    source_arn: Option<Text<'a>>,
    #[serde(borrow, rename = "eventName")]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    s3: Option<S3<'a>>,
    #[serde(borrow, rename = "Sns")]
    sns: Option<Sns<'a>>,
}

#[derive(Debug, Deserialize)]
struct S3<'a> {
    #[serde(borrow)]
    bucket: Bucket<'a>,
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Debug, Deserialize)]
struct Bucket<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    key: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct Sns<'a> {
    #[serde(borrow, rename = "TopicArn")]
    topic: Text<'a>,
}

/// The first of `triggers` that takes the event; a batch comes from one origin, which its first record tells.
pub fn trigger<'a>(triggers: &'a [Trigger], event: &[u8]) -> Option<&'a Trigger> {
    if triggers.is_empty() {
        return None;
    }
    let told: Told<'_> = serde_json::from_slice(event).ok()?;
    let record = told
        .records
        .and_then(|records| serde_json::from_str::<First<Record<'_>>>(records.get()).ok());
    let record = record.and_then(|First(record)| record).unwrap_or_default();
    triggers.iter().find(|trigger| takes(trigger, &told, &record))
}

fn takes(trigger: &Trigger, told: &Told<'_>, record: &Record<'_>) -> bool {
    let is_of = |service: &str| record.source.as_ref().is_some_and(|source| source.0 == service);
    let arn = || record.source_arn.as_ref().map_or("", |arn| &*arn.0);
    match trigger.kind {
        TriggerKind::S3 => is_of("aws:s3") && takes_object(trigger, record),
        TriggerKind::Sqs => {
            is_of("aws:sqs") && is_named(trigger.queue.as_ref(), arn(), last(arn(), ':'))
        }
        TriggerKind::Sns => {
            let topic = record.sns.as_ref().map_or("", |sns| &*sns.topic.0);
            is_of("aws:sns") && is_named(trigger.topic.as_ref(), topic, last(topic, ':'))
        }
        // `arn:aws:dynamodb:region:account:table/name/stream/time`
        TriggerKind::DynamoDb => {
            let table = arn().split('/').nth(1).unwrap_or_default();
            is_of("aws:dynamodb") && is_named(trigger.table.as_ref(), arn(), table)
        }
        TriggerKind::Kinesis => {
            is_of("aws:kinesis") && is_named(trigger.stream.as_ref(), arn(), last(arn(), '/'))
        }
        TriggerKind::Schedule => {
            let source = told.source.as_ref().map_or("", |source| &*source.0);
            let kind = told.detail_type.as_ref().map_or("", |kind| &*kind.0);
            matches!(source, "aws.events" | "aws.scheduler")
                && kind == "Scheduled Event"
                && takes_rule(trigger, told)
        }
        TriggerKind::EventBridge => {
            let is = |wanted: Option<&String>, found: Option<&Text<'_>>| match (wanted, found) {
                (None, found) => found.is_some(),
                (Some(wanted), found) => found.is_some_and(|found| found.0 == *wanted),
            };
            is(trigger.source.as_ref(), told.source.as_ref())
                && is(trigger.detail_type.as_ref(), told.detail_type.as_ref())
                && takes_rule(trigger, told)
        }
    }
}

fn takes_rule(trigger: &Trigger, told: &Told<'_>) -> bool {
    let resources = told.resources.as_deref().unwrap_or_default();
    trigger.rule.is_none()
        || resources.iter().any(|arn| is_named(trigger.rule.as_ref(), &arn.0, last(&arn.0, '/')))
}

fn takes_object(trigger: &Trigger, record: &Record<'_>) -> bool {
    let (Some(s3), Some(name)) = (&record.s3, &record.name) else { return false };
    takes_s3(trigger, (&s3.bucket.name.0, &name.0), &decode_query(&s3.object.key.0))
}

/// Whether a trigger of S3 takes the event `name` (without `s3:`) of the object `key`, not encoded, in `bucket`.
pub fn takes_s3(trigger: &Trigger, (bucket, name): (&str, &str), key: &str) -> bool {
    let is_wanted = |wanted: &str| {
        let wanted = wanted.strip_prefix("s3:").unwrap_or(wanted);
        wanted == name || wanted.strip_suffix('*').is_some_and(|start| name.starts_with(start))
    };
    trigger.kind == TriggerKind::S3
        && trigger.bucket.as_deref() == Some(bucket)
        && trigger.s3_events().any(is_wanted)
        && key.starts_with(trigger.prefix.as_deref().unwrap_or_default())
        && key.ends_with(trigger.suffix.as_deref().unwrap_or_default())
}

/// Whether `wanted` is the whole ARN or the name in it.
fn is_named(wanted: Option<&String>, arn: &str, name: &str) -> bool {
    wanted.is_some_and(|wanted| wanted == arn || wanted == name)
}

fn last(arn: &str, separator: char) -> &str {
    arn.rsplit(separator).next().unwrap_or_default()
}
