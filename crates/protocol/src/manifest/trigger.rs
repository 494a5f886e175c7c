//! `[[trigger]]`: which events of other services go to which component.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Parts, Places};
use super::problem::Problems;
use crate::name::nearest;

/// The S3 events of a trigger that names none.
pub const DEFAULT_S3_EVENTS: &str = "s3:ObjectCreated:*";

/// The keys of `sqs`.
const SQS: [&str; 6] = [
    "queue",
    "batch_size",
    "report_batch_item_failures",
    "visibility_timeout_seconds",
    "max_receives",
    "dead_letter_queue",
];

/// Events of one source, and the component that takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The kind of the source.
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    /// The name of the component that takes the events.
    pub component: String,
    /// Of `s3`: the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Of `s3`: the events, such as `s3:ObjectCreated:*` (when absent) or `s3:ObjectRemoved:Delete`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Of `s3`: what the object's key begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Of `s3`: what the object's key ends with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// Of `schedule`: `rate(5 minutes)` or `cron(0 18 ? * MON-FRI *)`, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Of `schedule` and `eventbridge`: the name or the ARN of the rule or schedule. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Of `eventbridge`: the event's `source`. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Of `eventbridge`: the event's `detail-type`. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// Of `sqs`: the queue's name or ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Of `sqs`: the most messages of a batch, 1 to 10; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub batch_size: Option<usize>,
    /// Of `sqs`: whether the component's answer names the messages that failed, in `batchItemFailures`. Otherwise an answer means
    /// that all are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_batch_item_failures: Option<bool>,
    /// Of `sqs`: how long a message that failed stays hidden before it comes again, in seconds; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 43200))]
    pub visibility_timeout_seconds: Option<u32>,
    /// Of `sqs`: how often a message is tried before it goes to the queue of dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_receives: Option<u32>,
    /// Of `sqs`: the name of the queue that takes what was tried too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<String>,
    /// Of `sns`: the topic's name or ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Of `dynamodb`: the table's name or the stream's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Of `kinesis`: the stream's name or ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// The service that sends a trigger's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// Objects that are created or deleted.
    S3,
    /// A rule of `EventBridge` or a schedule of its Scheduler.
    Schedule,
    /// Messages of a queue.
    Sqs,
    /// Messages of a topic.
    Sns,
    /// Events of a bus.
    EventBridge,
    /// Changes of a table.
    DynamoDb,
    /// Records of a stream.
    Kinesis,
}

impl TriggerKind {
    /// Its word in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Schedule => "schedule",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::EventBridge => "eventbridge",
            Self::DynamoDb => "dynamodb",
            Self::Kinesis => "kinesis",
        }
    }

    /// The keys of a trigger of this kind, those first that it needs, and how many it needs.
    const fn keys(self) -> (&'static [&'static str], usize) {
        match self {
            Self::S3 => (&["bucket", "events", "prefix", "suffix"], 1),
            Self::Schedule => (&["schedule", "rule"], 1),
            Self::Sqs => (&SQS, 1),
            Self::Sns => (&["topic"], 1),
            Self::EventBridge => (&["source", "detail_type", "rule"], 0),
            Self::DynamoDb => (&["table"], 1),
            Self::Kinesis => (&["stream"], 1),
        }
    }
}

impl Trigger {
    /// The S3 events that it takes.
    pub fn s3_events(&self) -> impl Iterator<Item = &str> {
        let default = self.events.is_empty().then_some(DEFAULT_S3_EVENTS);
        self.events.iter().map(String::as_str).chain(default)
    }

    /// The keys that are written, by name.
    fn written(&self) -> Vec<&'static str> {
        let keys = [
            ("bucket", self.bucket.is_some()),
            ("events", !self.events.is_empty()),
            ("prefix", self.prefix.is_some()),
            ("suffix", self.suffix.is_some()),
            ("schedule", self.schedule.is_some()),
            ("rule", self.rule.is_some()),
            ("source", self.source.is_some()),
            ("detail_type", self.detail_type.is_some()),
            ("queue", self.queue.is_some()),
            ("batch_size", self.batch_size.is_some()),
            ("report_batch_item_failures", self.report_batch_item_failures.is_some()),
            ("visibility_timeout_seconds", self.visibility_timeout_seconds.is_some()),
            ("max_receives", self.max_receives.is_some()),
            ("dead_letter_queue", self.dead_letter_queue.is_some()),
            ("topic", self.topic.is_some()),
            ("table", self.table.is_some()),
            ("stream", self.stream.is_some()),
        ];
        keys.into_iter().filter_map(|(key, is_written)| is_written.then_some(key)).collect()
    }
}

/// Each trigger has the keys of its kind and leads to a component.
pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    for (index, trigger) in &parts.triggers {
        let position = index.to_string();
        let mut report = |key: &str, message: String, hint: Option<String>| {
            problems.add(places.of(&["trigger", &position, key]), message, hint);
        };
        let kind = trigger.kind.as_str();
        if !parts.component_names.contains(&trigger.component) {
            let known = parts.component_names.iter().map(String::as_str);
            let hint =
                nearest(&trigger.component, known).map(|near| format!("did you mean `{near}`?"));
            report(
                "component",
                format!("a trigger leads to the unknown component `{}`", trigger.component),
                hint,
            );
        }
        let (written, (keys, needed)) = (trigger.written(), trigger.kind.keys());
        for key in keys.iter().take(needed).filter(|key| !written.contains(key)) {
            report("type", format!("a trigger of type `{kind}` needs `{key}`"), None);
        }
        for key in written.iter().filter(|key| !keys.contains(key)) {
            let hint = format!("its keys are `component`, {}", quoted(keys));
            report(key, format!("a trigger of type `{kind}` has no `{key}`"), Some(hint));
        }
        check_values(trigger, &mut report);
    }
}

fn check_values(trigger: &Trigger, report: &mut dyn FnMut(&str, String, Option<String>)) {
    for event in &trigger.events {
        if !event.starts_with("s3:") {
            let hint = format!(
                "write `{DEFAULT_S3_EVENTS}`, `s3:ObjectCreated:Put` or `s3:ObjectRemoved:*`"
            );
            report("events", format!("`{event}` is not an event of S3"), Some(hint));
        }
    }
    check_queue(trigger, report);
    if let Some(schedule) = &trigger.schedule
        && !is_schedule(schedule)
    {
        let hint = "write `rate(5 minutes)` or `cron(0 18 ? * MON-FRI *)`".to_owned();
        report("schedule", format!("`{schedule}` is not a schedule"), Some(hint));
    }
}

/// The bounds of SQS (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>).
fn check_queue(trigger: &Trigger, report: &mut dyn FnMut(&str, String, Option<String>)) {
    let numbers = [
        ("batch_size", trigger.batch_size, 1..=10),
        ("visibility_timeout_seconds", trigger.visibility_timeout_seconds.map(as_size), 0..=43_200),
        ("max_receives", trigger.max_receives.map(as_size), 1..=1000),
    ];
    for (key, number, range) in numbers {
        if let Some(number) = number.filter(|number| !range.contains(number)) {
            let hint = format!("it may be {} to {}", range.start(), range.end());
            report(key, format!("`{key}` cannot be {number}"), Some(hint));
        }
    }
    let (most, target) = (trigger.max_receives.is_some(), trigger.dead_letter_queue.is_some());
    if most != target {
        let (key, other) = if most {
            ("max_receives", "dead_letter_queue")
        } else {
            ("dead_letter_queue", "max_receives")
        };
        let hint = "`max_receives` says how often, `dead_letter_queue` where to".to_owned();
        report(key, format!("`{key}` needs `{other}`"), Some(hint));
    }
}

fn as_size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `rate(<count> <unit>)`, or `cron(<six fields>)` whose fields are read where it runs
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>).
fn is_schedule(text: &str) -> bool {
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(rate) = inside("rate") {
        return rate_of(rate).is_some();
    }
    inside("cron").is_some_and(|fields| fields.split_whitespace().count() == 6)
}

/// The minutes of what stands between the parentheses of `rate(5 minutes)`: one minute, and several minutes.
pub fn rate_of(text: &str) -> Option<u64> {
    let (count, unit) = text.trim().split_once(' ')?;
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    let minutes = match (unit.trim(), count) {
        ("minute", 1) | ("minutes", 2..) => 1,
        ("hour", 1) | ("hours", 2..) => 60,
        ("day", 1) | ("days", 2..) => 24 * 60,
        _ => return None,
    };
    count.checked_mul(minutes)
}

fn quoted(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
