//! `lambkin dev` as a place to work: AWS's own command against it, `lambkin logs`, and how it begins and ends.

use crate::dev::scaffold;
use crate::server::Server;
use lambkin_tests::case::Request;
use lambkin_tests::client;
use lambkin_tests::programs::{self, Programs};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
const END: Duration = Duration::from_secs(6);

struct Dev {
    server: Server,
    app: PathBuf,
    _folder: TempDir,
}

impl Dev {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = scaffold(&folder, "js-function");
        fs_err::write(app.join("src/index.js"), HANDLER).unwrap();
        let server = Server::start(|command| {
            command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).args(arguments);
            command.current_dir(&app);
        });
        Self { server, app, _folder: folder }
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&fs_err::read(self.app.join(".lambkin/dev.json")).unwrap()).unwrap()
    }

    fn endpoint(&self) -> String {
        self.state()["aws"].as_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> u16 {
        let request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        client::send(self.server.address, &request).await.unwrap().status
    }

    fn signal(&self, name: &str) {
        let pid = self.server.child.id().to_string();
        programs::run(Command::new("kill").args(["-s", name, &pid])).unwrap();
    }

    /// Waits for the process to end; gives how long it took.
    fn end(&mut self) -> Duration {
        let begun = Instant::now();
        while self.server.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < END, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    /// The living processes of its sandboxes.
    fn sandboxes(&self) -> Vec<u32> {
        let parent = self.server.child.id();
        let output =
            Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }
}

fn lambkin(app: &Path, arguments: &[&str]) -> Command {
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

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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

    // The same by the way that reaches AWS: an endpoint, a region and credentials from the environment.
    let mut remote =
        lambkin(&dev.app, &["logs", "--function", "shop", "--level", "debug", "--json"]);
    remote.env("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", dev.endpoint()).env("AWS_REGION", "us-east-1");
    let refused = remote.output().unwrap();
    assert!(text(&refused.stderr).contains("AWS_ACCESS_KEY_ID is not set"), "{refused:?}");
    remote.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    assert_eq!(printed(&remote.output().unwrap()), everything);

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

#[tokio::test(flavor = "multi_thread")]
async fn awss_own_command_invokes_and_reads_logs() {
    let dev = Dev::start(&["--reserved-concurrency", "1"]);
    let aws = |arguments: &[&str]| {
        let mut command = Command::new(programs::tool("awscli-1.46.3/bin/aws").unwrap());
        command.args(["--endpoint-url", &dev.endpoint(), "--output", "json"]).args(arguments);
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_MAX_ATTEMPTS", "1");
        command.current_dir(&dev.app).output().unwrap()
    };
    let json = |output: &Output| -> Value { serde_json::from_str(&printed(output)).unwrap() };
    let invoke = ["lambda", "invoke", "--function-name", "shop", "--payload"];
    let answer = json(&aws(&[&invoke[..], &[r#"{"do":"work"}"#, "answer.json"]].concat()));
    assert_eq!(answer["StatusCode"], 200, "{answer}");
    let payload = fs_err::read_to_string(dev.app.join("answer.json")).unwrap();
    assert_eq!(payload, r#"{"path":"work"}"#);
    dev.server.wait_for("invoke");

    let output = ["--invocation-type", "Event", "later.json"];
    let answer = json(&aws(&[&invoke[..], &[r#"{"do":"later"}"#], &output[..]].concat()));
    assert_eq!(answer["StatusCode"], 202, "{answer}");
    dev.server.wait_for("| asked for later");
    let filter = ["logs", "filter-log-events", "--log-group-name", "/aws/lambda/shop"];
    let events = json(&aws(&[&filter[..], &["--filter-pattern", "asked"]].concat()));
    let events = events["events"].as_array().unwrap();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[1]["message"].as_str().unwrap().contains("asked for later"), "{events:?}");
    let functions = json(&aws(&["lambda", "list-functions"]));
    assert_eq!(functions["Functions"][0]["FunctionName"], "shop");

    // One request is as many as there may be; the next is refused as Lambda does.
    let address = dev.server.address;
    let waiting = tokio::spawn(async move {
        let request: Request = toml::from_str("path = '/wait'").unwrap();
        client::send(address, &request).await
    });
    dev.server.wait_for("| asked for /wait");
    let refused = aws(&[&invoke[..], &["{}", "refused.json"]].concat());
    let said = text(&refused.stderr);
    assert!(
        said.contains("(TooManyRequestsException)") && said.contains("Rate Exceeded."),
        "{said}"
    );
    waiting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_dev_and_taken_ports_are_refused_with_the_next_step() {
    let dev = Dev::start(&[]);
    let second = lambkin(&dev.app, &["dev", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = text(&second.stderr);
    let (address, pid) = (dev.server.address, dev.server.child.id());
    assert!(!second.status.success());
    assert!(said.contains(&format!("http://{address}, process {pid}")), "{said}");
    assert!(said.contains(&format!("kill {pid}")), "{said}");
    assert_eq!(dev.state()["process"], pid, "the first is not disturbed");

    let folder = tempfile::tempdir().unwrap();
    let other = scaffold(&folder, "js-function");
    let taken = address.to_string();
    for arguments in [["--listen", &taken], ["--listen-aws", &taken]] {
        let mut command = lambkin(&other, &["dev"]);
        if arguments[0] != "--listen" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let refused = command.args(arguments).output().unwrap();
        let said = text(&refused.stderr);
        assert!(!refused.status.success() && said.contains(&taken), "{said}");
        assert!(said.contains(&format!("another address with {}", arguments[0])), "{said}");
    }

    // The port beside may be another program's: then there is another.
    let holder = loop {
        let app = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut beside = app.local_addr().unwrap();
        beside.set_port(beside.port().saturating_add(1));
        if let Ok(held) = TcpListener::bind(beside) {
            break (held, app.local_addr().unwrap());
        }
    };
    let (held, listen) = (holder.0.local_addr().unwrap(), holder.1.to_string());
    let server = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", &listen]).current_dir(&other);
    });
    assert_eq!(server.address.to_string(), listen);
    let state = fs_err::read_to_string(other.join(".lambkin/dev.json")).unwrap();
    assert!(!state.contains(&held.to_string()), "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_with_requests_under_way_ends_soon_and_leaves_nothing() {
    let mut dev = Dev::start(&[]);
    let address = dev.server.address;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn(async move {
                let request: Request = toml::from_str("path = '/wait'").unwrap();
                client::send(address, &request).await
            })
        })
        .collect();
    // What takes long is shown before its end.
    dev.server.wait_for("| asked for /wait");
    let sandboxes = dev.sandboxes();
    assert_eq!(sandboxes.len(), 3);
    dev.signal("INT");
    dev.end();
    for request in waiting {
        let _ = request.await.unwrap();
    }
    let left = sandboxes.iter().filter(|pid| Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(left.count(), 0);
    assert!(!dev.app.join(".lambkin/dev.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_hosts_under_load_fails_only_their_own_requests() {
    const KILLS: usize = 6;
    let mut dev = Dev::start(&["--max-sandboxes", "3"]);
    let address = dev.server.address;
    let end = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let end = Arc::clone(&end);
            tokio::spawn(async move {
                let request: Request = toml::from_str("path = '/work'").unwrap();
                let (mut answered, mut failed) = (0, 0);
                while !end.load(Ordering::Relaxed) {
                    match client::send(address, &request).await.unwrap().status {
                        200 => answered += 1,
                        500 => failed += 1,
                        other => panic!("status {other}"),
                    }
                }
                (answered, failed)
            })
        })
        .collect();
    let mut killed = BTreeSet::new();
    while killed.len() < KILLS {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let Some(victim) = dev.sandboxes().into_iter().find(|pid| !killed.contains(pid)) else {
            continue;
        };
        killed.insert(victim);
        programs::run(Command::new("kill").args(["-s", "KILL", &victim.to_string()])).unwrap();
    }
    end.store(true, Ordering::Relaxed);
    let (mut answered, mut failed) = (0, 0);
    for client in clients {
        let (more_answered, more_failed) = client.await.unwrap();
        answered += more_answered;
        failed += more_failed;
    }
    assert!(answered > 0 && failed <= KILLS, "{answered} answered, {failed} failed");
    assert_eq!(dev.get("/after").await, 200);
    let sandboxes = dev.sandboxes();
    dev.signal("TERM");
    dev.end();
    assert!(sandboxes.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dev_leaves_no_process_and_no_lock() {
    let mut dev = Dev::start(&[]);
    dev.get("/").await;
    let sandboxes = dev.sandboxes();
    assert_eq!(sandboxes.len(), 1);
    dev.signal("KILL");
    dev.end();
    assert!(dev.app.join(".lambkin/dev.json").exists());
    let again = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(&dev.app);
    });
    drop(again);
    let begun = Instant::now();
    while sandboxes.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
        assert!(begun.elapsed() < END, "a sandbox outlives its parent");
        std::thread::sleep(Duration::from_millis(20));
    }
}
