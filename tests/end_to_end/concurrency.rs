//! Several invocations at once in one process, as on Lambda Managed Instances.

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn invocations_overlap_in_one_process_each_in_its_own_instance() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let host = stage.host_with(&[("LAMBKIN_APP", "shop@live")], |mut settings| {
        settings.concurrency_per_sandbox = 4;
        settings
    });
    // The first invocation starts the process; the four after it find it ready.
    host.get("x", "/").await;
    let (first, second, third, fourth) = tokio::join!(
        host.get("x", "/slow"),
        host.get("x", "/slow"),
        host.get("x", "/slow"),
        host.get("x", "/slow"),
    );
    let answers = [first.1, second.1, third.1, fourth.1];
    let last_start = answers.iter().map(|answer| answer["started"].as_u64().unwrap()).max();
    let first_end = answers.iter().map(|answer| answer["ended"].as_u64().unwrap()).min();
    assert!(last_start < first_end, "they ran one after the other: {answers:?}");
    assert!(answers.iter().all(|answer| answer["calls"] == 1), "they share memory: {answers:?}");
    assert_eq!(host.processes(), 1);
}
