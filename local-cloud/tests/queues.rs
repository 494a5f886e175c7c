//! SQS by AWS's own clients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a helper fails its test")]

mod support;

use lambkin_local_cloud::lambda::ControlPlane;
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services};
use support::run_script;

async fn endpoint(queues: &Queues) -> Endpoint {
    let services =
        Services { lambda: ControlPlane::new([]), logs: Logs::in_memory(), queues: queues.clone() };
    Endpoint::start("127.0.0.1:0".parse().unwrap(), services).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_uses_queues_in_every_way_that_it_has() {
    let endpoint = endpoint(&Queues::new("us-east-1")).await;
    assert_eq!(run_script("queues_client.py", &[&endpoint.url()]).await.trim(), "done");
    endpoint.stop().await;
}
