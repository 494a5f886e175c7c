//! `lambkin dev`: edit, save, ask again.

use lambkin_tests::case::Request;
use lambkin_tests::client::{self, Answer};
use lambkin_tests::programs::{self, Programs};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a rebuild may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long nothing must happen before nothing is taken to happen.
const QUIET: Duration = Duration::from_secs(3);

/// A running `lambkin dev`.
struct Dev {
    child: Child,
    lines: Receiver<String>,
    address: SocketAddr,
}

impl Dev {
    fn start(app: &Path) -> Self {
        let mut command = Command::new(Programs::find().unwrap().lambkin);
        command.args(["dev", "--listen", "127.0.0.1:0"]).current_dir(app);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut dev = Self { child, lines, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let serving = dev.wait_for("Serving");
        let url = serving.split_once("http://").unwrap().1;
        dev.address = url.split_whitespace().next().unwrap().parse().unwrap();
        dev
    }

    /// The next line that has `text`.
    fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line has {text:?}; there are:\n{}", seen.join("\n"))
                }
            }
        }
    }

    /// Whether a line with `text` comes although nothing is done.
    fn says_by_itself(&self, text: &str) -> bool {
        std::iter::from_fn(|| self.lines.recv_timeout(QUIET).ok()).any(|line| line.contains(text))
    }

    async fn get(&self, path: &str) -> Answer {
        let request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        client::send(self.address, &request).await.unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scaffold(folder: &TempDir, template: &str) -> PathBuf {
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
