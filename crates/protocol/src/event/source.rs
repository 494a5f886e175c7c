//! Which service sent an event that is not an HTTP request, seen by the members only its events have.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use serde_json::value::RawValue;

use super::wire::{Envelope, First, Pairs, Raw, Text};

/// The service that sent an event, as one lower-case word: `s3`, `sqs`, `sns`, `events` (`EventBridge`), `dynamodb`,
/// `kinesis`, ... or `unknown`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(Cow<'static, str>);

/// Members that only one service's events have, the more telling first.
const MARKS: [(&str, &str); 34] = [
    (crate::job::MARK, JOB),
    ("methodArn", AUTHORIZER),
    ("routeArn", AUTHORIZER),
    ("authorizationToken", AUTHORIZER),
    ("protocolData", "iot"),
    ("detail-type", "eventbridge"),
    ("awslogs", "logs"),
    ("alarmArn", "cloudwatch-alarm"),
    ("triggerSource", "cognito"),
    ("datasetRecords", "cognito-sync"),
    ("deliveryStreamArn", "firehose"),
    ("CodePipeline.job", "codepipeline"),
    ("LifecycleEventHookExecutionId", "codedeploy"),
    ("RequestType", "cloudformation"),
    ("configRuleId", "config"),
    ("currentIntent", "lex"),
    ("sessionState", "lex"),
    ("agent", "bedrock-agent"),
    ("deviceEvent", "iot-1-click"),
    ("clickType", "iot-button"),
    ("getObjectContext", "s3-object-lambda"),
    ("headObjectContext", "s3-object-lambda"),
    ("listObjectsContext", "s3-object-lambda"),
    ("listObjectsV2Context", "s3-object-lambda"),
    ("SecretId", "secretsmanager"),
    ("connection-id", "clientvpn"),
    ("is_base64_encoded", VPC_LATTICE),
    ("TopicArn", "sns"),
    ("Details", "connect"),
    ("stash", "appsync"),
    ("operation", "appsync"),
    ("rmqMessagesByQueue", "rmq"),
    ("userIdentity", "cloudtrail"),
    ("bootstrapServers", "kafka"),
];
const AUTHORIZER: &str = "authorizer";
const JOB: &str = "job";
const WEBSOCKET: &str = "websocket";
const VPC_LATTICE: &str = "vpc-lattice";
const UNKNOWN: &str = "unknown";

/// What was seen at the top level of an event that may tell its sender.
#[derive(Debug, Default)]
pub(super) struct Marks<'a> {
    /// The place in [`MARKS`] of the most telling member.
    best: Option<usize>,
    records: Raw<'a>,
    event_source: Raw<'a>,
    /// The `Event` member of the message S3 sends to try a notification out.
    event: Raw<'a>,
}

impl<'a> Marks<'a> {
    pub(super) fn note(&mut self, key: &str, raw: &'a RawValue) {
        match key {
            "Records" => self.records = Some(raw),
            "eventSource" => self.event_source = Some(raw),
            "Event" => self.event = Some(raw),
            _ => {
                let place = MARKS.iter().position(|(member, _)| *member == key);
                self.best = [self.best, place].into_iter().flatten().min();
            }
        }
    }

    pub(super) fn is_authorizer(&self) -> bool {
        self.word() == Some(AUTHORIZER)
    }

    fn word(&self) -> Option<&'static str> {
        self.best.and_then(|place| MARKS.get(place)).map(|(_, word)| *word)
    }
}

impl Source {
    pub(super) fn of(envelope: &Envelope<'_>) -> Self {
        let marks = &envelope.marks;
        if let Some(word) = marks
            .records
            .and_then(of_records)
            .or_else(|| marks.event_source.and_then(of_event_source))
        {
            return Self(word.into());
        }
        let is_s3_trial = marks.event.is_some_and(|event| event.get() == r#""s3:TestEvent""#);
        let word = match marks.word() {
            Some(word) => word,
            None if is_s3_trial => "s3",
            None if envelope.context.connection_id.is_some() => WEBSOCKET,
            None if envelope.context.service_network_arn.is_some() => VPC_LATTICE,
            None => UNKNOWN,
        };
        Self(word.into())
    }

    /// Whether it is Lambkin itself, which started a job.
    pub fn is_job(&self) -> bool {
        self.0 == JOB
    }

    /// Whether it is a WebSocket's event.
    pub fn is_websocket(&self) -> bool {
        self.0 == WEBSOCKET
    }

    /// Whether it is an authorizer's event.
    pub fn is_authorizer(&self) -> bool {
        self.0 == AUTHORIZER
    }

    /// The source's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The source that the first record names; a batch comes from one source.
fn of_records(records: &RawValue) -> Option<String> {
    let First(record) = serde_json::from_str::<First<Pairs<'_, &RawValue>>>(records.get()).ok()?;
    let record = record?;
    // SNS alone writes it with a capital.
    let source = record.0.iter().find(|(key, _)| key.0.eq_ignore_ascii_case("eventSource"))?;
    of_event_source(source.1)
}

/// `aws:s3` is `s3`, `aws:kafka` and `SelfManagedKafka` are `kafka`; `signin.amazonaws.com` is a `CloudTrail` record's.
fn of_event_source(raw: &RawValue) -> Option<String> {
    let Text(name) = serde_json::from_str(raw.get()).ok()?;
    match name.strip_prefix("aws:") {
        Some("docdb") => Some("documentdb".to_owned()),
        Some(word) if is_word(word) => Some(word.to_owned()),
        _ if name == "SelfManagedKafka" => Some("kafka".to_owned()),
        _ => None,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The request by which a `wasi:http` component is told of an event that is not an HTTP request:
/// `POST /events/<source>` with the event's bytes as its body.
pub fn to_event_request(source: &Source, event: impl Into<Bytes>) -> Request<Bytes> {
    let mut request = Request::new(event.into());
    *request.method_mut() = Method::POST;
    let path = format!("/events/{source}");
    let uri = Uri::builder().scheme("http").authority("localhost").path_and_query(path).build();
    // A source is a word, so that no other path comes of it and nothing can fail.
    *request.uri_mut() =
        uri.unwrap_or_else(|_| Uri::from_static("http://localhost/events/unknown"));
    let length = request.body().len();
    request.headers_mut().extend([
        (header::HOST, HeaderValue::from_static("localhost")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
    ]);
    request
}

#[cfg(test)]
mod tests {
    use super::super::{Event, classify};
    use super::*;

    #[test]
    fn names_the_sender() {
        let check = |event: &'static str, word: &str| {
            let Event::Other(source) = classify(&event.into()).unwrap() else {
                panic!("{event} is HTTP")
            };
            assert_eq!(source.as_str(), word, "{event}");
        };
        check(r#"{"Records":[{"eventSource":"aws:s3"},{"eventSource":"aws:sqs"}]}"#, "s3");
        check(r#"{"Records":[{"EventSource":"aws:sns"}]}"#, "sns");
        check(r#"{"Records":[]}"#, "unknown");
        check(r#"{"Records":[{"eventSource":"aws:../x"}]}"#, "unknown");
        check(r#"{"eventSource":"SelfManagedKafka","records":{}}"#, "kafka");
        check(r#"{"detail-type":"Scheduled Event","source":"aws.events"}"#, "eventbridge");
        check(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#, "s3");
        check(
            r#"{"type":"REQUEST","methodArn":"arn","httpMethod":"GET","path":"/","resource":"/"}"#,
            "authorizer",
        );
        for any in ["{}", "[]", "null", "7", r#""text""#, r#"["2.0","/"]"#] {
            check(any, "unknown");
        }
    }

    #[test]
    fn tells_a_web_component_of_it() {
        let request = to_event_request(&Source("sqs".into()), &br#"{"Records":[]}"#[..]);
        assert_eq!(request.uri(), "http://localhost/events/sqs");
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(request.headers()[header::CONTENT_LENGTH], "14");
        assert_eq!(request.body().as_ref(), br#"{"Records":[]}"#);
    }
}
