//! `lambkin package`: the zip that a user uploads, unpacked as Lambda unpacks it, with nothing else to start from.

use crate::stage::{Host, Stage, http_event};
use lambkin_local_cloud::lambda::Settings;
use lambkin_tests::programs::{self, Programs};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Packs `shop@live` of the stage's store and unpacks it: the folder of the function's code.
fn unpacked(stage: &Stage, folder: &Path) -> PathBuf {
    let zip = folder.join("function.zip");
    let report = stage
        .lambkin(folder, &["package", "--app", "shop@live", "--output", zip.to_str().unwrap()])
        .unwrap();
    assert_eq!(report["app"], "shop");
    assert_eq!(report["bytes"], zip.metadata().unwrap().len());
    let task = folder.join("task");
    // Permissions are taken over too: `bootstrap` must be executable.
    zip::ZipArchive::new(File::open(zip).unwrap()).unwrap().extract(&task).unwrap();
    task
}

/// A store with `shop` in it, and the folder of a function that was packed from it.
async fn packed() -> (Stage, TempDir, PathBuf) {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "packed");
    let folder = tempfile::tempdir().unwrap();
    let task = unpacked(&stage, folder.path());
    (stage, folder, task)
}

/// The packaged host, told nothing but `variables` and where its cache is.
fn host(stage: &Stage, task: &Path, variables: BTreeMap<String, String>) -> Host {
    stage.host_with(&[("LAMBKIN_LOG_LEVEL", "debug")], |settings| {
        let mut environment = variables;
        for name in ["LAMBKIN_CACHE_DIR", "LAMBKIN_LOG_LEVEL"] {
            environment.insert(name.to_owned(), settings.environment[name].clone());
        }
        Settings { bootstrap: task.join("bootstrap"), environment, ..settings }
    })
}

fn source(host: &Host) -> Value {
    host.log.wait_for_text("cold load").unwrap()["source"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_answers_with_no_store_and_no_setting() {
    let (stage, _folder, task) = packed().await;
    let host = host(&stage, &task, BTreeMap::new());
    let (status, body) = host.get("x", "/items").await;
    assert_eq!((status, &body["version"]), (200, &Value::from("packed")));
    assert_eq!(source(&host), "package");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_store_the_alias_decides_and_the_package_saves_the_fetch() {
    let (stage, _folder, task) = packed().await;
    let mut variables = stage.environment();
    variables.insert("LAMBKIN_APP".to_owned(), "shop@live".to_owned());
    variables.insert("LAMBKIN_ALIAS_MAX_AGE_MS".to_owned(), "0".to_owned());
    let host = host(&stage, &task, variables);
    assert_eq!(host.get("x", "/items").await.1["version"], "packed");
    assert_eq!(source(&host), "package");
    // The same component with another environment: its artifact is still the packed one.
    stage.publish("shop", "web", "newer");
    assert_eq!(host.get("x", "/items").await.1["version"], "newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_can_be_made_of_sources_alone() {
    let stage = Stage::start().await;
    stage.publish("shop", "function", "source");
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("out/shop.zip");
    let mut command = Command::new(Programs::find().unwrap().lambkin);
    command.args(["package", "--output"]).arg(&zip).current_dir(stage.app("shop"));
    let printed = programs::run(&mut command).unwrap();
    assert_eq!(printed.trim(), zip.display().to_string());
    let mut archive = zip::ZipArchive::new(File::open(&zip).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert!(names.contains(&"lambkin/apps/shop/aliases/live.json".to_owned()), "{names:?}");
    let mode = archive.by_name("bootstrap").unwrap().unix_mode().unwrap();
    assert_eq!(mode & 0o777, 0o755);
    archive.extract(folder.path().join("task")).unwrap();
    let host = host(&stage, &folder.path().join("task"), BTreeMap::new());
    let answer = host.invoke(&http_event("x", "/")).await.unwrap();
    assert_eq!(answer["version"], "source");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_packed_is_named_and_no_zip_is_left() {
    let stage = Stage::start().await;
    let other = if cfg!(target_arch = "x86_64") { "aarch64" } else { "x86_64" };
    stage.publish_for("shop", "web", ("one", other));
    let folder = tempfile::tempdir().unwrap();
    let package = |arguments: &[&str]| {
        let all = [&["package"], arguments].concat();
        format!("{:#}", stage.lambkin(folder.path(), &all).unwrap_err())
    };
    let error = package(&["--app", "shop@live"]);
    assert!(error.contains("was not published for") && error.contains("--target"), "{error}");
    let error = package(&["--app", "shop@nightly"]);
    assert!(error.contains("shop@nightly is not in"), "{error}");
    let text = folder.path().join("host.txt");
    fs_err::write(&text, "no host").unwrap();
    let error = package(&["--app", "shop@live", "--bootstrap", text.to_str().unwrap()]);
    assert!(error.contains("host.txt") && error.contains("no ELF file"), "{error}");
    assert!(!folder.path().join("function.zip").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_another_version_is_refused_at_start() {
    let (stage, _folder, task) = packed().await;
    fs_err::write(task.join("lambkin/package.json"), r#"{"version":7,"app":"a","alias":"b"}"#)
        .unwrap();
    let host = host(&stage, &task, BTreeMap::new());
    let error = host.invoke(&http_event("x", "/")).await.unwrap_err();
    assert!(error["errorType"].as_str().is_some(), "{error}");
    let record = host.log.wait_for_text("bootstrap cannot start").unwrap();
    let message = record["message"].as_str().unwrap();
    assert!(
        message.contains("version is 7") && message.contains("package the app again"),
        "{message}"
    );
}
