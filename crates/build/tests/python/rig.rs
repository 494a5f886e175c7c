//! Builds an app from files in memory, compiles it for this machine and calls it.

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt as _, Full};
use lambkin_build::{BuildFailure, Home, Source, python};
use lambkin_engine::{
    ArtifactSource, Context, Engine, Grants, Invocation, InvokeError, LambdaFunction, Limits,
    Settings, Stream, Target, compile,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

pub(crate) const REQUEST_ID: &str = "8f5b1a2e-0000-4000-8000-000000000001";

/// An app's files in a folder of the test's own.
pub(crate) struct App {
    root: PathBuf,
    handler: Option<String>,
}

impl App {
    pub(crate) fn new(name: &str) -> Self {
        let root = shared().join(name);
        let app = root.join("app");
        if app.exists() {
            fs_err::remove_dir_all(&app).unwrap();
        }
        fs_err::create_dir_all(&app).unwrap();
        Self { root, handler: None }
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.root.join("app").join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        self
    }

    pub(crate) fn handler(mut self, handler: &str) -> Self {
        self.handler = Some(handler.to_owned());
        self
    }

    fn build(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let root = self.root.join("app");
        let source = Source {
            name: "web".to_owned(),
            path: root.join(path),
            root,
            handler: self.handler.clone(),
            kind: None,
            engine: None,
            work: self.root.join("work"),
        };
        let built = python::build(&source, &Home::new(shared().join("home")), &|_| {})?;
        assert!(built.inputs.iter().all(|input| input.exists()));
        Ok(built.wasm)
    }

    /// The app's component, ready to be called.
    pub(crate) fn component(&self, path: &str) -> Component {
        let wasm = self.build(path).unwrap();
        let artifact =
            compile::compile(&wasm, Target::current(), Some(&shared().join("functions"))).unwrap();
        let engine = Engine::new(&Settings::default()).unwrap();
        let component = engine.load(ArtifactSource::Bytes(&artifact)).unwrap();
        Component { component, output: Arc::default() }
    }
}

/// What the user reads when the build of `app` fails.
pub(crate) fn failure(app: &App, path: &str) -> String {
    let error = app.build(path).expect_err("the build should fail");
    error.downcast::<BuildFailure>().expect("a failure of the app's own").to_string()
}

/// A component and what it wrote.
pub(crate) struct Component {
    component: lambkin_engine::Component,
    output: Arc<Mutex<Vec<String>>>,
}

impl Component {
    /// Calls a function component in an instance of its own.
    pub(crate) async fn call(&self, event: Value) -> Result<Value, InvokeError> {
        let (answer, _) = self.component.function(&event.to_string(), self.invocation()).await?;
        Ok(serde_json::from_str(&answer).unwrap())
    }

    /// Sends a request to a web component in an instance of its own.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let body =
            Full::new(Bytes::copy_from_slice(body.as_bytes())).map_err(|never| match never {});
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("https://example.com{path}"))
            .header("x-lambkin-request-id", "request-1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.boxed_unsync()).unwrap();
        let answer = self.component.http(request, self.invocation()).await.unwrap();
        let (parts, body) = answer.response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        answer.usage.await.unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The lines written since the last time, each after the stream's name.
    pub(crate) fn take_output(&self) -> Vec<String> {
        std::mem::take(&mut self.output.lock().unwrap())
    }

    fn invocation(&self) -> Invocation {
        let output = Arc::clone(&self.output);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let time = Duration::from_secs(30);
        Invocation {
            context: Context {
                request_id: REQUEST_ID.to_owned(),
                deadline_ms: u64::try_from((now + time).as_millis()).unwrap(),
                client_context: Some(
                    r#"{"client": {"app_title": "Shop"}, "custom": {"k": "v"}}"#.to_owned(),
                ),
                function: LambdaFunction {
                    name: "shop".to_owned(),
                    version: "$LATEST".to_owned(),
                    invoked_arn: "arn:aws:lambda:eu-west-1:1:function:shop".to_owned(),
                    memory_mb: 128,
                    log_group: "/aws/lambda/shop".to_owned(),
                    log_stream: "stream".to_owned(),
                },
                ..Context::default()
            },
            deadline: Instant::now() + time,
            limits: Limits { memory_bytes: 192 * 1024 * 1024 },
            environment: vec![("GREETING".to_owned(), "ahoj".to_owned())],
            config: std::collections::BTreeMap::new(),
            grants: Grants::default(),
            output: Arc::new(move |stream, line| {
                let name = if stream == Stream::Stdout { "stdout" } else { "stderr" };
                output.lock().unwrap().push(format!("{name} {line}"));
            }),
        }
    }
}

/// A response, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

/// A folder that outlives a run.
fn shared() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("python")
}
