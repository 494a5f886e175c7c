//! HTTP: requests to other services, and the request and response of a web handler.

use super::bytes;
use crate::event_loop::{Ended, Outcome, ready, spawn};
use crate::instance;
use rquickjs::{Ctx, Exception, Function, Object, Promise, Result, TypedArray};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use url::Url;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, Method, OutgoingBody, OutgoingRequest, OutgoingResponse,
    ResponseOutparam, Scheme,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// How much of a body is read or written at once.
const CHUNK: usize = 64 * 1024;

/// A body that is being read; the stream is a child of the body and is dropped first.
struct Reader {
    stream: InputStream,
    _body: IncomingBody,
}

/// A body that is being written; the stream is a child of the body and is dropped first.
struct Writer {
    stream: OutputStream,
    body: OutgoingBody,
}

thread_local! {
    static NEXT: Cell<u32> = const { Cell::new(1) };
    static READERS: RefCell<BTreeMap<u32, Rc<Reader>>> = const { RefCell::new(BTreeMap::new()) };
    static WRITERS: RefCell<BTreeMap<u32, Rc<Writer>>> = const { RefCell::new(BTreeMap::new()) };
    static RESPONSE: RefCell<Option<ResponseOutparam>> = const { RefCell::new(None) };
}

pub fn define<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("send", Function::new(ctx.clone(), send)?)?;
    native.set("read", Function::new(ctx.clone(), read)?)?;
    native.set("closeReader", Function::new(ctx.clone(), close_reader)?)?;
    native.set("respond", Function::new(ctx.clone(), respond)?)?;
    native.set("writeBody", Function::new(ctx.clone(), write_body)?)?;
    native.set("finishBody", Function::new(ctx.clone(), finish_body)?)?;
    native.set("abandonBody", Function::new(ctx.clone(), abandon_body)?)?;
    Ok(())
}

fn handle() -> u32 {
    let handle = NEXT.get();
    NEXT.set(handle + 1);
    handle
}

fn reader(body: IncomingBody) -> u32 {
    let Ok(stream) = body.stream() else { return 0 };
    let handle = handle();
    READERS
        .with_borrow_mut(|readers| readers.insert(handle, Rc::new(Reader { stream, _body: body })));
    handle
}

/// Keeps what a web handler answers through, and returns the handle of the request's body.
pub fn accept(body: Option<IncomingBody>, response: ResponseOutparam) -> u32 {
    RESPONSE.set(Some(response));
    body.map_or(0, reader)
}

/// Whether the handler's response has begun.
pub fn response_started() -> bool {
    RESPONSE.with_borrow(Option::is_none)
}

/// Tells the host that no response comes; a no-op when one has begun.
pub fn fail_response(message: String) {
    if let Some(response) = RESPONSE.take() {
        ResponseOutparam::set(response, Err(ErrorCode::InternalError(Some(message))));
    }
}

/// Header names and values in turn, values as Latin-1 (<https://fetch.spec.whatwg.org/#concept-header-value>).
pub fn flatten(fields: &Fields) -> Vec<String> {
    let entries = fields.entries().into_iter();
    entries.flat_map(|(name, value)| [name, value.into_iter().map(char::from).collect()]).collect()
}

/// The reverse of [`flatten`]; headers that belong to the connection, which the host writes itself, are left out.
fn fields(headers: &[String]) -> std::result::Result<Fields, String> {
    let fields = Fields::new();
    for pair in headers.chunks_exact(2) {
        let value: Option<Vec<u8>> =
            pair[1].chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
        let value = value
            .ok_or_else(|| format!("the value of the header {} is not Latin-1 text", pair[0]))?;
        match fields.append(&pair[0], &value) {
            Ok(()) | Err(wasip2::http::types::HeaderError::Forbidden) => {}
            Err(_) => return Err(format!("the header {} is malformed", pair[0])),
        }
    }
    Ok(fields)
}

/// Sends a request; the promise is settled when the response's head is there.
fn send<'js>(
    ctx: Ctx<'js>,
    key: u32,
    method: String,
    url: String,
    headers: Vec<String>,
    body: Option<TypedArray<'js, u8>>,
) -> Result<Promise<'js>> {
    if instance::in_snapshot() {
        instance::defer("fetch".to_owned());
        return Err(Exception::throw_type(
            &ctx,
            "fetch is not available while the module is loaded at build time",
        ));
    }
    let body = body.map(|body| bytes(&ctx, &body)).transpose()?;
    spawn(&ctx, key, exchange(method, url, headers, body))
}

async fn exchange(
    method: String,
    url: String,
    headers: Vec<String>,
    content: Option<Vec<u8>>,
) -> Ended {
    let request = outgoing(&method, &url, &headers)?;
    let body = request.body().map_err(|()| "the request has no body")?;
    let response = outgoing_handler::handle(request, None).map_err(describe)?;
    {
        let stream = body.write().map_err(|()| "the request's body has no stream")?;
        if let Some(content) = content {
            write_all(&stream, &content).await?;
        }
    }
    OutgoingBody::finish(body, None).map_err(describe)?;
    ready(response.subscribe()).await;
    let Some(Ok(answer)) = response.get() else {
        return Err("the response was taken already".to_owned());
    };
    let answer = answer.map_err(describe)?;
    let headers = flatten(&answer.headers());
    let status = answer.status();
    let body = answer.consume().map_err(|()| "the response's body was taken already")?;
    Ok(Outcome::Response { status, headers, body: reader(body) })
}

fn outgoing(
    method: &str,
    url: &str,
    headers: &[String],
) -> std::result::Result<OutgoingRequest, String> {
    let url = Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => return Err(format!("the scheme {other}: is not supported")),
    };
    let path = url
        .query()
        .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let request = OutgoingRequest::new(fields(headers)?);
    let set = request
        .set_method(&to_method(method))
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(&authority)))
        .and_then(|()| request.set_path_with_query(Some(&path)));
    set.map_err(|()| format!("{method} {url} is not a valid request"))?;
    Ok(request)
}

fn to_method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn describe(code: ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(message)) => message,
        other => format!("{other:?}"),
    }
}

/// The next bytes of a body, null at its end.
fn read<'js>(ctx: Ctx<'js>, handle: u32) -> Result<Promise<'js>> {
    let reader = READERS.with_borrow(|readers| readers.get(&handle).cloned());
    spawn(&ctx, 0, async move {
        let Some(reader) = reader else { return Ok(Outcome::Bytes(None)) };
        loop {
            match reader.stream.read(CHUNK as u64) {
                Ok(bytes) if bytes.is_empty() => ready(reader.stream.subscribe()).await,
                Ok(bytes) => return Ok(Outcome::Bytes(Some(bytes))),
                Err(StreamError::Closed) => {
                    close_reader(handle);
                    return Ok(Outcome::Bytes(None));
                }
                Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
            }
        }
    })
}

fn close_reader(handle: u32) {
    READERS.with_borrow_mut(|readers| readers.remove(&handle));
}

/// Begins the web handler's response and returns the handle of its body.
fn respond(ctx: Ctx<'_>, status: u16, headers: Vec<String>) -> Result<u32> {
    let fail = |message: &str| Exception::throw_type(&ctx, message);
    let response = OutgoingResponse::new(fields(&headers).map_err(|message| fail(&message))?);
    response.set_status_code(status).map_err(|()| fail("the response's status is out of range"))?;
    let body = response.body().map_err(|()| fail("the response has no body"))?;
    let outparam = RESPONSE.take().ok_or_else(|| fail("the response was sent already"))?;
    let stream = body.write().map_err(|()| fail("the response's body has no stream"))?;
    ResponseOutparam::set(outparam, Ok(response));
    let handle = handle();
    WRITERS.with_borrow_mut(|writers| writers.insert(handle, Rc::new(Writer { stream, body })));
    Ok(handle)
}

/// Writes to the response's body; settled when the host has taken the bytes.
fn write_body<'js>(ctx: Ctx<'js>, handle: u32, chunk: TypedArray<'js, u8>) -> Result<Promise<'js>> {
    let writer = WRITERS.with_borrow(|writers| writers.get(&handle).cloned());
    let chunk = bytes(&ctx, &chunk)?;
    spawn(&ctx, 0, async move {
        let writer = writer.ok_or("the response is closed")?;
        write_all(&writer.stream, &chunk).await?;
        Ok(Outcome::Nothing)
    })
}

/// Ends the response's body. The promise is settled when the host has it all.
fn finish_body<'js>(ctx: Ctx<'js>, handle: u32) -> Result<Promise<'js>> {
    let writer = WRITERS.with_borrow_mut(|writers| writers.remove(&handle));
    spawn(&ctx, 0, async move {
        let writer = writer.ok_or("the response is closed")?;
        // A client that has left, or asked for the head alone, wants nothing more.
        if flush(&writer.stream).await.is_err() {
            return Ok(Outcome::Nothing);
        }
        let writer = Rc::into_inner(writer).ok_or("the response is still being written")?;
        drop(writer.stream);
        OutgoingBody::finish(writer.body, None).map_err(describe)?;
        Ok(Outcome::Nothing)
    })
}

/// Drops the response's body unfinished, which the host takes as a failure in the middle of it.
fn abandon_body(handle: u32) {
    WRITERS.with_borrow_mut(|writers| writers.remove(&handle));
}

async fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> std::result::Result<(), String> {
    while !bytes.is_empty() {
        let permitted = stream.check_write().map_err(broken)? as usize;
        if permitted == 0 {
            ready(stream.subscribe()).await;
            continue;
        }
        let (now, later) = bytes.split_at(permitted.min(bytes.len()).min(CHUNK));
        stream.write(now).map_err(broken)?;
        bytes = later;
    }
    Ok(())
}

async fn flush(stream: &OutputStream) -> std::result::Result<(), String> {
    stream.flush().map_err(broken)?;
    while stream.check_write().map_err(broken)? == 0 {
        ready(stream.subscribe()).await;
    }
    Ok(())
}

fn broken(error: StreamError) -> String {
    match error {
        StreamError::Closed => "the other side closed the body".to_owned(),
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
    }
}
