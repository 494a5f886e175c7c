//! `lambkin`'s commands that need the host or a toolchain: invoke, inspect, doctor, a build command of the app's own.

use crate::stage::{Stage, http_event};
use lambkin_tests::programs::Programs;
use serde_json::{Value, json};
use std::process::Command;

fn lambkin() -> Command {
    Command::new(Programs::find().unwrap().lambkin)
}

fn json_of(command: &mut Command) -> (bool, Value) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let value = serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!("not JSON: {text}\n{}", String::from_utf8_lossy(&output.stderr))
    });
    (output.status.success(), value)
}

#[tokio::test(flavor = "multi_thread")]
async fn invoke_sends_one_event_through_the_real_host() {
    let stage = Stage::start().await;
    stage.publish("shop", "function", "here");
    let folder = stage.app("shop");
    let event = json!({ "order": 7 });
    fs_err::write(folder.join("event.json"), event.to_string()).unwrap();
    let (success, answer) =
        json_of(lambkin().args(["invoke", "--event", "event.json"]).current_dir(&folder));
    assert_eq!((success, &answer["event"], &answer["version"]), (true, &event, &json!("here")));
    fs_err::write(folder.join("event.json"), r#"{ "fail": "request" }"#).unwrap();
    let (success, error) =
        json_of(lambkin().args(["invoke", "--event", "event.json"]).current_dir(&folder));
    assert_eq!((success, &error["errorType"]), (false, &json!("RangeError")));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoke_can_ask_what_an_alias_points_to_in_a_store() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "in the store");
    let elsewhere = tempfile::tempdir().unwrap();
    let event = elsewhere.path().join("event.json");
    fs_err::write(&event, http_event("x", "/items").to_string()).unwrap();
    let mut command = lambkin();
    command.args(["invoke", "--app", "shop@live", "--event"]).arg(&event);
    command.current_dir(elsewhere.path()).envs(stage.environment());
    let (success, answer) = json_of(&mut command);
    assert!(success, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["version"], "in the store");
}

#[tokio::test(flavor = "multi_thread")]
async fn inspect_tells_what_a_release_and_a_file_hold() {
    let stage = Stage::start().await;
    let release = stage.publish("shop", "web", "one");
    let folder = stage.app("shop");
    let whole = stage.lambkin(&folder, &["inspect", &release]).unwrap();
    assert!(whole.to_string().contains("$default"), "{whole}");
    assert!(whole.to_string().contains(std::env::consts::ARCH), "{whole}");
    let file = stage.lambkin(&folder, &["inspect", "guest.wasm"]).unwrap();
    assert!(file.to_string().contains("wasi:http/"), "{file}");
}

#[test]
fn doctor_names_a_tool_or_a_remedy_for_every_language() {
    let (_, reports) = json_of(lambkin().args(["doctor", "--format", "json"]));
    let reports = reports.as_array().unwrap().clone();
    for language in ["Rust", "JavaScript", "Python", "Go", "Lambkin"] {
        assert!(reports.iter().any(|report| report["language"] == language), "{language}");
    }
    for report in reports {
        assert!(report["found"].is_string() || report["remedy"].is_string(), "{report}");
    }
}

#[test]
fn an_apps_own_build_command_makes_the_component() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "lambkin = 1\n[app]\nname = 'own'\n[component.web]\nlanguage = 'wasm'\nsource = 'web.wasm'\n\
                    build = { command = 'printf \"\\0asm\\15\\0\\1\\0\" > web.wasm' }\n\
                    [[route]]\npath = '/{proxy+}'\ncomponent = 'web'\n";
    fs_err::write(folder.path().join("lambkin.toml"), manifest).unwrap();
    // A component without an export is none that can be called: the command ran, and its result was looked at.
    let output = lambkin().arg("build").current_dir(folder.path()).output().unwrap();
    assert!(folder.path().join("web.wasm").is_file());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("exports"), "{text}");
    fs_err::write(folder.path().join("lambkin.toml"), manifest.replace("printf", "exit 3; printf"))
        .unwrap();
    let output = lambkin().arg("build").current_dir(folder.path()).output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("exit 3"),
        "the failed command is shown"
    );
}
