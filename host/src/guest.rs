//! The call of one component: what the guest is given, and what its answer becomes.

use crate::capabilities;
use crate::components::Loaded;
use crate::error::Failure;
use crate::invocation::{Destination, Host};
use crate::received::Received;
use crate::report;
use crate::telemetry::{self, Tags};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use lambkin_engine::{
    Body, Context, Grants, HttpAnswer, Invocation, InvokeError, LambdaFunction, Limits, OutputSink,
    Reuse,
};
use lambkin_protocol::answer;
use lambkin_protocol::event::{self, Format, HttpEvent};
use lambkin_protocol::release::{Component, World};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Prefix of the request headers that the host adds; a client's own of this name are dropped.
const OWN_HEADERS: &str = "x-lambkin-";

/// Everything one call needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) host: &'a Host,
    pub(crate) received: &'a Received,
    pub(crate) destination: &'a Destination,
    pub(crate) component: &'a Component,
    pub(crate) loaded: &'a Loaded,
}

/// Hands an HTTP event to a web component.
///
/// It sees its own paths, wherever a stage or a domain's mapping has put the app; what stood before them is in the header
/// `x-lambkin-base-path`.
pub(crate) async fn http(call: &Call<'_>, mut http: HttpEvent) -> Result<HttpAnswer, Failure> {
    let path = call.destination.path.clone();
    let base_path = http.base_path.take().unwrap_or_default() + &base_path(&http.path, &path);
    http.path = path;
    forward(call, http.into_request()?.map(body_of), &base_path).await
}

/// What a domain's mapping has taken off the front of the path `whole`, of which `path` is left for the app.
pub(crate) fn base_path(whole: &str, path: &str) -> String {
    // Of the base path itself a slash is left that was never there.
    let base = if path == "/" { Some(whole) } else { whole.strip_suffix(path) };
    base.unwrap_or_default().trim_end_matches('/').to_owned()
}

/// Hands a request to a web component, with the headers that are the host's own; its path is the app's already.
pub(crate) async fn forward(
    call: &Call<'_>,
    mut request: Request<Body>,
    base_path: &str,
) -> Result<HttpAnswer, Failure> {
    own_headers(call, request.headers_mut());
    if !base_path.is_empty() {
        own_header(request.headers_mut(), "base-path", base_path);
    }
    Ok(call.loaded.component.http(request, invocation(call)).await?)
}

/// Hands any other event to a web component as a POST; the answer is the response's body.
pub(crate) async fn event_over_http(
    call: &Call<'_>,
    request: Request<Bytes>,
) -> Result<Bytes, Failure> {
    let (mut parts, body) = request.into_parts();
    own_headers(call, &mut parts.headers);
    let answer = call
        .loaded
        .component
        .http(Request::from_parts(parts, body_of(body)), invocation(call))
        .await?;
    let (head, body) = take_body(call, answer).await?;
    if head.status.is_success() {
        return Ok(if body.is_empty() { Bytes::from_static(b"null") } else { body });
    }
    Err(InvokeError::Function {
        error_type: "Function.EventRefused".into(),
        error_message: format!(
            "the component answered {}: {}",
            head.status,
            String::from_utf8_lossy(&body)
        ),
        stack_trace: Vec::new(),
    }
    .into())
}

/// Hands an event's bytes to a function component or a command.
pub(crate) async fn event(call: &Call<'_>, event: Bytes) -> Result<Bytes, Failure> {
    let invocation = invocation(call);
    let (payload, usage) = if call.component.world == World::Command {
        call.loaded.component.command(event, invocation).await?
    } else {
        let text = std::str::from_utf8(&event).map_err(Failure::NotUtf8)?;
        let (payload, usage) = call.loaded.component.function(text, invocation).await?;
        (Bytes::from(payload), usage)
    };
    report::called(call.loaded, &usage, &call.received.tags());
    within_limit(call, payload)
}

/// The event a function component gets for an HTTP request: as it came, and with the route's path parameters where the
/// gateway in front knew none.
pub(crate) fn http_payload(call: &Call<'_>, http: &HttpEvent) -> Result<Bytes, Failure> {
    let parameters = &call.destination.parameters;
    if parameters.is_empty() || !http.path_parameters.is_empty() {
        return Ok(call.received.event.clone());
    }
    Ok(event::with_path_parameters(&call.received.event, parameters)?.into())
}

/// Reads a web component's whole response and writes it in the event's format.
pub(crate) async fn collect(
    call: &Call<'_>,
    format: Format,
    answer: HttpAnswer,
) -> Result<Bytes, Failure> {
    let (parts, body) = take_body(call, answer).await?;
    let payload = answer::buffered(format, &parts, &body).map_err(|source| Failure::Answer {
        component: call.destination.component.clone(),
        source,
    })?;
    within_limit(call, payload.into())
}

async fn take_body(
    call: &Call<'_>,
    answer: HttpAnswer,
) -> Result<(http::response::Parts, Bytes), Failure> {
    let HttpAnswer { response, usage } = answer;
    let (parts, body) = response.into_parts();
    let collected = Limited::new(body, answer::MAX_PAYLOAD).collect().await;
    let usage = usage.await;
    let body = match collected {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(too_large(call, answer::MAX_PAYLOAD));
        }
        // The guest failed after its head: why is the usage's to tell, the body only knows that it broke off.
        Err(error) => {
            usage?;
            return Err(InvokeError::BrokenResponse { reason: error.to_string() }.into());
        }
    };
    report::called(call.loaded, &usage?, &call.received.tags());
    Ok((parts, body))
}

fn within_limit(call: &Call<'_>, payload: Bytes) -> Result<Bytes, Failure> {
    if payload.len() > answer::MAX_PAYLOAD {
        Err(too_large(call, payload.len()))
    } else {
        Ok(payload)
    }
}

fn too_large(call: &Call<'_>, bytes: usize) -> Failure {
    Failure::AnswerTooLarge { component: call.destination.component.clone(), bytes }
}

/// A response whose body is at hand.
pub(crate) fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(body_of)
}

pub(crate) fn body_of(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Tells a web component what a function component finds in its event and context.
fn own_headers(call: &Call<'_>, headers: &mut http::HeaderMap) {
    let foreign: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(OWN_HEADERS)).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    own_header(headers, "request-id", &call.received.request_id);
    if let Some(route) = &call.destination.route {
        own_header(headers, "route", route);
    }
    for (name, value) in &call.destination.parameters {
        own_header(headers, &format!("path-{}", name.to_ascii_lowercase()), value);
    }
}

fn own_header(headers: &mut http::HeaderMap, name: &str, value: &str) {
    let name = HeaderName::try_from(format!("{OWN_HEADERS}{name}"));
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
        headers.insert(name, value);
    }
}

/// Makes the instance for a call like this one ahead.
pub(crate) async fn prepare(call: &Call<'_>) {
    call.loaded.component.prepare(&invocation(call)).await;
}

fn invocation(call: &Call<'_>) -> Invocation {
    let release = call.component;
    let limits = &release.limits;
    let memory = u64::from(limits.memory_mb.min(call.host.memory_mb)) << 20;
    let tags = call.received.tags();
    let to = |tags: Arc<Tags>| -> OutputSink {
        Arc::new(move |stream, line| telemetry::guest_line(stream, line, &tags))
    };
    Invocation {
        context: context(call),
        deadline: deadline(call),
        limits: Limits { memory_bytes: memory },
        environment: environment(release),
        config: release.config.clone(),
        grants: Grants {
            http: release.grants.http.clone(),
            tmp: release.grants.tmp.then(|| guest_tmp(call)),
            private_network: call.host.allow_private_network,
        },
        capabilities: capabilities::granted(call),
        output_of_several: release.reuse.filter(|reuse| reuse.max_concurrent > 1).map(|_| {
            let (request_id, alias) = (String::new(), String::new());
            to(Arc::new(Tags { request_id, alias, ..(*tags).clone() }))
        }),
        output: to(tags),
        reuse: release.reuse.map(|reuse| Reuse {
            max_invocations: reuse.max_invocations,
            max_age: Duration::from_secs(reuse.max_age_seconds.into()),
            max_concurrent: reuse.max_concurrent,
        }),
    }
}

/// The folder that a guest's `/tmp` is made in: not the system's, which has the artifacts in it that are code to the host.
fn guest_tmp(call: &Call<'_>) -> PathBuf {
    let folder = &call.host.guest_tmp_dir;
    // A folder that cannot be made is a grant that cannot be given, which the engine says.
    let _ = fs_err::create_dir_all(folder);
    folder.clone()
}

fn environment(component: &Component) -> Vec<(String, String)> {
    component.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The earlier of the invocation's deadline and the component's own time-out.
fn deadline(call: &Call<'_>) -> Instant {
    let given = call.received.deadline;
    let own = call.component.limits.timeout_seconds;
    own.map_or(given, |seconds| given.min(Instant::now() + Duration::from_secs(seconds.into())))
}

fn context(call: &Call<'_>) -> Context {
    let (received, app) = (call.received, &call.destination.app);
    Context {
        request_id: received.request_id.clone(),
        deadline_ms: received.deadline_ms,
        trace_id: received.trace_id.clone(),
        app: app.name.clone(),
        alias: app.alias.clone(),
        release: app.release_id.clone(),
        component: call.destination.component.clone(),
        tenant: received.tenant.clone(),
        function: LambdaFunction { memory_mb: call.host.memory_mb, ..received.function.clone() },
        client_context: received.client_context.clone(),
        identity: received.identity.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::base_path;

    #[test]
    fn a_base_path_is_what_stands_before_the_apps_own() {
        for (whole, path, expected) in [
            ("/items/1", "/items/1", ""),
            ("/", "/", ""),
            ("/shop/items/1", "/items/1", "/shop"),
            ("/shop", "/", "/shop"),
            ("/shop/v2/", "/", "/shop/v2"),
        ] {
            assert_eq!(base_path(whole, path), expected, "{whole}");
        }
    }
}
