//! Events that are not HTTP, to both kinds of component, and events that nobody can read.

use crate::stage::Stage;
use serde_json::{Value, json};

fn events() -> Vec<(&'static str, Value)> {
    vec![
        (
            "s3",
            json!({ "Records": [{ "eventSource": "aws:s3", "s3": { "object": { "key": "a" } } }] }),
        ),
        (
            "sqs",
            json!({ "Records": [{ "eventSource": "aws:sqs", "body": "hello", "messageId": "1" }] }),
        ),
        (
            "eventbridge",
            json!({ "detail-type": "Scheduled Event", "source": "aws.events", "detail": {} }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_component_gets_events_as_requests() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    for (source, event) in events() {
        let answer = host.invoke(&event).await.unwrap();
        let expected = json!({ "at": format!("/events/{source}"), "event": event });
        assert_eq!(answer, expected, "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_component_gets_events_as_they_come() {
    let stage = Stage::start().await;
    stage.publish("shop", "function", "one");
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    for (source, event) in events() {
        let answer = host.invoke(&event).await.unwrap();
        assert_eq!(answer["event"], event, "{source}");
        assert!(!answer["requestId"].as_str().unwrap().is_empty());
    }
    let own = json!({ "anything": [1, "zwei", null], "number": 1.5 });
    assert_eq!(host.invoke(&own).await.unwrap()["event"], own);
    let error = host.invoke(&json!({ "fail": "request" })).await.unwrap_err();
    assert_eq!(
        (&error["errorType"], &error["errorMessage"]),
        (&json!("RangeError"), &json!("refused as asked"))
    );
    assert_eq!(host.processes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_fails_alone() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    for malformed in ["{\"version\": \"2.0\", ", "", "\u{0}"] {
        let error = host.send(malformed).await.unwrap_err();
        assert_eq!(error["errorType"], "Runtime.MalformedEvent", "{malformed:?}: {error}");
    }
    assert_eq!(host.get("x", "/").await.0, 200);
    assert_eq!(host.processes(), 1);
}
