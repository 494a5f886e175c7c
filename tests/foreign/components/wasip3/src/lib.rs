//! A web handler written against the bindings of the `wasip3` crate, for WASI 0.3.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasip3::{wit_future, wit_stream};

struct Handler;

wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        match target.split('?').next() {
            Some("/echo") => Ok(echo(request)),
            Some("/teapot") => Ok(teapot()),
            Some("/fetch") => fetch(&header(&request, "x-url")).await,
            _ => Ok(report(&request, &target)),
        }
    }
}

fn header(request: &Request, name: &str) -> String {
    let value = request.get_headers().get(name).pop().unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}

fn report(request: &Request, target: &str) -> Response {
    let method = match request.get_method() {
        Method::Get => "GET".to_owned(),
        method => format!("{method:?}"),
    };
    let text = format!("{method} {target} {}", header(request, "x-client"));
    respond(200, &[("content-type", "text/plain")], text.into_bytes())
}

fn teapot() -> Response {
    let headers = [("x-short", "stout"), ("set-cookie", "one=1"), ("set-cookie", "two=2; Path=/")];
    respond(418, &headers, b"short and stout".to_vec())
}

/// Hands the request's body on without touching it.
fn echo(request: Request) -> Response {
    let (_, received) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, received);
    let headers = fields(&[("content-type", "application/octet-stream")]);
    Response::new(headers, Some(body), trailers).0
}

fn respond(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    wasip3::wit_bindgen::spawn_local(async move {
        let unwritten = writer.write_all(body).await;
        assert!(unwritten.is_empty(), "a reader of the whole body");
        drop(writer);
        let _nobody = trailers.write(Ok(None)).await;
    });
    let response = Response::new(fields(headers), Some(reader), trailers_reader).0;
    response.set_status_code(status).expect("a valid status");
    response
}

fn fields(headers: &[(&str, &str)]) -> Fields {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).expect("a valid header");
    }
    fields
}

async fn fetch(url: &str) -> Result<Response, ErrorCode> {
    let (authority, path) =
        url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let (_, trailers) = wit_future::new(|| Ok(None));
    let request = Request::new(Fields::new(), None, trailers, None).0;
    request.set_method(&Method::Get).expect("a valid method");
    request.set_scheme(Some(&Scheme::Http)).expect("a valid scheme");
    request.set_authority(Some(authority)).expect("a valid authority");
    request.set_path_with_query(Some(&format!("/{path}"))).expect("a valid path");
    match client::send(request).await {
        Ok(response) => Ok(response),
        Err(error) => Ok(respond(502, &[], error.to_string().into_bytes())),
    }
}
