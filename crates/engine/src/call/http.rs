//! HTTP components: a request in, a response out, both bodies streamed.
//!
//! The guest runs in a task of its own, because it may write its body, and go on working, after it has given the
//! response's head.

use super::{Opened, exit_is_an_end, open};
use crate::answer::{Body, Completion, Failed, Failure, HttpAnswer, deliver};
use crate::component::{Callee, Component, Inner};
use crate::instance::{Instance, of_another_kind};
use crate::kept::Life;
use crate::session::Session;
use crate::worker::{self, Call};
use crate::{Fault, Invocation, InvokeError, Usage};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use std::fmt::Debug;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use wasmtime_wasi_http::p2::bindings::http::types as p2;
use wasmtime_wasi_http::p3::Request as AsyncRequest;
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

/// Where the head of the response goes: to the caller, who waits for it.
type Head = oneshot::Sender<Result<Response<Body>, InvokeError>>;

impl Component {
    /// Calls an HTTP component, of `wasi:http` 0.2 or 0.3, in an instance of its own unless the invocation allows another.
    ///
    /// Answers as soon as the guest has given status and headers. Must be called within a tokio runtime with timers.
    pub async fn http(
        &self,
        request: Request<Body>,
        invocation: Invocation,
    ) -> Result<HttpAnswer, InvokeError> {
        let request = absolute(request)?;
        let (head, response) = oneshot::channel();
        let component = self.clone();
        let mut usage = Completion::new(tokio::spawn(async move {
            component.serve(request, invocation, head).await
        }));
        match response.await {
            Ok(Ok(response)) => Ok(HttpAnswer { response, usage }),
            Ok(Err(error)) => Err(error),
            // The guest is gone; its end says why.
            Err(_) => match (&mut usage).await {
                Ok(_) => Err(InvokeError::NoResponse),
                Err(error) => Err(error),
            },
        }
    }

    async fn serve(
        &self,
        request: Request<Body>,
        invocation: Invocation,
        head: Head,
    ) -> Result<Usage, InvokeError> {
        let failure = Failure::new();
        let answering = Answering { head, failed: failure.flag() };
        let asked = Asked { request, answering, failure };
        let life = Life::new(&self.0, &invocation);
        match (&self.0.callee, life) {
            (Callee::HttpAsync(_), Some(life)) => {
                let outcome =
                    worker::call(self, invocation, (Call::Http(Box::new(asked)), life)).await;
                outcome.map(|(_, usage)| usage)
            }
            _ => self.serve_once(asked, invocation).await,
        }
    }

    async fn serve_once(
        &self,
        asked: Asked,
        mut invocation: Invocation,
    ) -> Result<Usage, InvokeError> {
        let Opened { mut session, mut instance, after } = open(self, &mut invocation)?;
        // Taken out after the session is made, and so dropped before it.
        let Asked { request, answering, failure } = asked;
        let deadline = session.deadline();
        let place = (&mut instance, &*self.0);
        let outcome = match &self.0.callee {
            Callee::Http(_) => {
                timeout_at(deadline, serve(&mut session, place, request, answering)).await
            }
            Callee::HttpAsync(_) => {
                timeout_at(deadline, serve_async(&mut session, place, request, answering)).await
            }
            _ => {
                return Err(InvokeError::WrongWorld {
                    found: self.world(),
                    called: "an HTTP handler",
                });
            }
        };
        let has_returned = matches!(outcome, Ok(Ok(())));
        let ((), usage) = session.close(outcome.map(|end| end.or_else(exit_is_an_end)))?;
        failure.disarm();
        // An instance that has exited is not called again.
        after.settle(self, session, instance.filter(|_| has_returned));
        Ok(usage)
    }
}

/// A request, the way for its response, and what is to be told when that is not whole.
pub(crate) struct Asked {
    pub(crate) request: Request<Body>,
    pub(crate) answering: Answering,
    pub(crate) failure: Failure,
}

/// What the guest's response goes through.
pub(crate) struct Answering {
    head: Head,
    failed: Arc<Failed>,
}

impl Answering {
    /// Gives the head to the caller; the receiver ends when the body has ended.
    pub(crate) fn answer(self, response: Response<WasiBody>) -> oneshot::Receiver<()> {
        let (parts, body) = response.into_parts();
        let (body, delivered) = deliver(body, self.failed);
        // A caller that is gone has dropped the guest's task as well.
        let _gone = self.head.send(Ok(Response::from_parts(parts, body)));
        delivered
    }

    pub(crate) fn fail(self, code: &impl Debug) {
        let _gone = self.head.send(Err(http_error(code)));
    }
}

async fn serve(
    session: &mut Session,
    (instance, component): (&mut Option<Instance>, &Inner),
    request: Request<Body>,
    answering: Answering,
) -> wasmtime::Result<()> {
    let scheme = match request.uri().scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => p2::Scheme::Http,
        _ => p2::Scheme::Https,
    };
    let mut http = session.store.data_mut().http();
    let request = http.new_incoming_request(scheme, request)?;
    let response = http.new_response_outparam_from_callback(move |response| match response {
        // The body outlives the guest, so nobody need wait for its end.
        Ok(response) => drop(answering.answer(response)),
        Err(code) => answering.fail(&code),
    })?;
    let instance = Instance::in_place(instance, component, session).await?;
    let Instance::Http(proxy) = instance else { return of_another_kind() };
    proxy.wasi_http_incoming_handler().call_handle(&mut session.store, request, response).await
}

async fn serve_async(
    session: &mut Session,
    (instance, component): (&mut Option<Instance>, &Inner),
    request: Request<Body>,
    answering: Answering,
) -> wasmtime::Result<()> {
    let instance = Instance::in_place(instance, component, session).await?;
    let Instance::HttpAsync(service) = instance else { return of_another_kind() };
    let (request, sent) = AsyncRequest::from_http(session.store.data_mut().http().hooks, request);
    let run = session.store.run_concurrent(async |accessor| {
        match service.handle(accessor, request).await? {
            Err(code) => answering.fail(&code),
            Ok(response) => {
                let response = accessor.with(|access| response.into_http(access, sent))?;
                // The body is fed from the store, and so ends with it.
                let _ended = answering.answer(response).await;
            }
        }
        poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        Ok(())
    });
    run.await?
}

/// Makes the request's URI absolute, as `wasi:http` wants scheme and authority.
fn absolute(mut request: Request<Body>) -> Result<Request<Body>, InvokeError> {
    let invalid = |reason: String| InvokeError::Request { reason };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    if parts.authority.is_none() {
        let host = request.headers().get(http::header::HOST);
        let host =
            host.ok_or_else(|| invalid("it has neither an absolute URI nor a host".to_owned()))?;
        let authority = Authority::try_from(host.as_bytes());
        parts.authority =
            Some(authority.map_err(|error| invalid(format!("its host is not valid: {error}")))?);
    }
    parts.scheme.get_or_insert(Scheme::HTTPS);
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(parts)
        .map_err(|error| invalid(format!("its URI is not valid: {error}")))?;
    Ok(request)
}

/// Beginnings of the error codes that tell of a service which the guest has called.
const UPSTREAM: [&str; 5] = ["dns-", "destination-", "connection-", "tls-", "http-response-"];

/// What a `wasi:http` error code, given as the response, means.
fn http_error(code: &impl Debug) -> InvokeError {
    let code = kebab(&format!("{code:?}"));
    let fault = match code.as_str() {
        "http-request-denied" => Fault::Config,
        code if UPSTREAM.iter().any(|start| code.starts_with(start)) => Fault::Upstream,
        _ => Fault::Guest,
    };
    InvokeError::Http { code, fault }
}

/// `ErrorCode::DnsError(..)` -> `dns-error(..)`.
fn kebab(code: &str) -> String {
    let code = code.strip_prefix("ErrorCode::").unwrap_or(code);
    let (name, details) =
        code.split_at(code.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(code.len()));
    let mut kebab = String::with_capacity(code.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab + details
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Empty};

    fn request(uri: &str) -> Request<Body> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Request::builder().uri(uri).body(body).unwrap()
    }

    #[test]
    fn a_relative_request_is_completed_from_its_host() {
        assert!(matches!(absolute(request("/a?b")), Err(InvokeError::Request { .. })));
        let mut relative = request("/a?b");
        relative.headers_mut().insert("host", "shop.example:81".parse().unwrap());
        assert_eq!(absolute(relative).unwrap().uri(), "https://shop.example:81/a?b");
        assert_eq!(absolute(request("http://x/y")).unwrap().uri(), "http://x/y");
    }

    #[test]
    fn error_codes_get_their_names_in_wit() {
        let payload = p2::DnsErrorPayload { rcode: None, info_code: Some(1) };
        let InvokeError::Http { code, fault } = http_error(&p2::ErrorCode::DnsError(payload))
        else {
            panic!()
        };
        assert!(code.starts_with("dns-error(") && fault == Fault::Upstream, "{code} {fault:?}");
        let denied =
            InvokeError::Http { code: "http-request-denied".to_owned(), fault: Fault::Config };
        assert_eq!(http_error(&p2::ErrorCode::HttpRequestDenied), denied);
    }
}
