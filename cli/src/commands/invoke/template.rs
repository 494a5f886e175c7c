//! Events as AWS's services send them, addressed as the app's triggers expect it.
//!
//! Shapes: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html>, the page of each service.

use crate::args::EventTemplate;
use crate::hint::hinted;
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lambkin_local_cloud::ACCOUNT_ID;
use lambkin_protocol::event::trigger as takes;
use lambkin_protocol::manifest::{Trigger, TriggerKind};
use serde_json::{Map, Value, json};
use std::time::{Duration, SystemTime};

const REGION: &str = "us-east-1";
const ID: &str = "5f0c2a91-7b3e-4d0c-9a55-6c1f0e2d8b47";

/// An event of `service` with what it is to carry, for the app's first trigger of that service.
pub(super) fn event(
    service: EventTemplate,
    triggers: &[Trigger],
    carried: Option<&str>,
) -> Result<Bytes> {
    let kind = kind(service);
    let trigger = triggers.iter().find(|trigger| trigger.kind == kind);
    let named = |name: fn(&Trigger) -> Option<&String>| trigger.and_then(name).map(String::as_str);
    let carried_or = |usual: &str| carried.unwrap_or(usual).trim_end_matches('\n').to_owned();
    let event = match service {
        EventTemplate::S3 => {
            let prefix = named(|it| it.prefix.as_ref()).unwrap_or_default();
            let suffix = named(|it| it.suffix.as_ref()).unwrap_or(".txt");
            let bucket = named(|it| it.bucket.as_ref()).unwrap_or("uploads");
            let wanted = trigger.and_then(|it| it.s3_events().next()).unwrap_or_default();
            s3((bucket, &event_name(wanted)), &carried_or(&format!("{prefix}example{suffix}")))
        }
        EventTemplate::Schedule => {
            let usual = named(|it| Some(&it.component)).unwrap_or("nightly");
            let rule = arn("events", "rule/", named(|it| it.rule.as_ref()).unwrap_or(usual));
            bus(("Scheduled Event", "aws.events"), &[rule], &json!({}))
        }
        EventTemplate::Eventbridge => {
            let kind = named(|it| it.detail_type.as_ref()).unwrap_or("example");
            let source = named(|it| it.source.as_ref()).unwrap_or("example.app");
            let rule = named(|it| it.rule.as_ref()).map(|rule| arn("events", "rule/", rule));
            bus((kind, source), rule.as_slice(), &object(&carried_or("{}"))?)
        }
        EventTemplate::Sqs => {
            let queue = arn("sqs", "", named(|it| it.queue.as_ref()).unwrap_or("orders"));
            sqs(&queue, &carried_or("hello"))
        }
        EventTemplate::Sns => {
            let topic = arn("sns", "", named(|it| it.topic.as_ref()).unwrap_or("news"));
            sns(&topic, &carried_or("hello"))
        }
        EventTemplate::Dynamodb => {
            let table = named(|it| it.table.as_ref()).unwrap_or("orders");
            dynamodb(table, &object(&carried_or(r#"{"id": "1"}"#))?)
        }
        EventTemplate::Kinesis => {
            let stream = named(|it| it.stream.as_ref()).unwrap_or("orders");
            kinesis(&arn("kinesis", "stream/", stream), &carried_or("hello"))
        }
    };
    let event = Bytes::from(event.to_string());
    if trigger.is_some() && takes(triggers, &event).is_none() {
        return Err(hinted(
            format!("no trigger of type `{}` takes this event", kind.as_str()),
            "a key must be as `prefix` and `suffix` of the trigger in lambkin.toml say",
        ));
    }
    Ok(event)
}

/// The event that S3 sends for what a trigger names: `s3:ObjectCreated:*` is a put.
fn event_name(wanted: &str) -> String {
    let name = wanted.strip_prefix("s3:").unwrap_or("ObjectCreated:*");
    match name.strip_suffix(":*").unwrap_or(name) {
        "ObjectCreated" => "ObjectCreated:Put".to_owned(),
        "ObjectRemoved" => "ObjectRemoved:Delete".to_owned(),
        named => named.to_owned(),
    }
}

/// Whether the app has a trigger of the service.
pub(super) fn is_expected(service: EventTemplate, triggers: &[Trigger]) -> bool {
    triggers.iter().any(|trigger| trigger.kind == kind(service))
}

const fn kind(service: EventTemplate) -> TriggerKind {
    match service {
        EventTemplate::S3 => TriggerKind::S3,
        EventTemplate::Schedule => TriggerKind::Schedule,
        EventTemplate::Sqs => TriggerKind::Sqs,
        EventTemplate::Sns => TriggerKind::Sns,
        EventTemplate::Eventbridge => TriggerKind::EventBridge,
        EventTemplate::Dynamodb => TriggerKind::DynamoDb,
        EventTemplate::Kinesis => TriggerKind::Kinesis,
    }
}

/// A manifest names a thing by its name or by its ARN.
fn arn(service: &str, kind: &str, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{kind}{name}")
}

fn object(text: &str) -> Result<Value> {
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(object) => Ok(object.into()),
        Err(error) => Err(hinted(
            format!("what the event carries is not a JSON object: {error}"),
            r#"give an object, for example {"id": "1"}"#,
        )),
    }
}

fn moment() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Since the Unix epoch.
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Keys are percent-encoded as in forms.
fn s3((bucket, name): (&str, &str), key: &str) -> Value {
    let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let key = key.replace("%2F", "/");
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        "eventName": name,
        "userIdentity": { "principalId": "EXAMPLE" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": "EXAMPLE123456789", "x-amz-id-2": "EXAMPLE" },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "example",
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": "EXAMPLE" },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": {
                "key": key,
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    }] })
}

fn bus((kind, source): (&str, &str), resources: &[String], detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": ID,
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT_ID,
        "time": moment(),
        "region": REGION,
        "resources": resources,
        "detail": detail,
    })
}

fn sqs(queue: &str, body: &str) -> Value {
    json!({ "Records": [lambkin_local_cloud::sqs::record(body, queue, REGION)] })
}

fn sns(topic: &str, message: &str) -> Value {
    json!({ "Records": [{
        "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{topic}:{ID}"),
        "EventSource": "aws:sns",
        "Sns": {
            "SignatureVersion": "1",
            "Timestamp": moment(),
            "Signature": "example",
            "SigningCertUrl": format!("https://sns.{REGION}.amazonaws.com/example.pem"),
            "MessageId": ID,
            "Message": message,
            "MessageAttributes": {},
            "Type": "Notification",
            "UnsubscribeUrl": format!("https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe"),
            "TopicArn": topic,
            "Subject": "example",
        },
    }] })
}

/// The members of the new item, as texts, numbers and truths of `DynamoDB`; the first is its key.
fn dynamodb(table: &str, item: &Value) -> Value {
    let stream = if table.starts_with("arn:") {
        table.to_owned()
    } else {
        let table = arn("dynamodb", "table/", table);
        format!("{table}/stream/2026-01-01T00:00:00.000")
    };
    let image: Map<String, Value> = item
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), attribute_value(value)))
        .collect();
    let keys: Map<String, Value> =
        image.iter().take(1).map(|(name, value)| (name.clone(), value.clone())).collect();
    json!({ "Records": [{
        "eventID": ID,
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": since_epoch().as_secs(),
            "Keys": keys,
            "NewImage": image,
            "SequenceNumber": "111",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": stream,
    }] })
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_AttributeValue.html>
fn attribute_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(truth) => json!({ "BOOL": truth }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(list) => json!({ "L": list.iter().map(attribute_value).collect::<Vec<_>>() }),
        Value::Object(map) => {
            let map = map.iter().map(|(name, value)| (name.clone(), attribute_value(value)));
            json!({ "M": map.collect::<Map<_, _>>() })
        }
    }
}

fn kinesis(stream: &str, data: &str) -> Value {
    json!({ "Records": [{
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "1",
            "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
            "data": STANDARD.encode(data),
            "approximateArrivalTimestamp": since_epoch().as_secs_f64(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT_ID}:role/lambda-role"),
        "awsRegion": REGION,
        "eventSourceARN": stream,
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use lambkin_protocol::{event, manifest};

    const MANIFEST: &str = "lambkin = 1\n[app]\nname = 'shop'\n[component.a]\nlanguage = 'wasm'\nsource = 'a.wasm'\n\
        [[trigger]]\ntype = 's3'\nbucket = 'photos'\nprefix = 'in/'\nsuffix = '.png'\ncomponent = 'a'\n\
        [[trigger]]\ntype = 'schedule'\nschedule = 'rate(1 minute)'\ncomponent = 'a'\n\
        [[trigger]]\ntype = 'sqs'\nqueue = 'payments'\ncomponent = 'a'\n\
        [[trigger]]\ntype = 'sns'\ntopic = 'arn:aws:sns:eu-west-1:123456789012:weather'\ncomponent = 'a'\n\
        [[trigger]]\ntype = 'eventbridge'\nsource = 'till'\ndetail_type = 'sold'\ncomponent = 'a'\n\
        [[trigger]]\ntype = 'dynamodb'\ntable = 'people'\ncomponent = 'a'\n\
        [[trigger]]\ntype = 'kinesis'\nstream = 'clicks'\ncomponent = 'a'\n";

    #[test]
    fn every_event_is_taken_by_the_trigger_that_it_is_made_for() {
        let triggers = manifest::parse(MANIFEST).unwrap().trigger;
        for service in EventTemplate::value_variants() {
            let event = event(*service, &triggers, None).unwrap();
            let taken = event::trigger(&triggers, &event);
            assert_eq!(taken.map(|trigger| trigger.kind), Some(kind(*service)), "{event:?}");
        }
    }

    #[test]
    fn an_event_carries_what_is_given_and_a_wrong_thing_is_told() {
        let made = |service, carried| {
            event(service, &[], Some(carried))
                .map(|event| serde_json::from_slice::<Value>(&event).unwrap())
        };
        let sqs = made(EventTemplate::Sqs, "two\n").unwrap();
        assert_eq!(sqs["Records"][0]["body"], "two");
        let item = made(EventTemplate::Dynamodb, r#"{"id": 7, "tags": ["a"]}"#).unwrap();
        let image = json!({ "id": { "N": "7" }, "tags": { "L": [{ "S": "a" }] } });
        assert_eq!(item["Records"][0]["dynamodb"]["NewImage"], image);
        let removed =
            MANIFEST.replace("prefix = 'in/'", "prefix = 'in/'\nevents = ['s3:ObjectRemoved:*']");
        let triggers = manifest::parse(&removed).unwrap().trigger;
        let event = super::event(EventTemplate::S3, &triggers, Some("in/a b.png")).unwrap();
        let event: Value = serde_json::from_slice(&event).unwrap();
        assert_eq!(event["Records"][0]["eventName"], "ObjectRemoved:Delete");
        let missed = super::event(EventTemplate::S3, &triggers, Some("out.png")).unwrap_err();
        assert_eq!(missed.to_string(), "no trigger of type `s3` takes this event");
        let error = made(EventTemplate::Eventbridge, "[]").unwrap_err().to_string();
        assert!(error.starts_with("what the event carries is not a JSON object"), "{error}");
    }
}
