//! Instances that serve several invocations because `lambkin.toml` says so.

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_as_many_invocations_as_the_manifest_says() {
    let stage = Stage::start().await;
    stage.publish_reused("shop", "web", "{ max_invocations = 3 }");
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    for expected in [1, 2, 3, 1, 2] {
        let (status, answer) = host.get("x", "/").await;
        assert_eq!((status, &answer["calls"]), (200, &expected.into()), "{answer}");
    }
    assert_eq!(host.processes(), 1);
}
