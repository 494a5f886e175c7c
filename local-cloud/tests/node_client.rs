//! AWS's own Node runtime client in the sandboxes of the local Lambda.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::process::Command;

use lambkin_local_cloud::lambda::{Answer, ControlPlane, InvokeOptions};
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services};
use serde_json::{Value, json};
use support::{Logged, logged, run, run_script_text, tests, tool, write_executable};

/// `tests/bootstraps/index.js` on `aws-lambda-ric`.
fn node_function(handler: &str) -> Logged {
    let client = tool("aws-lambda-ric-4.0.2/node_modules/aws-lambda-ric/index.mjs");
    let node = run(Command::new("node").args(["-p", "process.execPath"]));
    let script = format!("#!/bin/sh\nexec '{}' '{}' {handler}\n", node.trim(), client.display());
    logged(
        |folder| write_executable(&folder.join("bootstrap"), &script),
        |settings| {
            let root = tests().join("bootstraps").display().to_string();
            for (name, value) in [("LAMBDA_TASK_ROOT", root.as_str()), ("_HANDLER", handler)] {
                settings.environment.insert(name.to_owned(), value.to_owned());
            }
        },
    )
}

async fn call(logged: &Logged, event: Value) -> (String, Answer) {
    let completed =
        logged.function.call(event.to_string().into(), InvokeOptions::default()).await.unwrap();
    (completed.request_id, completed.answer.into_buffered().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_client_answers_fails_and_crashes_as_under_lambda() {
    let logged = node_function("index.handler");
    for number in 0..2 {
        let event = json!({ "do": "echo", "number": number });
        let (id, Answer::Buffered(payload)) = call(&logged, event.clone()).await else { panic!() };
        let found: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&found["event"], &found["id"]), (&event, &json!(id)));
        assert_eq!(found["arn"], logged.function.arn());
        assert_eq!(found["memory"], "128");
    }
    for (event, error_type, message) in [
        (json!({ "do": "fail" }), "TypeError", "boom"),
        (
            json!({ "do": "leave" }),
            "Runtime.ExitError",
            "Error: Runtime exited with error: exit status 4",
        ),
    ] {
        let (_, Answer::FunctionError { payload, .. }) = call(&logged, event).await else {
            panic!()
        };
        let found: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(found["errorType"], error_type);
        assert!(found["errorMessage"].as_str().unwrap().ends_with(message), "{found}");
    }
    assert!(logged.texts().iter().any(|line| line.ends_with("doing echo")), "{:?}", logged.texts());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_client_streams_reaches_boto3_piece_by_piece() {
    let logged = node_function("index.streaming");
    let lambda = ControlPlane::new([logged.function.clone()]);
    let services = Services { lambda, logs: Logs::in_memory(), queues: Queues::new("us-east-1") };
    let endpoint = Endpoint::start("127.0.0.1:0".parse().unwrap(), services).await.unwrap();
    let script = r#"
import boto3, json, sys
client = boto3.client("lambda", endpoint_url=sys.argv[1], aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
for event in ({}, {"fail": True}):
    answer = client.invoke_with_response_stream(FunctionName="tested", Payload=json.dumps(event))
    events = list(answer["EventStream"])
    pieces = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    print(pieces.decode(), json.dumps(events[-1]["InvokeComplete"]))
"#;
    let printed = run_script_text(script, &[&endpoint.url()]).await;
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], "first,second {}");
    let (pieces, complete) = lines[1].split_once(' ').unwrap();
    let complete: Value = serde_json::from_str(complete).unwrap();
    assert_eq!((pieces, &complete["ErrorCode"]), ("first,", &json!("RangeError")));
    assert!(complete["ErrorDetails"].as_str().unwrap().contains("mid-stream"), "{complete}");
    endpoint.stop().await;
}
