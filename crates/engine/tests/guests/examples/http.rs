//! A handler of `wasi:http` 0.2; the path says what to do, the query is its argument.

use futures::stream;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;
use wstd::http::{Body, Client, Error, Request, Response};
use wstd::time::Duration;

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    match request.uri().path() {
        "/echo" => echo(request),
        "/large" => text("x".repeat(query.parse()?)),
        "/spin" => spin(),
        "/wait" => {
            wstd::task::sleep(Duration::from_millis(query.parse()?)).await;
            text("waited".to_owned())
        }
        "/oom" => hoard(),
        "/trap" => text(a_function_that_traps(&query).to_string()),
        "/half" => Ok(Response::new(half_a_body())),
        "/exit" => std::process::exit(0),
        "/log" => log(),
        "/env" => text(format!("{:?}", std::env::var(&query))),
        "/fresh" => text(format!("{} {:?}", RandomState::new().hash_one(0), SystemTime::now())),
        "/fetch" => fetch(&query).await,
        "/tmp" => text(format!("{:?}", remember(&query))),
        path => text(format!("hello {path}")),
    }
}

fn text(text: String) -> Result<Response<Body>, Error> {
    Ok(Response::new(text.into()))
}

fn echo(request: Request<Body>) -> Result<Response<Body>, Error> {
    let (parts, body) = request.into_parts();
    let mut response = Response::builder().status(201).header("x-method", parts.method.as_str());
    response = response.header("x-uri", parts.uri.to_string());
    if let Some(value) = parts.headers.get("x-echo") {
        response = response.header("x-echo", value);
    }
    Ok(response.body(body)?)
}

fn spin() -> ! {
    loop {
        std::hint::black_box(0);
    }
}

fn hoard() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&held);
    }
}

#[inline(never)]
fn a_function_that_traps(index: &str) -> u32 {
    let table = HashMap::from([("known", 1)]);
    *table.get(index).expect("an index that is known")
}

/// One chunk, and a trap instead of the second.
fn half_a_body() -> Body {
    Body::from_stream(stream::unfold(0, |chunk| async move {
        if chunk == 0 {
            return Some(("half".repeat(100), 1));
        }
        wstd::task::sleep(Duration::from_millis(20)).await;
        panic!("no second half")
    }))
}

fn log() -> Result<Response<Body>, Error> {
    println!("out 1\nout 2");
    eprintln!("err 1");
    print!("unfinished");
    // Rust keeps a line that has not ended to itself, and nothing exits here that would flush it.
    std::io::Write::flush(&mut std::io::stdout())?;
    text("logged".to_owned())
}

async fn fetch(url: &str) -> Result<Response<Body>, Error> {
    match Client::new().send(Request::get(url).body(Body::empty())?).await {
        Ok(response) => Ok(response),
        Err(error) => text(format!("failed: {error:#}")),
    }
}

fn remember(text: &str) -> std::io::Result<String> {
    std::fs::write("/tmp/memory", text)?;
    std::fs::read_to_string("/tmp/memory")
}
