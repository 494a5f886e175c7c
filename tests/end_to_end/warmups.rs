//! What an event does that a component is handed in Init.

use crate::stage::{Stage, http_event};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Publishes `guest` as `shop` with `lines` more in its part of the manifest and `event` as its warm-up event.
fn publish(stage: &Stage, guest: &str, lines: &str, event: &Value) {
    stage.publish("shop", guest, "one");
    fs_err::write(stage.app("shop").join("event.json"), event.to_string()).unwrap();
    publish_with(stage, &format!("warmup = 'event.json'\n{lines}"));
}

/// Publishes `shop` anew, with `lines` more in its component's part of the manifest.
fn publish_with(stage: &Stage, lines: &str) {
    let folder = stage.app("shop");
    let manifest = fs_err::read_to_string(folder.join("lambkin.toml")).unwrap();
    let lines = format!("{lines}\n\n[[route]]");
    fs_err::write(folder.join("lambkin.toml"), manifest.replace("[[route]]", &lines)).unwrap();
    stage.lambkin(&folder, &["publish", "--target", std::env::consts::ARCH]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_answered_before_the_first_invocation_which_gets_an_instance_of_its_own() {
    let stage = Stage::start().await;
    publish(&stage, "web", "", &http_event("x", "/log"));
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    let (status, body) = host.get("x", "/").await;
    assert_eq!((status, &body["calls"]), (200, &json!(1)));
    let printed = host.log.wait_for_text("in JSON").unwrap();
    assert_eq!((&printed["requestId"], &printed["component"]), (&json!("warmup"), &json!("guest")));
    let load = host.log.wait_for_text("cold load").unwrap();
    assert_eq!(load["requestId"], "warmup", "the load is reported by the one that paid for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_instance_has_been_through_it() {
    let stage = Stage::start().await;
    publish(
        &stage,
        "web",
        "reuse = {}",
        &json!({ "detail-type": "tick", "source": "shop", "detail": {} }),
    );
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    assert_eq!(host.get("x", "/").await.1["calls"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_instance_is_there_before_its_invocation() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "one");
    publish_with(&stage, "grants.tmp = true");
    let guests = tempfile::tempdir().unwrap();
    let folder = guests.path().display().to_string();
    let host = stage.host(&[("LAMBKIN_APP", "shop@live"), ("LAMBKIN_GUEST_TMP_DIR", &folder)]);
    // Each instance has a folder here. Between the first two invocations there is none, for one that is not served again.
    for there in [0, 1, 1] {
        assert_eq!(host.get("x", "/").await.1["calls"], 1);
        let started = Instant::now();
        while instances(guests.path()) != there {
            assert!(started.elapsed() < Duration::from_secs(10), "{there} instances are wanted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(instances(guests.path()), there);
    }
}

fn instances(folder: &Path) -> usize {
    fs_err::read_dir(folder).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_is_logged_and_spoils_nothing() {
    let stage = Stage::start().await;
    publish(&stage, "function", "", &json!({ "fail": "request" }));
    let host = stage.host(&[("LAMBKIN_APP", "shop@live")]);
    let answer = host.invoke(&json!({ "n": 1 })).await.unwrap();
    assert_eq!(answer["event"]["n"], 1);
    let record = host.log.wait_for_text("the warm-up event failed").unwrap();
    assert!(record["message"].as_str().unwrap().contains("refused as asked"), "{record}");
    assert_eq!((&record["level"], &record["requestId"]), (&json!("WARN"), &json!("warmup")));
}
