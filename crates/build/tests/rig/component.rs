//! A built component, called on the engine that serves it in Lambda; each call is in an instance of its own unless it
//! is [`Component::reused`].

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt as _, Full};
use lambkin_engine::{
    ArtifactSource, Context, Engine, Grants, Invocation, InvokeError, LambdaFunction, Limits,
    Reuse, Settings, Stream, Target, compile,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

pub(crate) const REQUEST_ID: &str = "8f5b1a2e-0000-4000-8000-000000000001";

/// How long every call may take.
pub(crate) const TIME: Duration = Duration::from_secs(30);

/// A component, what its calls are given, and what it wrote.
#[derive(Clone)]
pub(crate) struct Component {
    loaded: lambkin_engine::Component,
    environment: Vec<(String, String)>,
    grants: Grants,
    time_left: Duration,
    reuse: Option<Reuse>,
    output: Arc<Mutex<Vec<String>>>,
}

impl Component {
    /// Compiles and loads a component; machine code that it has in common with an earlier one is in `functions`.
    pub(crate) fn load(wasm: &[u8], functions: &Path) -> Self {
        let artifact = compile::compile(wasm, Target::current(), Some(functions)).unwrap();
        let engine = Engine::new(&Settings::default()).unwrap();
        // As in Lambda; it stays mapped when its name is gone.
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), artifact).unwrap();
        Self {
            loaded: engine.load(ArtifactSource::File(file.path())).unwrap(),
            environment: Vec::new(),
            grants: Grants::default(),
            time_left: TIME,
            reuse: None,
            output: Arc::default(),
        }
    }

    /// The component with more environment variables.
    pub(crate) fn with(&self, environment: &[(&str, &str)]) -> Self {
        let more =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut component = self.clone();
        component.environment.extend(more);
        component
    }

    /// The component with an origin of this machine that it may send requests to.
    pub(crate) fn granted(&self, origin: &str) -> Self {
        let mut component = self.clone();
        component.grants.http.push(origin.to_owned());
        component.grants.private_network = true;
        component
    }

    /// The component with less time in its context; the engine ends it no earlier than otherwise.
    pub(crate) fn told(&self, time_left: Duration) -> Self {
        Self { time_left, ..self.clone() }
    }

    /// The component whose instances serve three invocations each.
    pub(crate) fn reused(&self) -> Self {
        let reuse =
            Some(Reuse { max_invocations: 3, max_age: Duration::from_mins(10), max_concurrent: 1 });
        Self { reuse, ..self.clone() }
    }

    /// Calls a function.
    pub(crate) async fn call(&self, event: Value) -> Result<Value, InvokeError> {
        let answer = self.call_with_text(&event.to_string()).await?;
        Ok(serde_json::from_str(&answer).unwrap())
    }

    /// Calls a function with an event that need not be JSON.
    pub(crate) async fn call_with_text(&self, event: &str) -> Result<String, InvokeError> {
        self.loaded.function(event, self.invocation()).await.map(|(answer, _)| answer)
    }

    /// Calls a function that fails: the type, the message and the frames that Lambda is told.
    pub(crate) async fn failure(&self, event: Value) -> (String, String, Vec<String>) {
        match self.call(event).await {
            Err(InvokeError::Function { error_type, error_message, stack_trace }) => {
                (error_type, error_message, stack_trace)
            }
            other => panic!("the function should fail of its own: {other:?}"),
        }
    }

    /// Sends a request to a web handler and reads the whole response.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_request(method, path, headers, body.into()).await.unwrap()
    }

    pub(crate) async fn try_request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, InvokeError> {
        let mut request =
            http::Request::builder().method(method).uri(format!("https://shop.example{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(body).map_err(|never| match never {});
        let request = request.body(body.boxed_unsync()).unwrap();
        let answer = self.loaded.http(request, self.invocation()).await?;
        let (parts, body) = answer.response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        answer.usage.await?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// Runs a command with `event` on its standard input.
    pub(crate) async fn run(&self, event: &str) -> Result<Bytes, InvokeError> {
        let event = Bytes::copy_from_slice(event.as_bytes());
        self.loaded.command(event, self.invocation()).await.map(|(answer, _)| answer)
    }

    /// The lines written since the last time, each after the stream's name.
    pub(crate) fn take_output(&self) -> Vec<String> {
        std::mem::take(&mut self.output.lock().unwrap())
    }

    fn invocation(&self) -> Invocation {
        let output = Arc::clone(&self.output);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Invocation {
            context: Context {
                request_id: REQUEST_ID.to_owned(),
                deadline_ms: u64::try_from((now + self.time_left).as_millis()).unwrap(),
                app: "shop".to_owned(),
                alias: "live".to_owned(),
                component: "guest".to_owned(),
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
            capabilities: lambkin_engine::Capabilities::default(),
            reuse: self.reuse,
            output_of_several: None,
            environment: self.environment.clone(),
            config: BTreeMap::new(),
            grants: self.grants.clone(),
            output: Arc::new(move |stream, line| {
                let name = if stream == Stream::Stdout { "stdout" } else { "stderr" };
                output.lock().unwrap().push(format!("{name} {line}"));
            }),
        }
    }
}

/// A response, read to its end.
#[derive(Debug)]
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
