//! `CloudWatch` Logs by AWS's own clients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a helper fails its test")]

mod support;

use std::sync::Arc;

use lambkin_local_cloud::lambda::{ControlPlane, Function};
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services};
use support::{python_function, run_script};

async fn endpoint(function: &Function, logs: &Logs) -> Endpoint {
    let lambda = ControlPlane::new([function.clone()]);
    let services = Services { lambda, logs: logs.clone(), queues: Queues::new("us-east-1") };
    Endpoint::start("127.0.0.1:0".parse().unwrap(), services).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_what_a_function_prints() {
    let logs = Logs::in_memory();
    let sink = logs.clone();
    let logged = python_function(|settings| {
        settings.on_log = Arc::new(move |line| sink.record("tested", &line));
    });
    let endpoint = endpoint(&logged.function, &logs).await;
    let passed = run_script("logs_client.py", &[&endpoint.url()]).await;
    assert_eq!(passed.trim(), "every check passed");
    endpoint.stop().await;
}
