//! The export `wasi:http/incoming-handler`: a web handler.

use crate::instance;
use crate::native::{accept, fail_response, flatten, response_started};
use crate::vm::{Thrown, Vm, thrown};
use rquickjs::{Function, Object};
use wasip2::http::types::{IncomingRequest, Method, ResponseOutparam, Scheme};

struct Handler;

wasip2::http::proxy::export!(Handler);

impl wasip2::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let parts = Parts::of(&request);
        let body = accept(request.consume().ok(), response);
        if let Err(error) = answer(parts, body) {
            instance::write(
                2,
                format!("{}: {}\n{}\n", error.name, error.message, error.stack.join("\n"))
                    .as_bytes(),
            );
            fail_response(format!("{}: {}", error.name, error.message));
        }
        if !response_started() {
            fail_response("the handler ended without a response".to_owned());
        }
    }
}

fn answer(parts: Parts, body: u32) -> Result<(), Thrown> {
    let vm = Vm::get()?;
    vm.begin(Vec::new())?;
    let error = vm.settle(
        |prelude| {
            let request = Object::new(prelude.ctx().clone())?;
            request.set("method", parts.method)?;
            request.set("url", parts.url)?;
            request.set("headers", parts.headers)?;
            request.set("body", body)?;
            prelude.get::<_, Function<'_>>("invokeHttp")?.call((request,))
        },
        thrown,
    )?;
    error.map_or(Ok(()), Err)
}

/// What a request consists of, but for its body.
struct Parts {
    method: String,
    /// Absolute, as `Request.url` is.
    url: String,
    headers: Vec<String>,
}

impl Parts {
    fn of(request: &IncomingRequest) -> Self {
        let headers = flatten(&request.headers());
        let host = headers
            .chunks_exact(2)
            .find(|pair| pair[0].eq_ignore_ascii_case("host"))
            .map(|pair| pair[1].clone());
        let authority =
            host.or_else(|| request.authority()).unwrap_or_else(|| "localhost".to_owned());
        let scheme = match request.scheme() {
            Some(Scheme::Http) => "http".to_owned(),
            Some(Scheme::Other(other)) => other,
            Some(Scheme::Https) | None => "https".to_owned(),
        };
        let path = request.path_with_query().unwrap_or_else(|| "/".to_owned());
        Self {
            method: name(request.method()),
            url: format!("{scheme}://{authority}{path}"),
            headers,
        }
    }
}

fn name(method: Method) -> String {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(other) => return other,
    }
    .to_owned()
}
