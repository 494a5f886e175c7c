//! `lambkin dev` as a place to work: what it shows of requests, and `lambkin logs`.

use crate::dev::scaffold;
use crate::server::Server;
use lambkin_tests::case::Request;
use lambkin_tests::client;
use lambkin_tests::programs::{self, Programs};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A handler that prints, fails and takes its time.
const HANDLER: &str = r#"
export const handler = async (event) => {
  const path = event.rawPath ?? event.do;
  console.log(`asked for ${path}`);
  if (path === "/fail") throw new Error("no luck");
  if (path === "/wait") await new Promise((done) => setTimeout(done, 25_000));
  console.error(`gave ${path}`);
  return { path };
};
"#;

/// How long the end of `lambkin dev` may take with requests under way.
pub(crate) const END: Duration = Duration::from_secs(6);

/// A running `lambkin dev` of that handler.
pub(crate) struct Dev {
    pub(crate) server: Server,
    pub(crate) app: PathBuf,
    _folder: TempDir,
}

impl Dev {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = scaffold(&folder, "js-function");
        fs_err::write(app.join("src/index.js"), HANDLER).unwrap();
        let server = Server::start(|command| {
            command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).args(arguments);
            command.current_dir(&app);
        });
        Self { server, app, _folder: folder }
    }

    pub(crate) fn state(&self) -> Value {
        serde_json::from_slice(&fs_err::read(self.app.join(".lambkin/dev.json")).unwrap()).unwrap()
    }

    pub(crate) fn endpoint(&self) -> String {
        self.state()["aws"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> u16 {
        let request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        client::send(self.server.address, &request).await.unwrap().status
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.server.child.id().to_string();
        programs::run(Command::new("kill").args(["-s", name, &pid])).unwrap();
    }

    /// Waits for the process to end; gives how long it took.
    pub(crate) fn end(&mut self) -> Duration {
        let begun = Instant::now();
        while self.server.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < END, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    /// The living processes of its sandboxes.
    pub(crate) fn sandboxes(&self) -> Vec<u32> {
        let parent = self.server.child.id();
        let output =
            Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }
}

pub(crate) fn lambkin(app: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(Programs::find().unwrap().lambkin);
    command.args(arguments).current_dir(app).stdin(Stdio::null());
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"] {
        command.env_remove(name);
    }
    command
}

fn logs(app: &Path, arguments: &[&str]) -> Output {
    lambkin(app, &[&["logs"], arguments].concat()).output().unwrap()
}

pub(crate) fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Each selection prints the same by the way that reaches AWS: an endpoint, a region and credentials from the environment.
fn reaches_aws_alike(dev: &Dev, selections: &[(&[&str], &str)]) {
    let remote = |selection: &[&str]| {
        let arguments = [&["logs", "--function", "shop"], selection].concat();
        let mut command = lambkin(&dev.app, &arguments);
        command.env("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", dev.endpoint());
        command.env("AWS_REGION", "us-east-1");
        command
    };
    let refused = remote(&[]).output().unwrap();
    assert!(text(&refused.stderr).contains("AWS_ACCESS_KEY_ID is not set"), "{refused:?}");
    for (selection, expected) in selections {
        let mut command = remote(selection);
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        assert_eq!(printed(&command.output().unwrap()), *expected, "{selection:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_prints_is_under_its_line_and_in_the_logs() {
    let mut dev = Dev::start(&[]);
    assert_eq!(dev.get("/hello").await, 200);
    assert_eq!(dev.get("/fail").await, 500);
    let line = dev.server.wait_for("GET /hello");
    assert!(line.trim_start().starts_with("200 GET /hello "), "{line}");
    let under: Vec<_> = (0..2).map(|_| dev.server.next_line()).collect();
    assert!(under.iter().any(|line| line.ends_with("| asked for /hello")), "{under:?}");
    assert!(under.iter().any(|line| line.ends_with("| gave /hello")), "{under:?}");
    let line = dev.server.wait_for("GET /fail");
    assert!(line.trim_start().starts_with("500 GET /fail ") && !line.contains('\u{1b}'), "{line}");
    dev.server.wait_for("| asked for /fail");
    dev.server.wait_for("no luck");

    let everything = printed(&logs(&dev.app, &["--json", "--level", "debug"]));
    let records: Vec<Value> =
        everything.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let asked = records.iter().find(|record| record["message"] == "asked for /fail").unwrap();
    let id = asked["requestId"].as_str().unwrap();
    assert_eq!((&asked["app"], &asked["level"]), (&"shop".into(), &"INFO".into()), "{asked}");
    let report = format!("REPORT RequestId: {id}\tDuration: ");
    assert!(
        records.iter().any(|record| record["message"].as_str().unwrap_or("").starts_with(&report))
    );

    let of_request = printed(&logs(&dev.app, &["--request-id", &id[..8]]));
    assert!(
        of_request.contains("asked for /fail") && !of_request.contains("/hello"),
        "{of_request}"
    );
    assert!(!of_request.contains("REPORT "), "{of_request}");
    let errors = printed(&logs(&dev.app, &["--level", "error"]));
    assert!(errors.contains("gave /hello") && !errors.contains("asked for"), "{errors}");
    let component = asked["component"].as_str().unwrap();
    assert!(printed(&logs(&dev.app, &["--component", component])).contains("asked for /hello"));
    assert_eq!(printed(&logs(&dev.app, &["--component", "another"])), "");
    assert_eq!(printed(&logs(&dev.app, &["--since", "2100-01-01T00:00:00Z"])), "");
    assert!(printed(&logs(&dev.app, &["--since", "1h"])).contains("asked for /hello"));
    assert!(printed(&logs(&dev.app, &["--app", "shop"])).contains("asked for /hello"));
    assert_eq!(printed(&logs(&dev.app, &["--app", "another"])), "");

    reaches_aws_alike(
        &dev,
        &[
            (&["--level", "debug", "--json"], &everything),
            (&["--request-id", &id[..8]], &of_request),
            (&["--level", "error", "--component", component, "--app", "shop"], &errors),
            (&["--app", "another"], ""),
        ],
    );

    dev.signal("TERM");
    dev.end();
    let after = logs(&dev.app, &[]);
    assert!(printed(&after).contains("asked for /hello"));
    assert!(text(&after.stderr).contains("what the last one left"));
    let refused = logs(&dev.app, &["--follow"]);
    assert!(
        !refused.status.success() && text(&refused.stderr).contains("no `lambkin dev` runs in")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn following_shows_what_comes_and_ends_with_the_local_cloud() {
    let mut dev = Dev::start(&[]);
    let mut follower = lambkin(&dev.app, &["logs", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(follower.stdout.take().unwrap());
    // The first request loads the component, which the host has a line for.
    let mut read = || {
        loop {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
            if !line.contains(" shop/host ") {
                return line;
            }
        }
    };
    for path in ["/first", "/second"] {
        dev.get(path).await;
        let asked = [read(), read()].concat();
        assert!(asked.contains(&format!("asked for {path}\n")), "{asked}");
        assert!(asked.contains(&format!("gave {path}\n")), "{asked}");
    }
    dev.signal("INT");
    dev.end();
    let output = follower.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("lambkin dev is gone"));
}
