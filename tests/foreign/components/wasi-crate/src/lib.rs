//! A web handler written against the bare bindings of the `wasi` crate, for WASI 0.2.

use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::io::streams::StreamError;

struct Handler;

wasi::http::proxy::export!(Handler);

impl Guest for Handler {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        match target.split('?').next() {
            Some("/echo") => echo(&request, outparam),
            Some("/teapot") => teapot(outparam),
            _ => report(&request, &target, outparam),
        }
    }
}

fn report(request: &IncomingRequest, target: &str, outparam: ResponseOutparam) {
    let method = match request.method() {
        Method::Get => "GET".to_owned(),
        method => format!("{method:?}"),
    };
    let client = request.headers().get("x-client").pop().unwrap_or_default();
    let text = format!("{method} {target} {}", String::from_utf8_lossy(&client));
    respond(outparam, 200, &[("content-type", "text/plain")], text.as_bytes());
}

fn teapot(outparam: ResponseOutparam) {
    let headers = [("x-short", "stout"), ("set-cookie", "one=1"), ("set-cookie", "two=2; Path=/")];
    respond(outparam, 418, &headers, b"short and stout");
}

/// Reads to the end before it answers, so that both directions of the stream are used one after the other.
fn echo(request: &IncomingRequest, outparam: ResponseOutparam) {
    let body = request.consume().expect("a body");
    let stream = body.stream().expect("the body's stream");
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(error) => panic!("{error}"),
        }
    }
    drop(stream);
    drop(IncomingBody::finish(body));
    respond(outparam, 200, &[("content-type", "application/octet-stream")], &bytes);
}

fn respond(outparam: ResponseOutparam, status: u16, headers: &[(&str, &str)], content: &[u8]) {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).expect("a valid header");
    }
    let response = OutgoingResponse::new(fields);
    response.set_status_code(status).expect("a valid status");
    let body = response.body().expect("the body");
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().expect("the body's stream");
    // `blocking_write_and_flush` takes 4096 bytes at most.
    for chunk in content.chunks(4096) {
        stream.blocking_write_and_flush(chunk).expect("a reader");
    }
    drop(stream);
    OutgoingBody::finish(body, None).expect("the end of the body");
}
