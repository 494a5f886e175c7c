//! Which trigger takes an event of another service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use lambkin_protocol::event::trigger;
use lambkin_protocol::manifest::{self, Trigger};

const BASE: &str = "lambkin = 1\n[app]\nname = 'shop'\n[component.a]\nlanguage = 'wasm'\nsource = 'a'\n[component.b]\nlanguage = 'wasm'\nsource = 'b'\n";

fn triggers(text: &str) -> Result<Vec<Trigger>, String> {
    manifest::parse(&format!("{BASE}{text}"))
        .map(|manifest| manifest.trigger)
        .map_err(|error| error.to_string())
}

fn check(text: &str, event: &str, expected: Option<&str>) {
    let triggers = triggers(&format!("[[trigger]]\ncomponent = 'a'\n{text}")).unwrap();
    let found = trigger(&triggers, event.as_bytes()).map(|trigger| trigger.component.as_str());
    assert_eq!(found, expected, "{text} and {event}");
}

#[test]
fn objects_go_by_bucket_event_and_key() {
    let event = |name: &str, key: &str| {
        format!(
            r#"{{"Records":[{{"eventSource":"aws:s3","eventName":"{name}","s3":{{"bucket":{{"name":"in"}},"object":{{"key":"{key}"}}}}}}]}}"#
        )
    };
    let put = event("ObjectCreated:Put", "a+b/%C3%BC.png");
    check("type = 's3'\nbucket = 'in'", &put, Some("a"));
    check("type = 's3'\nbucket = 'out'", &put, None);
    check("type = 's3'\nbucket = 'in'\nprefix = 'a b/'\nsuffix = 'ü.png'", &put, Some("a"));
    check("type = 's3'\nbucket = 'in'\nsuffix = '.jpg'", &put, None);
    check("type = 's3'\nbucket = 'in'", &event("ObjectRemoved:Delete", "x"), None);
    check(
        "type = 's3'\nbucket = 'in'\nevents = ['s3:ObjectRemoved:*']",
        &event("ObjectRemoved:Delete", "x"),
        Some("a"),
    );
    check("type = 's3'\nbucket = 'in'\nevents = ['s3:ObjectCreated:Post']", &put, None);
}

#[test]
fn queues_topics_tables_and_streams_go_by_name_or_arn() {
    let record = |source: &str, arn: &str| {
        format!(r#"{{"Records":[{{"eventSource":"{source}","eventSourceARN":"{arn}"}}]}}"#)
    };
    let queue = record("aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:orders");
    check("type = 'sqs'\nqueue = 'orders'", &queue, Some("a"));
    check("type = 'sqs'\nqueue = 'arn:aws:sqs:eu-west-1:123456789012:orders'", &queue, Some("a"));
    check("type = 'sqs'\nqueue = 'order'", &queue, None);
    check("type = 'kinesis'\nstream = 'orders'", &queue, None);
    let table = record(
        "aws:dynamodb",
        "arn:aws:dynamodb:eu-west-1:1:table/Items/stream/2026-01-01T00:00:00.000",
    );
    check("type = 'dynamodb'\ntable = 'Items'", &table, Some("a"));
    check(
        "type = 'kinesis'\nstream = 'clicks'",
        &record("aws:kinesis", "arn:aws:kinesis:eu-west-1:1:stream/clicks"),
        Some("a"),
    );
    let topic = r#"{"Records":[{"EventSource":"aws:sns","Sns":{"TopicArn":"arn:aws:sns:eu-west-1:1:news"}}]}"#;
    check("type = 'sns'\ntopic = 'news'", topic, Some("a"));
}

#[test]
fn schedules_and_buses_go_by_rule_source_and_detail_type() {
    let tick = r#"{"source":"aws.events","detail-type":"Scheduled Event","resources":["arn:aws:events:eu-west-1:1:rule/nightly"],"detail":{}}"#;
    check("type = 'schedule'\nschedule = 'rate(1 day)'", tick, Some("a"));
    check("type = 'schedule'\nschedule = 'rate(1 day)'\nrule = 'nightly'", tick, Some("a"));
    check("type = 'schedule'\nschedule = 'rate(1 day)'\nrule = 'daily'", tick, None);
    let order = r#"{"source":"shop","detail-type":"Order placed","resources":[],"detail":{}}"#;
    check("type = 'eventbridge'\nsource = 'shop'", order, Some("a"));
    check("type = 'eventbridge'\nsource = 'shop'\ndetail_type = 'Order placed'", order, Some("a"));
    check("type = 'eventbridge'\nsource = 'shop'\ndetail_type = 'Order paid'", order, None);
    check("type = 'schedule'\nschedule = 'rate(1 day)'", order, None);
}

#[test]
fn the_first_trigger_that_fits_takes_the_event_and_others_are_left_to_the_routes() {
    let two = "[[trigger]]\ntype = 'sqs'\nqueue = 'b'\ncomponent = 'b'\n[[trigger]]\ntype = 'eventbridge'\ncomponent = 'a'\n";
    let triggers = triggers(two).unwrap();
    for event in [
        "{}",
        "[]",
        "7",
        "null",
        r#"{"Records":[]}"#,
        r#"{"Records":[7]}"#,
        r#"{"Records":{"a":1}}"#,
    ] {
        assert!(trigger(&triggers, event.as_bytes()).is_none(), "{event}");
    }
}

#[test]
fn a_trigger_has_the_keys_of_its_kind() {
    let check = |text: &str, says: &str| {
        let error = triggers(&format!("[[trigger]]\n{text}")).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    };
    check("type = 's3'\ncomponent = 'a'", "needs `bucket`");
    check("type = 's3'\ncomponent = 'a'\nbucket = 'x'\nqueue = 'y'", "type `s3` has no `queue`");
    check("type = 's3'\ncomponent = 'c'\nbucket = 'x'", "unknown component `c`");
    check(
        "type = 's3'\ncomponent = 'a'\nbucket = 'x'\nevents = ['ObjectCreated']",
        "not an event of S3",
    );
    check("type = 'cron'\ncomponent = 'a'", "unknown variant `cron`");
    check("type = 'sqs'\ncomponent = 'a'\nqueu = 'x'", "did you mean `queue`?");
    let queue = |keys: &str| format!("type = 'sqs'\ncomponent = 'a'\nqueue = 'x'\n{keys}");
    check(&queue("batch_size = 11"), "`batch_size` cannot be 11");
    check(&queue("visibility_timeout_seconds = 43201"), "it may be 0 to 43200");
    check(&queue("max_receives = 3"), "`max_receives` needs `dead_letter_queue`");
    check(&queue("dead_letter_queue = 'y'"), "`dead_letter_queue` needs `max_receives`");
    check("type = 'sns'\ncomponent = 'a'\ntopic = 'x'\nbatch_size = 2", "has no `batch_size`");
    for bad in [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "cron(* * * * *)",
        "5 minutes",
    ] {
        check(
            &format!("type = 'schedule'\ncomponent = 'a'\nschedule = '{bad}'"),
            "is not a schedule",
        );
    }
}
