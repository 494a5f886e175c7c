//! A web handler written with `wstd`, for WASI 0.2.

use wstd::http::{Body, Client, Error, Request, Response};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    match request.uri().path() {
        "/echo" => echo(request),
        "/teapot" => teapot(),
        "/fetch" => fetch(request).await,
        _ => report(&request),
    }
}

fn header<'a>(request: &'a Request<Body>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn report(request: &Request<Body>) -> Result<Response<Body>, Error> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let text = format!("{} {target} {}", request.method(), header(request, "x-client"));
    Ok(Response::builder().header("content-type", "text/plain").body(text.into())?)
}

fn echo(request: Request<Body>) -> Result<Response<Body>, Error> {
    let response = Response::builder().header("content-type", "application/octet-stream");
    Ok(response.body(request.into_body())?)
}

fn teapot() -> Result<Response<Body>, Error> {
    let response = Response::builder().status(418).header("x-short", "stout");
    let response = response.header("set-cookie", "one=1").header("set-cookie", "two=2; Path=/");
    Ok(response.body("short and stout".into())?)
}

async fn fetch(request: Request<Body>) -> Result<Response<Body>, Error> {
    let outgoing = Request::get(header(&request, "x-url")).body(Body::empty())?;
    match Client::new().send(outgoing).await {
        Ok(response) => Ok(response),
        Err(error) => Ok(Response::builder().status(502).body(format!("{error:#}").into())?),
    }
}
