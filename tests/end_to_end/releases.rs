//! Aliases as a running host sees them: a roll-back, a canary, a store that went away.

use crate::faulty_s3::{Fault, FaultyS3};
use crate::stage::Stage;
use serde_json::json;
use std::collections::BTreeSet;

/// The host looks at the alias before every request.
const EVERY_TIME: (&str, &str) = ("LAMBKIN_ALIAS_MAX_AGE_MS", "0");
const SHOP: (&str, &str) = ("LAMBKIN_APP", "shop@live");

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_and_a_rollback_need_no_new_process() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let host = stage.host(&[SHOP, EVERY_TIME]);
    assert_eq!(host.get("x", "/").await.1["version"], "one");
    stage.publish("shop", "web", "two");
    assert_eq!(host.get("x", "/").await.1["version"], "two");
    stage.lambkin(&stage.app("shop"), &["alias", "live", "--rollback"]).unwrap();
    assert_eq!(host.get("x", "/").await.1["version"], "one");
    assert_eq!(host.processes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weighted_alias_shares_the_requests_out() {
    let stage = Stage::start().await;
    let folder = stage.app("shop");
    let one = stage.publish("shop", "web", "one");
    let two = stage.publish("shop", "web", "two");
    stage.lambkin(&folder, &["alias", "live", "--rollback"]).unwrap();
    let shared =
        stage.lambkin(&folder, &["alias", "live", "--to", &two, "--weight", "50"]).unwrap();
    let expected = json!([{ "release": one, "weight": 50 }, { "release": two, "weight": 50 }]);
    assert_eq!(shared["targets"], expected);
    let host = stage.host(&[SHOP, EVERY_TIME]);
    let mut seen = BTreeSet::new();
    // Which one answers hangs on the request's id: a hundred of them miss one side once in 2^99 runs.
    for _ in 0..100 {
        seen.insert(host.get("x", "/").await.1["version"].to_string());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["\"one\"", "\"two\""]);
    stage.lambkin(&folder, &["alias", "live", "--rollback"]).unwrap();
    for _ in 0..20 {
        assert_eq!(host.get("x", "/").await.1["version"], "one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_went_away_leaves_the_last_alias_in_force() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let s3 = FaultyS3::start(&stage.endpoint()).await;
    let patience = ("LAMBKIN_STORE_TIMEOUT_MS", "500");
    let host = stage.host(&[SHOP, EVERY_TIME, patience, ("AWS_ENDPOINT_URL_S3", s3.endpoint())]);
    assert_eq!(host.get("x", "/").await.1["version"], "one");
    s3.fail("aliases", Fault::Busy);
    assert_eq!(host.get("x", "/").await.1["version"], "one");
    host.log.wait_for_text("stays as it was").unwrap();
    s3.mend();
    stage.publish("shop", "web", "two");
    assert_eq!(host.get("x", "/").await.1["version"], "two");
}
