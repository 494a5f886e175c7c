//! Builds a Go program from files in memory, compiles it for this machine and calls it.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use lambkin_build::{Home, Source, go};
use lambkin_engine::{
    ArtifactSource, Context, Engine, Grants, Invocation, InvokeError, LambdaFunction, Limits,
    Settings, Target, compile,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub(crate) const GO_MOD: &str =
    "module example.com/app\n\ngo 1.20\n\nrequire github.com/aws/aws-lambda-go v1.54.0\n";
pub(crate) const GO_SUM: &str = include_str!("../../../../templates/go-function/go.sum");

/// How long every invocation may take.
pub(crate) const TIME: Duration = Duration::from_secs(20);

/// Writes a program into a folder of the test's own.
pub(crate) fn app(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = shared().join(name);
    if root.exists() {
        fs_err::remove_dir_all(&root).unwrap();
    }
    for (path, text) in files {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    root
}

/// Builds the package in `root/path`.
pub(crate) fn build(root: &Path, path: &str) -> anyhow::Result<Vec<u8>> {
    let source = Source {
        name: "guest".to_owned(),
        root: root.to_owned(),
        path: root.join(path),
        handler: None,
        kind: None,
        engine: None,
        work: shared().join("work").join(root.file_name().unwrap()),
    };
    let built = go::build(&source, &Home::new(shared().join("home")), &|_| {})?;
    assert!(built.inputs.iter().all(|input| !source.work.starts_with(input)), "{:?}", built.inputs);
    Ok(built.wasm)
}

/// Compiles and loads a component.
pub(crate) fn load(wasm: &[u8]) -> Component {
    let artifact =
        compile::compile(wasm, Target::current(), Some(&shared().join("functions"))).unwrap();
    let engine = Engine::new(&Settings::default()).unwrap();
    Component(engine.load(ArtifactSource::Bytes(&artifact)).unwrap())
}

/// A component; each call is in an instance of its own.
pub(crate) struct Component(lambkin_engine::Component);

impl Component {
    /// Calls the function under `environment`.
    pub(crate) async fn call(
        &self,
        event: &str,
        environment: &[(&str, &str)],
    ) -> Result<String, InvokeError> {
        self.0.function(event, invocation(environment)).await.map(|(answer, _)| answer)
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn request(
        &self,
        line: &str,
        body: Vec<u8>,
    ) -> Result<http::Response<Bytes>, InvokeError> {
        let (method, path) = line.split_once(' ').unwrap();
        let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://shop.example{path}"))
            .header("x-forwarded-for", "203.0.113.7, 10.0.0.1")
            .body(body.boxed_unsync())
            .unwrap();
        let answer = self.0.http(request, invocation(&[])).await?;
        let (parts, body) = answer.response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        answer.usage.await?;
        Ok(http::Response::from_parts(parts, body))
    }

    /// Runs the command with `event` on its standard input.
    pub(crate) async fn run(&self, event: &str) -> Result<Bytes, InvokeError> {
        let event = Bytes::copy_from_slice(event.as_bytes());
        self.0.command(event, invocation(&[])).await.map(|(answer, _)| answer)
    }
}

fn invocation(environment: &[(&str, &str)]) -> Invocation {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seconds = environment
        .iter()
        .find(|(name, _)| *name == "SECONDS")
        .map(|(_, value)| value.parse().unwrap());
    let left = seconds.map_or(TIME, Duration::from_secs);
    Invocation {
        context: Context {
            request_id: "request-1".to_owned(),
            deadline_ms: u64::try_from((now + left).as_millis()).unwrap(),
            client_context: Some(
                r#"{"client": {"app_title": "Shop"}, "custom": {"k": "v"}}"#.to_owned(),
            ),
            function: LambdaFunction {
                name: "shop".to_owned(),
                version: "$LATEST".to_owned(),
                invoked_arn: "arn:aws:lambda:eu-west-1:1:function:shop".to_owned(),
                memory_mb: 256,
                log_group: "/aws/lambda/shop".to_owned(),
                log_stream: "stream".to_owned(),
            },
            ..Context::default()
        },
        deadline: Instant::now() + TIME,
        limits: Limits { memory_bytes: 256 * 1024 * 1024 },
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        config: BTreeMap::new(),
        grants: Grants::default(),
        output: Arc::new(|_, _| {}),
    }
}

/// A folder that outlives a run, so that only what has changed is built again.
fn shared() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("go")
}
