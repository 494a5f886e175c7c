//! Releases that this host cannot run, and answers that Lambda cannot take.

use crate::stage::{Stage, http_event};
use lambkin_protocol::alias::Alias;
use lambkin_protocol::release::Release;

const APP: (&str, &str) = ("LAMBKIN_APP", "shop@live");

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_for_another_processor_is_refused() {
    let stage = Stage::start().await;
    let other = if cfg!(target_arch = "x86_64") { "aarch64" } else { "x86_64" };
    stage.publish_for("shop", "web", ("one", other));
    let host = stage.host(&[APP]);
    let error = host.invoke(&http_event("x", "/")).await.unwrap_err();
    assert_eq!(error["errorType"], "Runtime.ComponentUnavailable");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains(other) && message.contains(std::env::consts::ARCH), "{message}");
    assert!(message.contains("publish the app again"), "{message}");
    assert_eq!(host.processes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_of_another_engine_is_refused() {
    let stage = Stage::start().await;
    let store = tempfile::tempdir().unwrap();
    let url = format!("file://{}", store.path().display());
    let release = stage.publish("shop", "web", "one");
    let target = std::env::consts::ARCH;
    stage.lambkin(&stage.app("shop"), &["publish", "--store", &url, "--target", target]).unwrap();
    let app = store.path().join("apps/shop");
    let file = app.join(format!("releases/{release}.json"));
    let mut newer = Release::parse(&fs_err::read(&file).unwrap()).unwrap();
    for component in newer.components.values_mut() {
        component.engine = "wasmtime-99.0.0-1".to_owned();
    }
    let id = newer.id();
    fs_err::write(app.join(format!("releases/{id}.json")), newer.to_bytes()).unwrap();
    fs_err::write(app.join("aliases/live.json"), Alias::single(&id).to_bytes()).unwrap();
    let host = stage.host(&[APP, ("LAMBKIN_STORE", &url)]);
    let error = host.invoke(&http_event("x", "/")).await.unwrap_err();
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("wasmtime-99.0.0-1") && message.contains(&id), "{message}");
    // The release before is whole: moving the alias back is all it takes.
    let back = ["alias", "live", "--to", &release, "--store", &url];
    stage.lambkin(&stage.app("shop"), &back).unwrap();
    let host = stage.host(&[APP, ("LAMBKIN_STORE", &url)]);
    assert_eq!(host.get("x", "/").await.1["version"], "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_lambdas_limit_fails_alone() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    let host = stage.host(&[APP]);
    let error = host.invoke(&http_event("x", "/large")).await.unwrap_err();
    assert_eq!(error["errorType"], "Function.ResponseSizeTooLarge");
    assert!(error["errorMessage"].as_str().unwrap().contains("6 MiB"), "{error}");
    assert_eq!(host.get("x", "/").await.0, 200);
    assert_eq!(host.processes(), 1);
}
