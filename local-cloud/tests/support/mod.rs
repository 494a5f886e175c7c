//! What the tests of the local cloud share: Python with independent clients, functions to invoke, and a plain HTTP client.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod judge;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fs_err as fs;
use http_body_util::{BodyExt as _, Full};
use lambkin_local_cloud::lambda::{Function, LogLine, Settings};
use serde_json::Value;

pub(crate) use judge::{event_models, installed, judge, run, tools};

/// The clients that nobody here wrote, pinned.
const PACKAGES: [&str; 3] = ["boto3==1.44.5", "awslambdaric==4.2.2", "websockets==17.4"];

/// A Python interpreter and the folder its clients are in, installed once per machine.
pub(crate) struct Python {
    pub(crate) interpreter: PathBuf,
    pub(crate) packages: PathBuf,
}

pub(crate) fn python() -> &'static Python {
    static PYTHON: OnceLock<Python> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let interpreter =
            run(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]));
        let packages = installed("local-cloud-test-clients-2", &PACKAGES);
        Python { interpreter: interpreter.trim().into(), packages }
    })
}

/// Runs one of the test scripts with the clients at hand, off the event loop.
pub(crate) async fn run_script(name: &str, arguments: &[&str]) -> String {
    let python = python();
    let mut command = Command::new(&python.interpreter);
    command.env("PYTHONPATH", &python.packages).arg(tests().join(name)).args(arguments);
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

/// Runs Python with the clients at hand, off the event loop.
pub(crate) async fn run_script_text(script: &str, arguments: &[&str]) -> String {
    let python = python();
    let mut command = Command::new(&python.interpreter);
    command.env("PYTHONPATH", &python.packages).arg("-c").arg(script).args(arguments);
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

/// A program that `cargo xtask setup` installs, by its path in the folder of tools.
pub(crate) fn tool(path: &str) -> PathBuf {
    let tool = tools().join(path);
    assert!(tool.exists(), "{} is missing; run `cargo xtask setup`", tool.display());
    tool
}

pub(crate) fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// A bootstrap that runs a Python file of `tests/bootstraps` by `arguments` of the interpreter.
pub(crate) fn python_bootstrap(folder: &Path, arguments: &str) -> PathBuf {
    let python = python();
    let script = format!(
        "#!/bin/sh\nPYTHONPATH='{}:{}' exec '{}' {arguments}\n",
        python.packages.display(),
        tests().join("bootstraps").display(),
        python.interpreter.display()
    );
    write_executable(&folder.join("bootstrap"), &script)
}

pub(crate) fn write_executable(path: &Path, script: &str) -> PathBuf {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    path.to_owned()
}

/// A function and all that it logs.
pub(crate) struct Logged {
    pub(crate) function: Function,
    pub(crate) lines: Arc<Mutex<Vec<LogLine>>>,
    pub(crate) folder: tempfile::TempDir,
}

impl Logged {
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.lines().into_iter().map(|line| line.text).collect()
    }
}

/// `tests/bootstraps/handler.py` on AWS's own Python runtime client.
pub(crate) fn python_function(adjust: impl FnOnce(&mut Settings)) -> Logged {
    logged(|folder| python_bootstrap(folder, "-m awslambdaric handler.handler"), adjust)
}

pub(crate) fn logged(
    bootstrap: impl FnOnce(&Path) -> PathBuf,
    adjust: impl FnOnce(&mut Settings),
) -> Logged {
    let folder = tempfile::tempdir().unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut settings = Settings::new(bootstrap(folder.path()), "tested");
    settings.timeout = Duration::from_secs(20);
    settings.environment =
        BTreeMap::from([("SCRATCH".to_owned(), folder.path().display().to_string())]);
    let sink = Arc::clone(&lines);
    settings.on_log = Arc::new(move |line| sink.lock().unwrap().push(line));
    adjust(&mut settings);
    Logged { function: Function::start(settings).unwrap(), lines, folder }
}

/// Looks again and again until something holds; fails the test when it does not within ten seconds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The state letter of a process, such as `T` for stopped; nothing when it is gone.
pub(crate) fn process_state(pid: u64) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let state = stat.rsplit_once(") ")?.1.chars().next();
    // A zombie is gone but for its number.
    state.filter(|state| *state != 'Z')
}

pub(crate) fn signal(pid: u64, name: impl AsRef<OsStr>) {
    run(Command::new("kill").arg("-s").arg(name).arg(pid.to_string()));
}

/// A response read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

/// Sends one request on a connection of its own and gives the response's head, its body unread.
pub(crate) async fn open(
    address: SocketAddr,
    request: http::Request<Vec<u8>>,
) -> http::Response<hyper::body::Incoming> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let mut request = request.map(|body| Full::new(Bytes::from(body)));
    if !request.headers().contains_key("host") {
        request.headers_mut().insert("host", address.to_string().parse().unwrap());
    }
    sender.send_request(request).await.unwrap()
}

pub(crate) async fn send(address: SocketAddr, request: http::Request<Vec<u8>>) -> Reply {
    let (parts, body) = open(address, request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, http::Request::get(path).body(Vec::new()).unwrap()).await
}
