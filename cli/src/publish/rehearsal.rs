//! Calls of a component before it is published, to learn which bytes of its artifact a first call touches: hosts fetch and
//! unpack these first.
//!
//! The component is called with its warm-up event, and with some requests of its first route that are as different as those
//! of clients are: what a call touches of a heap depends on the lengths of its texts. It is granted nothing: it reaches no
//! network, no file and no service, and its output and answers are dropped. How a call ends does not matter.

use crate::project::Project;
use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use lambkin_engine::{
    Allocator, ArtifactSource, Capabilities, Component, Context, Engine, Grants, Invocation,
    LambdaFunction, Limits, Recording, Settings, Target, World,
};
use lambkin_protocol::event::{self, Event};
use lambkin_protocol::manifest::{self, Api, ApiType, Payload};
use lambkin_protocol::request::{self, Gateway};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A request to rehearse.
struct Rehearsed {
    method: Method,
    /// What stands for a parameter of the path.
    parameter: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// Headers whose values have each of these lengths, one in [`STEP`], are added.
    lengths: Range<usize>,
}

/// Allocators keep texts of about one length together, on pages of their own. `CPython`'s do so in steps of 16 bytes up to
/// 512 (`Objects/obmalloc.c`).
const STEP: usize = 8;
const LENGTHS: Range<usize> = STEP..513;

/// What API Gateway adds to each request
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
const ADDED: [(&str, &str); 4] = [
    ("x-amzn-trace-id", "Root=1-5f84c7a9-0e5b1f1a2b3c4d5e6f708192"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-port", "443"),
    ("x-forwarded-proto", "https"),
];

/// A browser's, a script's, and what comes with a larger body.
const REQUESTS: [Rehearsed; 4] = [
    Rehearsed {
        method: Method::GET,
        parameter: "1",
        query: "?name=world&n=1",
        headers: &[
            ("host", "api.example.com"),
            (
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            ),
            ("accept-encoding", "gzip, deflate, br"),
            ("accept-language", "en-US,en;q=0.5"),
            ("cookie", "session=1; theme=dark"),
            ("sec-fetch-mode", "navigate"),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
        ],
        body: "",
        lengths: 0..0,
    },
    Rehearsed {
        method: Method::GET,
        parameter: "somebody-else",
        query: "",
        headers: &[
            ("host", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"),
            ("accept", "application/json"),
            ("user-agent", "curl/8.5.0"),
        ],
        body: "",
        lengths: 0..0,
    },
    Rehearsed {
        method: Method::POST,
        parameter: "1",
        query: "",
        headers: &[
            ("host", "api.example.com"),
            ("accept", "*/*"),
            ("content-type", "application/json"),
            ("user-agent", "python-requests/2.32"),
        ],
        body: r#"{"name": "Grüße"}"#,
        lengths: 0..0,
    },
    Rehearsed {
        method: Method::POST,
        parameter: "3f0e8a52-7d1c-4c39-9a51-52b3c1b9a0de",
        query: "?verbose=true&page=2&per_page=50",
        headers: &[
            ("host", "api.example.com"),
            ("authorization", "Bearer 5f84c7a90e5b1f1a2b3c4d5e6f708192"),
            ("content-type", "application/json; charset=utf-8"),
            ("origin", "https://www.example.com"),
            ("referer", "https://www.example.com/orders?page=2"),
            (
                "user-agent",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
            ),
        ],
        body: r#"{"id": 7, "total": 12.5, "paid": true, "note": null, "tags": ["a", "new", "something longer"],
            "customer": {"name": "Zoë", "mail": "zoe@example.com", "address": {"city": "Zürich", "zip": "8001"}},
            "items": [{"sku": "A-1", "count": 2, "price": 3.25}, {"sku": "B-17", "count": 1, "price": 6.0}]}"#,
        lengths: LENGTHS,
    },
];

/// What a call may take. One that waits for something that it is not granted ends with what it has touched.
const LONGEST: Duration = Duration::from_secs(2);

/// The bytes of `artifact` that a first call touches, ascending; none where that helps no host, because the artifact is
/// small, and where this machine cannot tell: it cannot run the artifact, or does not let a process page its own memory.
pub(crate) async fn touched(
    name: &str,
    (artifact, target): (&Bytes, Target),
    project: &Project,
) -> Result<Vec<Range<u64>>> {
    let is_small = (artifact.len() as u64) < lambkin_store::SMALLEST_PAGED;
    if is_small || target != Target::current() || !lambkin_engine::can_page() {
        return Ok(Vec::new());
    }
    let Some(entry) = project.manifest.component.get(name) else { return Ok(Vec::new()) };
    let warmup = project.warmup(name, entry)?.map(Bytes::from);
    let route = project.manifest.route.iter().find(|route| route.component == name);
    let mut events = Vec::from_iter(warmup);
    if events.is_empty() || route.is_some() {
        let path = route.map_or("/", |route| route.path.as_str());
        for request in &REQUESTS {
            events.push(request.event(path, project.manifest.api.as_ref())?);
        }
    }
    let recording = Recording::new(artifact.clone())?;
    // The pool would touch more: what it sets back from one instance to the next.
    let engine = Engine::new(&Settings { allocator: Allocator::OnDemand, ..Settings::default() })?;
    // What this machine cannot run, because its processor is older than Lambda's, is published all the same.
    let Ok(loaded) = engine.load(ArtifactSource::Paged(recording.paged())) else {
        return Ok(Vec::new());
    };
    for event in events {
        let _ = tokio::time::timeout(LONGEST, call(&loaded, event, (name, entry))).await;
    }
    Ok(recording.touched()?)
}

/// Its outcome is the component's own affair.
async fn call(loaded: &Component, event: Bytes, entry: (&str, &manifest::Component)) {
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

impl Rehearsed {
    /// As API Gateway hands it on, for a route's path.
    fn event(&self, route: &str, api: Option<&Api>) -> Result<Bytes> {
        let Self { method, parameter, query, headers, body, lengths } = self;
        let mut parameters = BTreeMap::new();
        let segments = route.split('/').map(|segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let Some(name) = name else { return segment };
            parameters.insert(name.trim_end_matches('+').to_owned(), (*parameter).to_owned());
            parameter
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let path = if path.starts_with('/') { path } else { "/".to_owned() };
        let mut request = Request::builder().method(method).uri(path + query);
        for (name, value) in headers.iter().chain(&ADDED) {
            request = request.header(*name, *value);
        }
        for length in lengths.clone().step_by(STEP) {
            request = request.header(format!("x-{length}"), "v".repeat(length));
        }
        let request = request.body(Bytes::from_static(body.as_bytes()))?;
        let route_key =
            if route.starts_with('/') { format!("{method} {route}") } else { route.to_owned() };
        let gateway = Gateway {
            account_id: "123456789012",
            api_id: "a1b2c3d4e5",
            domain_name: "api.example.com",
            stage: "$default",
            route_key: &route_key,
            path_parameters: &parameters,
            stage_variables: None,
            authorizer: None,
            source_ip: "203.0.113.7",
            request_id: "JKJaXmPLvHcESHA=",
            time_epoch_ms: i64::try_from(now_ms()).unwrap_or_default(),
        };
        // A REST API's and a load balancer's events are most like those of format 1.0.
        let is_1_0 = api.is_some_and(|api| {
            api.payload == Some(Payload::One) || matches!(api.kind, ApiType::Rest | ApiType::Alb)
        });
        let event = if is_1_0 { request::http_api_v1 } else { request::http_api_v2 };
        Ok(event(&request, &gateway).into())
    }
}

fn invocation((name, entry): (&str, &manifest::Component)) -> Invocation {
    let limit = entry.limits.memory_mb.unwrap_or(manifest::DEFAULT_MEMORY_MB);
    Invocation {
        context: context(name),
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

/// What Lambda tells of a function, in its usual lengths.
fn context(name: &str) -> Context {
    let function = LambdaFunction {
        name: "rehearsal".to_owned(),
        version: "$LATEST".to_owned(),
        invoked_arn: "arn:aws:lambda:us-east-1:123456789012:function:rehearsal".to_owned(),
        memory_mb: 1024,
        log_group: "/aws/lambda/rehearsal".to_owned(),
        log_stream: "2026/01/01/[$LATEST]5f84c7a90e5b1f1a2b3c4d5e6f708192".to_owned(),
    };
    Context {
        request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
        deadline_ms: now_ms() + u64::try_from(LONGEST.as_millis()).unwrap_or_default(),
        trace_id: Some(
            "Root=1-5f84c7a9-0e5b1f1a2b3c4d5e6f708192;Parent=53995c3f42cd8ad8;Sampled=0".to_owned(),
        ),
        app: "rehearsal".to_owned(),
        alias: "live".to_owned(),
        release: "91e2112d6df0ae37fe4c".to_owned(),
        component: name.to_owned(),
        function,
        ..Context::default()
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or_default()
}
