//! An S3 that misbehaves, as the callers of a cold host see it: a clear error in the store's terms, a process that
//! lives, and an answer as soon as the store is well again.

use crate::faulty_s3::{Fault, FaultyS3};
use crate::stage::{Host, Stage, http_event};
use serde_json::Value;

const APP: (&str, &str) = ("LAMBKIN_APP", "shop@live");

struct Scene {
    host: Host,
    s3: FaultyS3,
    _stage: Stage,
}

/// A host whose store fails for objects whose key has `part`, from the start.
async fn scene(part: &str, fault: Fault) -> Scene {
    let stage = Stage::start().await;
    // A release that rides along in its alias is not asked for.
    match part {
        "releases" => stage.publish_large("shop", "web", "one"),
        _ => stage.publish("shop", "web", "one"),
    };
    let s3 = FaultyS3::start(&stage.endpoint()).await;
    s3.fail(part, fault);
    let variables = [
        APP,
        ("LAMBKIN_STORE_TIMEOUT_MS", "1500"),
        ("LAMBKIN_ALIAS_MAX_AGE_MS", "0"),
        ("AWS_ENDPOINT_URL_S3", s3.endpoint()),
    ];
    let host = stage.host(&variables);
    Scene { host, s3, _stage: stage }
}

/// The caller hears `error_type` and `says`; after that the store is well, and the same process answers.
async fn check(part: &str, fault: Fault, (error_type, says): (&str, &str)) {
    let scene = scene(part, fault).await;
    let error: Value = scene.host.invoke(&http_event("x", "/")).await.unwrap_err();
    assert_eq!(error["errorType"], error_type, "{error}");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains(says), "{message:?} does not say {says:?}");
    scene.host.log.wait_for_text("not ready after Init").unwrap();
    scene.s3.mend();
    assert_eq!(scene.host.get("x", "/").await.1["version"], "one");
    assert_eq!(scene.host.processes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_store_is_tried_again() {
    let scene = scene("artifacts", Fault::BusyFor(2)).await;
    assert_eq!(scene.host.get("x", "/").await.1["version"], "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stays_busy_is_unavailable() {
    check("aliases", Fault::Busy, ("Runtime.StoreUnavailable", "503")).await;
    check("artifacts", Fault::Busy, ("Runtime.ComponentUnavailable", "503")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_is_given_up() {
    check("releases", Fault::Silent, ("Runtime.StoreUnavailable", "1.5")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_object_names_the_permission() {
    check("aliases", Fault::Denied, ("Runtime.StoreUnavailable", "s3:GetObject")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_object_is_named() {
    check("aliases", Fault::Missing, ("Runtime.UnknownAlias", "lambkin publish --alias live"))
        .await;
    check("releases", Fault::Missing, ("Runtime.StoreUnavailable", "releases/")).await;
    check("artifacts", Fault::Missing, ("Runtime.ComponentUnavailable", "artifacts/")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_artifact_is_never_loaded() {
    check("artifacts", Fault::Altered, ("Runtime.ComponentUnavailable", "artifacts/")).await;
    check("artifacts", Fault::Truncated, ("Runtime.ComponentUnavailable", "artifacts/")).await;
    check("artifacts", Fault::Half, ("Runtime.ComponentUnavailable", "artifacts/")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_release_is_never_served() {
    check("releases", Fault::Altered, ("Runtime.StoreUnavailable", "releases/")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_release_comes_with_its_alias() {
    let scene = scene("/releases/", Fault::Missing).await;
    assert_eq!(scene.host.get("x", "/").await.1["version"], "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_is_named() {
    let stage = Stage::start().await;
    let nowhere = ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9");
    let host = stage.host(&[APP, nowhere, ("LAMBKIN_STORE_TIMEOUT_MS", "1000")]);
    let error = host.invoke(&http_event("x", "/")).await.unwrap_err();
    assert_eq!(error["errorType"], "Runtime.StoreUnavailable");
    assert!(error["errorMessage"].as_str().unwrap().contains("127.0.0.1:9"), "{error}");
    assert_eq!(host.processes(), 1);
}
