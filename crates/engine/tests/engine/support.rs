//! Builds the guests, compiles them once, and makes invocations of them.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use lambkin_engine::{
    ArtifactSource, Body, BodyError, Component, Context, Engine, Grants, HttpAnswer, Invocation,
    InvokeError, Limits, OutputSink, Settings, Stream, Target, Usage, compile,
};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

pub(crate) const MIB: u64 = 1 << 20;

/// The engine that most tests share, as the invocations of one host do.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let settings = Settings { concurrency: 128, ..Settings::default() };
    ENGINE.get_or_init(|| Engine::new(&settings).unwrap())
}

/// A guest, built for `wasm32-wasip2`.
pub(crate) fn wasm(guest: &str) -> Vec<u8> {
    read(&built("wasm32-wasip2"), guest)
}

/// A guest, built for `wasm32-wasip1`: a core module.
pub(crate) fn core_wasm(guest: &str) -> Vec<u8> {
    read(&built("wasm32-wasip1"), guest)
}

fn read(folder: &Path, guest: &str) -> Vec<u8> {
    let name = match guest {
        "command" => "lambkin-engine-guests.wasm".to_owned(),
        guest => format!("examples/{}.wasm", guest.replace('-', "_")),
    };
    fs_err::read(folder.join(name)).unwrap()
}

/// The folder that holds the guests for a target.
fn built(target: &'static str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
    // A poisoned lock is another test whose build failed; it fails here once more, with the same message.
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    built.entry(target).or_insert_with(|| build(target)).clone()
}

fn build(target: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let mut cargo = toolchain_with(target);
    cargo
        .args([
            "build",
            "--locked",
            "--release",
            "--bins",
            "--examples",
            "--target",
            target,
            "--target-dir",
        ])
        .arg(&folder)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests"));
    let output = cargo.output().unwrap();
    assert!(
        output.status.success(),
        "the guests do not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder.join(target).join("release")
}

/// Cargo of the toolchain that is in use if it can build for the target, else of the toolchain `wasm-guest`.
fn toolchain_with(target: &str) -> Command {
    let libraries =
        command("rustc").args(["--print", "target-libdir", "--target", target]).output().unwrap();
    if Path::new(String::from_utf8_lossy(&libraries.stdout).trim()).exists() {
        return command("cargo");
    }
    let mut guest = command("rustup");
    guest.args(["run", "wasm-guest"]);
    let found = command("rustup").args(["run", "wasm-guest", "rustc", "--version"]).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "no toolchain builds for {target}: run `rustup target add {target}`, or link one as `wasm-guest`"
    );
    guest.arg("cargo");
    guest
}

/// A command without what cargo, rustup and clippy have left in the environment for this build.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTC",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
    ] {
        command.env_remove(name);
    }
    command
}

/// An artifact of a component for this machine.
pub(crate) fn artifact(wasm: &[u8]) -> Vec<u8> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    compile::compile(wasm, Target::current(), Some(&cache)).unwrap()
}

/// A guest, loaded into the shared engine.
pub(crate) fn component(guest: &'static str) -> Component {
    static LOADED: Mutex<BTreeMap<&str, Component>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    loaded.entry(guest).or_insert_with(|| load(&wasm(guest))).clone()
}

/// A component, loaded into the shared engine from a file, as a host does; it stays mapped when its name is gone.
pub(crate) fn load(wasm: &[u8]) -> Component {
    load_into(engine(), wasm)
}

pub(crate) fn load_into(engine: &Engine, wasm: &[u8]) -> Component {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), artifact(wasm)).unwrap();
    engine.load(ArtifactSource::File(file.path())).unwrap()
}

/// What guests wrote, line by line.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<(Stream, String)>>>);

impl Output {
    pub(crate) fn lines(&self, stream: Stream) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|(from, _)| *from == stream).map(|(_, line)| line.clone()).collect()
    }

    /// What writes here.
    pub(crate) fn sink(&self) -> OutputSink {
        let lines = Arc::clone(&self.0);
        Arc::new(move |stream, line| lines.lock().unwrap().push((stream, line.to_owned())))
    }
}

/// An invocation with ten seconds, 64 MiB, and nothing granted.
pub(crate) fn invocation() -> (Invocation, Output) {
    let output = Output::default();
    let invocation = Invocation {
        context: Context { request_id: "request-1".to_owned(), ..Context::default() },
        deadline: Instant::now() + Duration::from_secs(10),
        limits: Limits { memory_bytes: 64 * MIB },
        reuse: None,
        capabilities: lambkin_engine::Capabilities::default(),
        output_of_several: None,
        environment: Vec::new(),
        config: BTreeMap::new(),
        grants: Grants::default(),
        output: output.sink(),
    };
    (invocation, output)
}

/// What sets two invocations apart, so that no instance serves both.
pub(crate) const APART: [fn(&mut Invocation); 9] = [
    |one| "other".clone_into(&mut one.context.app),
    |one| "other".clone_into(&mut one.context.release),
    |one| "other".clone_into(&mut one.context.component),
    |one| one.context.tenant = Some("other".to_owned()),
    |one| one.environment.push(("A".to_owned(), "b".to_owned())),
    |one| drop(one.config.insert("a".to_owned(), "b".to_owned())),
    |one| one.grants.http.push("https://api.example.com".to_owned()),
    |one| one.grants.private_network = true,
    |one| one.limits.memory_bytes -= 1,
];

pub(crate) fn body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn get(path: &str) -> ::http::Request<Body> {
    ::http::Request::get(format!("https://shop.example{path}")).body(body("")).unwrap()
}

/// What came of a request when the guest has ended.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Result<Bytes, BodyError>,
    pub(crate) end: Result<Usage, InvokeError>,
}

impl Answered {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_ref().unwrap()).unwrap()
    }
}

/// Calls and reads all of the answer.
pub(crate) async fn call(
    guest: &'static str,
    request: ::http::Request<Body>,
    invocation: Invocation,
) -> Result<Answered, InvokeError> {
    let HttpAnswer { response, usage } = component(guest).http(request, invocation).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    let header = |(name, value): (&::http::HeaderName, &::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    Ok(Answered {
        status: parts.status.as_u16(),
        headers: parts.headers.iter().map(header).collect(),
        body,
        end: usage.await,
    })
}

/// The text that a guest answers a `GET` with, when nothing is granted.
pub(crate) async fn text(guest: &'static str, path: &str) -> String {
    call(guest, get(path), invocation().0).await.unwrap().text().to_owned()
}
