//! Calls of a component before it is published, to learn which bytes of its artifact a first call touches: hosts fetch and
//! unpack these first.
//!
//! The component is called with its warm-up event, or with a GET and a POST of its first route. It is granted nothing: it
//! reaches no network, no file and no service, and its output and answers are dropped. How a call ends does not matter.

use crate::project::Project;
use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use lambkin_engine::{
    ArtifactSource, Capabilities, Component, Context, Engine, Grants, Invocation, Limits,
    Recording, Settings, Target, World,
};
use lambkin_protocol::event::{self, Event};
use lambkin_protocol::manifest;
use lambkin_protocol::request::{self, Gateway};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What comes with a browser's request through API Gateway.
const HEADERS: [(&str, &str); 9] = [
    ("host", "api.example.com"),
    ("accept", "*/*"),
    ("accept-encoding", "gzip, deflate, br"),
    ("content-type", "application/json"),
    ("cookie", "session=1"),
    ("user-agent", "Mozilla/5.0"),
    ("x-amzn-trace-id", "Root=1-5f84c7a9-0e5b1f1a2b3c4d5e6f708192"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
];

/// What a call may take. One that waits for something that it is not granted ends with what it has touched.
const LONGEST: Duration = Duration::from_secs(2);

/// The bytes of `artifact` that a first call touches, ascending; none where this machine cannot tell: it cannot run the
/// artifact, or does not let a process page its own memory.
pub(crate) async fn touched(
    name: &str,
    (artifact, target): (&Bytes, Target),
    project: &Project,
) -> Result<Vec<Range<u64>>> {
    if target != Target::current() || !lambkin_engine::can_page() {
        return Ok(Vec::new());
    }
    let Some(entry) = project.manifest.component.get(name) else { return Ok(Vec::new()) };
    let events = match project.warmup(name, entry)? {
        Some(event) => vec![Bytes::from(event)],
        None => vec![http(project, name, Method::GET)?, http(project, name, Method::POST)?],
    };
    let recording = Recording::new(artifact.clone())?;
    let engine = Engine::new(&Settings::default())?;
    // What this machine cannot run, because its processor is older than Lambda's, is published all the same.
    let Ok(loaded) = engine.load(ArtifactSource::Paged(recording.paged())) else {
        return Ok(Vec::new());
    };
    for event in events {
        let _ = tokio::time::timeout(LONGEST, call(&loaded, event, entry)).await;
    }
    Ok(recording.touched_and_near())
}

/// Its outcome is the component's own affair.
async fn call(loaded: &Component, event: Bytes, entry: &manifest::Component) {
    match loaded.world() {
        World::Http | World::HttpAsync => {
            let request = match event::classify(&event) {
                Ok(Event::Http(http)) => http.into_request(),
                Ok(Event::Other(source)) => Ok(event::to_event_request(&source, event)),
                Err(error) => Err(error),
            };
            let Ok(request) = request else { return };
            let body = |bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
            if let Ok(answer) = loaded.http(request.map(body), invocation(entry)).await {
                drop(answer.response.into_body().collect().await);
                drop(answer.usage.await);
            }
        }
        World::Function | World::AsyncFunction => {
            if let Ok(text) = std::str::from_utf8(&event) {
                drop(loaded.function(text, invocation(entry)).await);
            }
        }
        World::Command => drop(loaded.command(event, invocation(entry)).await),
    }
}

/// A request of the component's first route, as an HTTP API sends one that a browser makes.
fn http(project: &Project, name: &str, method: Method) -> Result<Bytes> {
    let routes = &project.manifest.route;
    let route = routes.iter().find(|route| route.component == name);
    let path = route.map_or("/", |route| route.path.as_str());
    let mut parameters = BTreeMap::new();
    let segments = path.split('/').map(|segment| {
        let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let Some(parameter) = parameter else { return segment };
        parameters.insert(parameter.trim_end_matches('+').to_owned(), "1".to_owned());
        "1"
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let path = if path.starts_with('/') { path } else { "/".to_owned() };
    let route_key =
        route.map_or_else(|| "$default".to_owned(), |it| format!("{method} {}", it.path));
    let body = if method == Method::POST { r#"{"name": "Grüße"}"# } else { "" };
    let mut request = Request::builder().method(method).uri(format!("{path}?name=world&n=1"));
    for (name, value) in HEADERS {
        request = request.header(name, value);
    }
    let request = request.body(Bytes::from_static(body.as_bytes()))?;
    let gateway = Gateway {
        account_id: "123456789012",
        api_id: "rehearsal",
        domain_name: "localhost",
        stage: "$default",
        route_key: &route_key,
        path_parameters: &parameters,
        stage_variables: None,
        authorizer: None,
        source_ip: "127.0.0.1",
        request_id: "rehearsal",
        time_epoch_ms: i64::try_from(now_ms()).unwrap_or_default(),
    };
    Ok(request::http_api_v2(&request, &gateway).into())
}

fn invocation(entry: &manifest::Component) -> Invocation {
    let limit = entry.limits.memory_mb.unwrap_or(manifest::DEFAULT_MEMORY_MB);
    Invocation {
        context: Context {
            request_id: "00000000-0000-0000-0000-000000000000".to_owned(),
            deadline_ms: now_ms() + u64::try_from(LONGEST.as_millis()).unwrap_or_default(),
            ..Context::default()
        },
        deadline: Instant::now() + LONGEST,
        limits: Limits { memory_bytes: u64::from(limit) << 20 },
        environment: entry.environment.clone().into_iter().collect(),
        config: entry.config.clone(),
        grants: Grants::default(),
        capabilities: Capabilities::default(),
        output: Arc::new(|_, _| ()),
        output_of_several: None,
        reuse: None,
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or_default()
}
