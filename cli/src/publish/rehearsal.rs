//! Calls of a component before it is published, to learn which bytes of its artifact a first call touches: hosts fetch and
//! unpack these first.
//!
//! The component is called with its warm-up event, and with some forty requests of its first route that are as different as
//! those of clients are: what a call touches of a heap depends on the lengths and numbers of its texts. It is granted
//! nothing: it reaches no network, no file and no service, and its output and answers are dropped. How a call ends does not
//! matter.

mod requests;

use crate::project::Project;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use lambkin_engine::{
    Allocator, ArtifactSource, Capabilities, Component, Context, Engine, Function, Grants,
    Invocation, LambdaFunction, Limits, Recording, Settings, Target, World,
};
use lambkin_protocol::event::{self, Event};
use lambkin_protocol::manifest;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a call may take. One that waits for something that it is not granted ends with what it has touched.
const LONGEST: Duration = Duration::from_secs(2);

/// What Lambda says that a function has, in MiB, in turns: a text of another length each.
const MEMORY_MB: [u32; 4] = [1024, 128, 512, 10_240];

/// What all calls of a component may take together; the first ones tell the most.
const LONGEST_TOGETHER: Duration = Duration::from_secs(8);

/// The bytes of `artifact` that a first call touches, ascending; none where that helps no host, because the artifact is
/// small, and where this machine cannot tell: it cannot run the artifact, or does not let a process page its own memory.
pub(crate) async fn touched(
    name: &str,
    (artifact, target): (&Bytes, Target),
    project: &Project,
) -> Result<Vec<Range<u64>>> {
    let is_small = (artifact.len() as u64) < lambkin_store::SMALLEST_PAGED;
    if is_small || target != Target::current() {
        return Ok(Vec::new());
    }
    let rehearsed = rehearse(name, artifact, project).await?;
    Ok(rehearsed.map(|(recording, _)| recording.touched()).transpose()?.unwrap_or_default())
}

/// The functions of `artifact`'s component that first calls run, where each has pages of its own.
pub(crate) async fn functions(
    name: &str,
    artifact: &Bytes,
    project: &Project,
) -> Result<Vec<Function>> {
    let rehearsed = rehearse(name, artifact, project).await?;
    let (recording, component) = rehearsed.context("this machine cannot rehearse it")?;
    Ok(recording.functions(&component)?)
}

/// Makes the calls. None where this machine cannot tell what they touch.
async fn rehearse(
    name: &str,
    artifact: &Bytes,
    project: &Project,
) -> Result<Option<(Recording, Component)>> {
    let Some(entry) = project.manifest.component.get(name) else { return Ok(None) };
    if !lambkin_engine::can_page() {
        return Ok(None);
    }
    let warmup = project.warmup(name, entry)?.map(Bytes::from);
    let route = project.manifest.route.iter().find(|route| route.component == name);
    let mut events = Vec::from_iter(warmup);
    if events.is_empty() || route.is_some() {
        let path = route.map_or("/", |route| route.path.as_str());
        events.extend(requests::events(path, project.manifest.api.as_ref())?);
    }
    let recording = Recording::new(artifact.clone())?;
    // The pool would touch more: what it sets back from one instance to the next.
    let engine = Engine::new(&Settings { allocator: Allocator::OnDemand, ..Settings::default() })?;
    // What this machine cannot run, because its processor is older than Lambda's, is published all the same.
    let Ok(loaded) = engine.load(ArtifactSource::Paged(recording.paged())) else {
        return Ok(None);
    };
    let start = Instant::now();
    for (event, memory_mb) in events.into_iter().zip(MEMORY_MB.into_iter().cycle()) {
        if start.elapsed() > LONGEST_TOGETHER {
            break;
        }
        let _ =
            tokio::time::timeout(LONGEST, call(&loaded, (event, memory_mb), (name, entry))).await;
    }
    Ok(Some((recording, loaded)))
}

/// Its outcome is the component's own affair.
async fn call(
    loaded: &Component,
    (event, memory_mb): (Bytes, u32),
    entry: (&str, &manifest::Component),
) {
    let invocation = || invocation(entry, memory_mb);
    match loaded.world() {
        World::Http | World::HttpAsync => {
            let request = match event::classify(&event) {
                Ok(Event::Http(http)) => http.into_request(),
                Ok(Event::Other(source)) => Ok(event::to_event_request(&source, event)),
                Err(error) => Err(error),
            };
            let Ok(request) = request else { return };
            let body = |bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
            if let Ok(answer) = loaded.http(request.map(body), invocation()).await {
                drop(answer.response.into_body().collect().await);
                drop(answer.usage.await);
            }
        }
        World::Function | World::AsyncFunction => {
            if let Ok(text) = std::str::from_utf8(&event) {
                drop(loaded.function(text, invocation()).await);
            }
        }
        World::Command => drop(loaded.command(event, invocation()).await),
    }
}

fn invocation((name, entry): (&str, &manifest::Component), memory_mb: u32) -> Invocation {
    let limit = entry.limits.memory_mb.unwrap_or(manifest::DEFAULT_MEMORY_MB);
    Invocation {
        context: context(name, memory_mb),
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
fn context(name: &str, memory_mb: u32) -> Context {
    let function = LambdaFunction {
        name: "rehearsal".to_owned(),
        version: "$LATEST".to_owned(),
        invoked_arn: "arn:aws:lambda:us-east-1:123456789012:function:rehearsal".to_owned(),
        memory_mb,
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
