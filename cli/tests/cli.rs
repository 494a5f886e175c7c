//! `lambkin` as its users see it: wrong input, publishing, roll-back, races. What the host does with a release is
//! tested in `tests/`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A WASI command that prints `ANSWER` and ends.
const PROGRAM: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "ANSWER")
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

const MANIFEST: &str = r#"lambkin = 1

[app]
name = "shop"

[component.web]
language = "wasm"
source = "web.wasm"

[[route]]
path = "/{proxy+}"
component = "web"
"#;

/// An app in a folder of its own, with a store beside it.
struct App(TempDir);

impl App {
    fn new() -> Self {
        let app = Self(tempfile::tempdir().unwrap());
        app.write("lambkin.toml", MANIFEST);
        app.answers("\\\"one\\\" ");
        app
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs_err::write(self.path().join(file), text).unwrap();
    }

    /// Gives the component a program that prints `text`: six bytes.
    fn answers(&self, text: &str) {
        self.write("web.wasm", wat::parse_str(PROGRAM.replace("ANSWER", text)).unwrap());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lambkin"));
        command.args(arguments).current_dir(self.path());
        command.env("LAMBKIN_HOME", self.path().join("home"));
        command.env("LAMBKIN_STORE", self.path().join("store"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed and gives its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn publish(&self) -> String {
        let report = self.json(&["publish", "--target", "x86_64"]);
        report["release"].as_str().unwrap().to_owned()
    }

    /// The release that the alias `live` points to.
    fn live(&self) -> Value {
        self.json(&["alias", "live"])["targets"][0]["release"].clone()
    }

    /// Runs a command that must fail, and holds what it says against `parts`.
    fn fails(&self, arguments: &[&str], parts: &[&str]) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        for part in parts {
            assert!(said.contains(part), "{arguments:?} does not say {part:?}:\n{said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_warm_up_event_that_cannot_be_one_is_told_before_the_build() {
    let app = App::new();
    let manifest = MANIFEST.replace("\n\n[[route]]", "\nwarmup = \"event.json\"\n\n[[route]]");
    app.write("lambkin.toml", manifest);
    app.fails(&["publish"], &["event.json cannot be read", "`warmup` in [component.web]"]);
    app.write("event.json", "{");
    app.fails(&["publish"], &["event.json is not JSON", "EOF"]);
    app.write("event.json", format!("\"{}\"", "x".repeat(70_000)));
    app.fails(&["publish"], &["event.json has 70002 bytes, and 65536 fit"]);
    app.write("event.json", "{ \"a\": 1 }\n");
    app.publish();
}

#[test]
fn a_wrong_manifest_is_named_with_line_and_column() {
    let app = App::new();
    app.write("lambkin.toml", MANIFEST.replace("source =", "sauce ="));
    app.fails(&["build"], &["lambkin.toml", "sauce", "line 8, column 1", "hint"]);
    app.write("lambkin.toml", MANIFEST.replace("lambkin = 1", "lambkin = 2"));
    app.fails(&["build"], &["lambkin.toml", "2"]);
    app.write("lambkin.toml", MANIFEST.replace("\"web\"\n", "\"wep\"\n"));
    app.fails(&["build"], &["wep", "web"]);
    fs_err::remove_file(app.path().join("lambkin.toml")).unwrap();
    app.fails(&["build"], &["there is no", "lambkin.toml", "lambkin new"]);
}

#[test]
fn a_wrong_source_is_named() {
    let app = App::new();
    fs_err::remove_file(app.path().join("web.wasm")).unwrap();
    app.fails(&["build"], &["web", "does not exist", "hint"]);
    app.write("web.wasm", "hello");
    app.fails(&["build"], &["web.wasm"]);
    app.write("web.wasm", wat::parse_str(PROGRAM.replace("fd_write", "fd_dance")).unwrap());
    app.fails(&["build"], &["fd_dance"]);
}

#[test]
fn a_reuse_without_effect_is_pointed_out() {
    let app = App::new();
    for command in [&["build"][..], &["publish", "--target", "x86_64"]] {
        app.write("lambkin.toml", MANIFEST);
        assert!(!text(&app.run(command).stderr).contains("reuse"));
        app.write("lambkin.toml", MANIFEST.replace("source =", "reuse = {}\nsource ="));
        let output = app.run(command);
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("`reuse` has no effect: a command runs once"), "{said}");
    }
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let app = App::new();
    app.fails(&["new", "shop", "--template", "cobol"], &["cobol", "rust-function", "python-http"]);
    app.fails(&["new", "Shop!", "--template", "rust-http"], &["Shop!", "lower-case"]);
    app.fails(&["alias", "live"], &["shop@live", "lambkin publish"]);
    app.publish();
    app.fails(&["alias", "staging"], &["shop@staging", "live"]);
    app.fails(&["alias", "live", "--to", "0123"], &["0123", "lambkin releases"]);
    app.fails(&["publish", "--store", "ftp://x"], &["ftp://x", "s3://"]);
    app.fails(&["publish", "--target", "mips"], &["mips", "x86_64"]);
    app.fails(&["inspect", "nothing"], &["nothing"]);
    app.fails(&["invoke", "--event", "event.json"], &["event.json"]);
}

#[test]
fn a_second_publish_uploads_nothing_and_a_rollback_goes_back() {
    let app = App::new();
    let first = app.publish();
    assert_eq!(app.live(), first.as_str());
    let again = app.json(&["publish", "--target", "x86_64"]);
    assert_eq!((&again["release"], &again["uploadedObjects"]), (&first.clone().into(), &0.into()));
    app.answers("\\\"two\\\" ");
    let second = app.publish();
    assert_ne!(first, second);
    assert_eq!(app.live(), second.as_str());
    app.json(&["alias", "live", "--rollback"]);
    assert_eq!(app.live(), first.as_str());
    app.json(&["alias", "live", "--to", &second[..8]]);
    assert_eq!(app.live(), second.as_str());
    let releases = app.json(&["releases"]);
    assert_eq!(releases.as_array().unwrap().len(), 2);
    let release = app.json(&["inspect", "live"]);
    assert_eq!(release["components"]["web"]["world"], "command");
    assert!(release["components"]["web"]["artifacts"]["x86_64"]["size"].as_u64().unwrap() > 0);
}

#[test]
fn of_two_publishers_one_wins_and_the_other_is_told() {
    let (one, two) = (App::new(), App::new());
    two.answers("\\\"two\\\" ");
    for _ in 0..3 {
        // A release that is neither racer's.
        one.answers("\\\"six\\\" ");
        let base = one.publish();
        one.answers("\\\"one\\\" ");
        let racers = [&one, &two].map(|app| {
            let mut command = app.command(&["publish", "--target", "x86_64", "--expect", &base]);
            command.args(["--format", "json"]).env("LAMBKIN_STORE", one.path().join("store"));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        let (winners, losers): (Vec<Output>, Vec<Output>) = racers
            .into_iter()
            .map(|racer| racer.wait_with_output().unwrap())
            .partition(|output| output.status.success());
        let ([winner], [loser]) = (winners.as_slice(), losers.as_slice()) else {
            panic!("{} of two won", winners.len())
        };
        let said = text(&loser.stderr);
        assert!(said.contains("shop@live") && said.contains("hint"), "{said}");
        let report: Value = serde_json::from_slice(&winner.stdout).unwrap();
        assert_eq!(one.live(), report["release"]);
    }
}

#[test]
fn a_publish_that_is_killed_leaves_the_old_release_live_and_whole() {
    let app = App::new();
    let first = app.publish();
    for (round, word) in ["two", "six", "ten", "old", "new"].into_iter().enumerate() {
        app.answers(&format!("\\\"{word}\\\" "));
        let mut publisher = app.command(&["publish", "--target", "x86_64"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(15 * round as u64));
        publisher.kill().unwrap();
        publisher.wait().unwrap();
        let live = app.live();
        let live = live.as_str().unwrap();
        let release = app.json(&["inspect", live]);
        assert_eq!(release["app"], "shop");
        if live == first {
            continue;
        }
        app.json(&["alias", "live", "--to", &first]);
    }
    app.publish();
    assert_ne!(app.live(), first.as_str(), "the next publish goes through");
}

#[test]
fn scripts_get_schema_and_completions() {
    let app = App::new();
    let output = app.run(&["schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["properties"]["component"].is_object());
    let output = app.run(&["completions", "bash"]);
    assert!(text(&output.stdout).contains("publish"));
}
