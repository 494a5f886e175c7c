//! `lambkin dev`: edit, save, ask again.

use crate::server::Server;
use lambkin_tests::case::Request;
use lambkin_tests::client::{self, Answer};
use lambkin_tests::programs::{self, Programs};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// How long nothing must happen before nothing is taken to happen.
const QUIET: Duration = Duration::from_secs(3);

/// A running `lambkin dev`.
struct Dev(Server);

impl Dev {
    fn start(app: &Path) -> Self {
        Self::with(app, &[])
    }

    fn with(app: &Path, options: &[&str]) -> Self {
        Self(Server::start(|command| {
            command.args(["dev", "--listen", "127.0.0.1:0"]).args(options).current_dir(app);
        }))
    }

    fn wait_for(&self, text: &str) -> String {
        self.0.wait_for(text)
    }

    /// Whether a line with `text` comes although nothing is done.
    fn says_by_itself(&self, text: &str) -> bool {
        self.0.says_within(text, QUIET)
    }

    async fn get(&self, path: &str) -> Answer {
        let request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        client::send(self.0.address, &request).await.unwrap()
    }
}

pub(crate) fn scaffold(folder: &TempDir, template: &str) -> PathBuf {
    let mut command = Command::new(Programs::find().unwrap().lambkin);
    command.args(["new", "shop", "--template", template]).current_dir(folder.path());
    programs::run(&mut command).unwrap();
    folder.path().join("shop")
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = fs_err::read_to_string(file).unwrap();
    assert!(text.contains(old), "{} does not say {old:?}", file.display());
    fs_err::write(file, text.replace(old, new)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_source_answers_the_next_request_and_a_broken_one_does_not_take_it_down() {
    let folder = tempfile::tempdir().unwrap();
    let app = scaffold(&folder, "js-function");
    let source = app.join("src/index.js");
    let dev = Dev::start(&app);
    assert!(String::from_utf8_lossy(&dev.get("/").await.body).contains("Hello from shop"));
    replace(&source, "Hello from", "Greetings from");
    dev.wait_for("Reloaded");
    assert!(String::from_utf8_lossy(&dev.get("/").await.body).contains("Greetings from shop"));
    assert!(!dev.says_by_itself("Reloaded"), "its own outputs were taken for an edit");

    replace(&source, "export const handler", "export const const handler");
    dev.wait_for("the version before keeps answering");
    assert!(String::from_utf8_lossy(&dev.get("/").await.body).contains("Greetings from shop"));
    replace(&source, "export const const handler", "export const handler");
    dev.wait_for("Reloaded");

    // A route that is added is served without a restart.
    let manifest = app.join("lambkin.toml");
    replace(&manifest, "$default", "/only/{proxy+}");
    dev.wait_for("Reloaded");
    assert_eq!(dev.get("/elsewhere").await.status, 404);
    assert_eq!(dev.get("/only/this").await.status, 200);
}

/// A template of each language, and the file of it that says hello.
const TEMPLATES: [(&str, &str); 5] = [
    ("js-function", "src/index.js"),
    ("ts-function", "src/index.ts"),
    ("python-function", "src/app.py"),
    ("go-function", "main.go"),
    ("rust-function", "src/lib.rs"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_each_language_is_answered_next_and_its_time_is_told() {
    for (template, source) in TEMPLATES {
        let folder = tempfile::tempdir().unwrap();
        let app = scaffold(&folder, template);
        // A first build from nothing may take longer than a server is waited for.
        let mut build = Command::new(Programs::find().unwrap().lambkin);
        programs::run(build.arg("build").current_dir(&app)).unwrap();
        let dev = Dev::start(&app);
        let said = async || String::from_utf8_lossy(&dev.get("/").await.body).into_owned();
        assert!(said().await.contains("Hello from"), "{template}");
        replace(&app.join(source), "Hello from", "Greetings from");
        let line = dev.wait_for("Reloaded");
        assert!(said().await.contains("Greetings from"), "{template}");
        // Such as `Reloaded shop 312 ms after the change (290 ms of building)`.
        let (all, building) = line.split_once(" ms after the change (").unwrap();
        let all: u64 = all.rsplit(' ').next().unwrap().parse().unwrap();
        let building = building.strip_suffix(" ms of building)").unwrap();
        assert!(building.parse::<u64>().unwrap() <= all, "{template}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_has_lambdas_longest_time_and_the_one_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let app = scaffold(&folder, "js-function");
    let told =
        "export const handler = async (_, context) => `${context.getRemainingTimeInMillis()}`;\n";
    fs_err::write(app.join("src/index.js"), told).unwrap();
    let remaining = async |dev: Dev| -> u64 {
        std::str::from_utf8(&dev.get("/").await.body).unwrap().parse().unwrap()
    };
    let longest = remaining(Dev::start(&app)).await;
    assert!((600_000..=900_000).contains(&longest), "{longest} ms");
    let limited = Dev::with(&app, &["--timeout", "29"]);
    assert!((10_000..=29_000).contains(&remaining(limited).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_of_a_static_route_is_served_next() {
    let folder = tempfile::tempdir().unwrap();
    let app = scaffold(&folder, "js-function");
    let manifest = app.join("lambkin.toml");
    let text = fs_err::read_to_string(&manifest).unwrap();
    let route = "\n[[route]]\npath = \"/site/{proxy+}\"\nstatic = \"public\"\n";
    fs_err::write(&manifest, text + route).unwrap();
    let page = app.join("public/pages/index.html");
    fs_err::create_dir_all(page.parent().unwrap()).unwrap();
    fs_err::write(&page, "one").unwrap();
    let dev = Dev::start(&app);
    assert_eq!(dev.get("/site/pages/").await.body, "one");
    fs_err::write(&page, "two").unwrap();
    dev.wait_for("Reloaded static files");
    assert_eq!(dev.get("/site/pages/").await.body, "two");
    assert!(!dev.says_by_itself("Reloaded"), "its own outputs were taken for an edit");
}
