//! Lambda's own calls, by AWS's Python SDK, and what becomes of invocations that nobody waits for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambkin_local_cloud::lambda::{
    Answer, ControlPlane, Destination, EventInvokeConfig, InvokeError, InvokeOptions, RetryDelays,
    Settings,
};
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services};
use serde_json::{Value, json};
use support::{Logged, logged, python_bootstrap, python_function, run_script, until};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_lambda_as_it_is() {
    let tested = python_function(|_| ());
    let streaming = logged(
        |folder| python_bootstrap(folder, "-m raw"),
        |settings| {
            settings.name = "streaming".to_owned();
            settings.timeout = Duration::from_secs(2);
        },
    );
    let lambda = ControlPlane::new([tested.function.clone(), streaming.function.clone()]);
    let services = Services { lambda, logs: Logs::in_memory(), queues: Queues::new("us-east-1") };
    let endpoint = Endpoint::start("127.0.0.1:0".parse().unwrap(), services).await.unwrap();
    let passed = run_script("lambda_client.py", &[&endpoint.url()]).await;
    assert_eq!(passed.trim(), "every check passed");
    until("the asynchronous invocation is logged", || {
        tested.texts().contains(&"out asynchronous".to_owned())
    })
    .await;
    endpoint.stop().await;
}

/// A place for records, and its destination.
fn record_box(arn: &str) -> (Arc<Mutex<Vec<Value>>>, Destination) {
    let records = Arc::new(Mutex::new(Vec::new()));
    let place = Arc::clone(&records);
    let destination = Destination::new(arn, move |record: Bytes| {
        place.lock().unwrap().push(serde_json::from_slice(&record).unwrap());
    });
    (records, destination)
}

const SHORT: RetryDelays = RetryDelays {
    after_error: [Duration::from_millis(20), Duration::from_millis(40)],
    first_back_off: Duration::from_millis(5),
    longest_back_off: Duration::from_millis(20),
};

fn queue(logged: &Logged, event: &Value) -> String {
    logged.function.queue(event.to_string().into(), InvokeOptions::default()).unwrap()
}

async fn first(records: &Mutex<Vec<Value>>) -> Value {
    until("a record is there", || !records.lock().unwrap().is_empty()).await;
    records.lock().unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_invocation_that_fails_is_tried_twice_more_and_told_of() {
    let (records, on_failure) = record_box("arn:aws:sqs:us-east-1:000000000000:failed");
    let logged = python_function(|settings| {
        settings.retry_delays = SHORT;
        settings.event_invoke_config.on_failure = Some(on_failure);
    });
    let event = json!({ "do": "fail" });
    let id = queue(&logged, &event);
    let record = first(&records).await;
    let starts = logged
        .texts()
        .iter()
        .filter(|line| line.starts_with(&format!("START RequestId: {id}")))
        .count();
    assert_eq!(starts, 3, "{:?}", logged.texts());
    assert_eq!(record["version"], "1.0");
    assert!(record["timestamp"].as_str().unwrap().ends_with('Z'), "{record}");
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:tested:$LATEST";
    assert_eq!(
        record["requestContext"],
        json!({
            "requestId": id, "functionArn": arn, "condition": "RetriesExhausted", "approximateInvokeCount": 3,
        })
    );
    assert_eq!(record["requestPayload"], event);
    assert_eq!(
        record["responseContext"],
        json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" })
    );
    assert_eq!(record["responsePayload"]["errorMessage"], "boom");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_is_told_to_another_function() {
    let other = python_function(|settings| settings.name = "other".to_owned());
    let logged = python_function(|settings| {
        settings.event_invoke_config.on_success = Some(Destination::function(&other.function));
    });
    let id = queue(&logged, &json!({ "do": "echo", "n": 1 }));
    until("the other function is told", || {
        other.texts().iter().any(|line| line.starts_with("record "))
    })
    .await;
    let texts = other.texts();
    let line = texts.iter().find_map(|line| line.strip_prefix("record ")).unwrap();
    let record: Value = serde_json::from_str(line).unwrap();
    assert_eq!(record["requestContext"]["condition"], "Success");
    assert_eq!(record["requestContext"]["requestId"], id);
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(
        record["responseContext"],
        json!({ "statusCode": 200, "executedVersion": "$LATEST" })
    );
    assert_eq!(record["responsePayload"], json!({ "do": "echo", "n": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_are_as_many_as_the_settings_say_and_end_with_the_events_age() {
    for (attempts, age, condition, count) in [
        (0, Duration::from_mins(1), "RetriesExhausted", 1),
        (2, Duration::from_millis(30), "EventAgeExceeded", 1),
    ] {
        let (records, on_failure) = record_box("arn:aws:sqs:us-east-1:000000000000:failed");
        let logged = python_function(|settings| {
            settings.retry_delays =
                RetryDelays { after_error: [Duration::from_millis(40); 2], ..SHORT };
            settings.event_invoke_config = EventInvokeConfig {
                maximum_retry_attempts: attempts,
                maximum_event_age: age,
                on_failure: Some(on_failure),
                on_success: None,
            };
        });
        queue(&logged, &json!({ "do": "fail" }));
        let record = first(&records).await;
        assert_eq!(record["requestContext"]["condition"], condition);
        assert_eq!(record["requestContext"]["approximateInvokeCount"], count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_beyond_the_reserved_concurrency_are_refused_and_asynchronous_ones_wait() {
    let (records, on_success) = record_box("arn:aws:sqs:us-east-1:000000000000:done");
    let (failed, on_failure) = record_box("arn:aws:sqs:us-east-1:000000000000:failed");
    let logged = python_function(|settings: &mut Settings| {
        settings.reserved_concurrency = Some(1);
        settings.retry_delays = SHORT;
        settings.event_invoke_config.on_success = Some(on_success);
        settings.event_invoke_config.on_failure = Some(on_failure);
    });
    let meeting = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let event = json!({ "do": "meet", "port": meeting.local_addr().unwrap().port() });
    let function = logged.function.clone();
    let running = tokio::spawn(async move {
        function.invoke(event.to_string().into(), InvokeOptions::default()).await.unwrap()
    });
    let (mut visitor, _) = meeting.accept().await.unwrap();
    let refused = logged.function.invoke("{}".into(), InvokeOptions::default()).await;
    assert!(matches!(refused, Err(InvokeError::TooManyRequests { reserved: 1 })), "{refused:?}");
    let id = queue(&logged, &json!({ "do": "echo" }));
    let begun = Instant::now();
    visitor.write_all(b"!").await.unwrap();
    assert!(matches!(running.await.unwrap(), Answer::Buffered(_)));
    // The share is given back before the answer is given.
    let again = logged.function.invoke(r#"{"do":"echo"}"#.into(), InvokeOptions::default()).await;
    assert!(matches!(again, Ok(Answer::Buffered(_)) | Err(InvokeError::TooManyRequests { .. })));
    let record = first(&records).await;
    assert_eq!(record["requestContext"]["requestId"], id);
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1, "a refusal is no attempt");
    assert!(begun.elapsed() < Duration::from_secs(5), "it is tried again soon");

    logged.function.reserve_concurrency(Some(0));
    queue(&logged, &json!({ "do": "echo" }));
    let record = first(&failed).await;
    assert_eq!(record["requestContext"]["condition"], "ZeroReservedConcurrency");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    assert!(record.get("responseContext").is_none(), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waits_does_not_keep_its_function_alive() {
    let logged = python_function(|_| ());
    queue(&logged, &json!({ "do": "fail" }));
    until("the first attempt has failed", || {
        logged.texts().iter().any(|line| line.contains("\tStatus: error"))
    })
    .await;
    let lines = Arc::downgrade(&logged.lines);
    drop(logged);
    // The function's own log is let go with its last sandbox.
    until("the function is gone", || lines.strong_count() == 0).await;
}
