//! A function URL: every path goes to the function, and a streamed answer goes to the client as it comes
//! (<https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html>). No IAM authorization, no CORS.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambkin_protocol::answer;
use lambkin_protocol::event::Format;
use lambkin_protocol::request::{self, Gateway};
use serde::Deserialize;

use super::incoming::{self, ReadError};
use super::integration::with_causes;
use super::{OnRequest, StartError, Visit, outgoing};
use crate::http_server::HttpServer;
use crate::lambda::{
    Answer, Function, InvokeError, InvokeOptions, MAX_EVENT, StreamError, Streaming,
};

/// The content type of an answer that starts with a prelude.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

/// What ends a prelude.
const PRELUDE_END: [u8; 8] = [0; 8];

/// How long a prelude may be, in bytes.
const MAX_PRELUDE: usize = 64 * 1024;

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

type Body = UnsyncBoxBody<Bytes, StreamError>;

/// What a function URL is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// What answers.
    pub function: Function,
    /// Gets one access per request.
    pub on_request: OnRequest,
}

/// A running function URL; dropping it closes its connections.
pub struct Server {
    http: HttpServer,
}

impl Server {
    /// Listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let address = settings.address;
        let settings = Arc::new(settings);
        let service = service_fn(move |request| {
            let settings = Arc::clone(&settings);
            async move { Ok::<_, Infallible>(respond(&settings, request).await) }
        });
        let http = HttpServer::start(address, service).await;
        Ok(Self { http: http.map_err(|source| StartError::Listen { address, source })? })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.http.address()
    }

    /// Its URL, such as `http://127.0.0.1:3001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// Stops accepting, lets requests in flight end for up to two seconds, and closes.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}

async fn respond(settings: &Settings, request: Request<Incoming>) -> Response<Body> {
    let mut visit = Visit::begin(&request);
    let mut response = invoke(settings, request, &mut visit).await.unwrap_or_else(|refusal| {
        visit.access.error = Some(refusal.why);
        refusal.response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())
    });
    outgoing::clean(response.headers_mut());
    outgoing::mark(response.headers_mut(), "x-amzn-requestid", &visit.access.request_id);
    visit.end(response.status(), &settings.on_request);
    response
}

/// An answer in the function's place.
struct Refusal {
    response: Response<Bytes>,
    why: String,
}

impl Refusal {
    fn bad_gateway(why: impl Into<String>) -> Self {
        Self { response: answer::failure(Format::FunctionUrl), why: why.into() }
    }
}

async fn invoke(
    settings: &Settings,
    request: Request<Incoming>,
    visit: &mut Visit,
) -> Result<Response<Body>, Refusal> {
    let whole = incoming::read(request, MAX_EVENT).await.map_err(|error| Refusal {
        response: match error {
            ReadError::TooLarge { .. } => too_large(),
            ReadError::Truncated => outgoing::message(StatusCode::BAD_REQUEST, "Bad Request"),
        },
        why: error.to_string(),
    })?;
    let gateway = Gateway {
        account_id: "anonymous",
        api_id: "local",
        domain_name: &whole.domain_name,
        stage: "$default",
        route_key: "$default",
        path_parameters: &BTreeMap::new(),
        stage_variables: None,
        authorizer: None,
        source_ip: &whole.source_ip,
        request_id: &visit.access.request_id,
        time_epoch_ms: whole.time,
    };
    let event = request::function_url(&whole.request, &gateway);
    let options =
        InvokeOptions { trace_id: Some(whole.trace_id.clone()), ..InvokeOptions::default() };
    let completed =
        settings.function.call(event.into(), options).await.map_err(|error| match error {
            InvokeError::EventTooLarge { .. } => {
                Refusal { response: too_large(), why: error.to_string() }
            }
            _ => Refusal::bad_gateway(with_causes(&error)),
        })?;
    visit.access.invocation = Some(completed.request_id);
    match completed.answer {
        Answer::Buffered(payload) => answer::interpret(Format::FunctionUrl, &payload)
            .map(|response| {
                response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())
            })
            .map_err(|malformed| Refusal::bad_gateway(malformed.to_string())),
        Answer::FunctionError { payload, .. } => {
            Err(Refusal::bad_gateway(String::from_utf8_lossy(&payload)))
        }
        Answer::Streaming(streaming) => stream_response(streaming).await,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prelude {
    status_code: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    cookies: Vec<String>,
}

/// The head comes from the prelude, if there is one; what follows is passed on piece by piece.
async fn stream_response(mut streaming: Streaming) -> Result<Response<Body>, Refusal> {
    let (head, first) = match streaming.content_type.as_deref() {
        Some(WITH_PRELUDE) => read_prelude(&mut streaming).await?,
        content_type => {
            let mut head = Response::new(());
            let kind = content_type.unwrap_or("application/octet-stream");
            if let Ok(kind) = HeaderValue::from_str(kind) {
                head.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            (head, Bytes::new())
        }
    };
    let pending = VecDeque::from_iter((!first.is_empty()).then_some(first));
    // An error here makes the server break the connection off, which is how HTTP/1.1 tells a client mid-body.
    let rest =
        stream::try_unfold((pending, streaming), |(mut pending, mut streaming)| async move {
            let chunk = match pending.pop_front() {
                Some(chunk) => chunk,
                None => match streaming.next().await {
                    Some(Ok(chunk)) => chunk,
                    Some(Err(error)) => {
                        // The server writes out what it has while this waits, and nothing after an error.
                        tokio::task::yield_now().await;
                        return Err(error);
                    }
                    None => return Ok(None),
                },
            };
            Ok(Some((Frame::data(chunk), (pending, streaming))))
        });
    Ok(head.map(|()| StreamBody::new(rest).boxed_unsync()))
}

async fn read_prelude(streaming: &mut Streaming) -> Result<(Response<()>, Bytes), Refusal> {
    let mut read = BytesMut::new();
    loop {
        if let Some(end) = read.windows(PRELUDE_END.len()).position(|window| window == PRELUDE_END)
        {
            let prelude = read.split_to(end).freeze();
            let body = read.split_off(PRELUDE_END.len()).freeze();
            return Ok((head(&prelude).map_err(Refusal::bad_gateway)?, body));
        }
        if read.len() > MAX_PRELUDE {
            return Err(Refusal::bad_gateway("the streamed answer has no prelude"));
        }
        match streaming.next().await {
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(error)) => return Err(Refusal::bad_gateway(error.to_string())),
            None => {
                return Err(Refusal::bad_gateway(
                    "the streamed answer ended before its prelude did",
                ));
            }
        }
    }
}

fn head(prelude: &[u8]) -> Result<Response<()>, String> {
    let malformed = |error: &dyn std::fmt::Display| {
        format!("the prelude of the streamed answer is malformed: {error}")
    };
    let prelude: Prelude = serde_json::from_slice(prelude).map_err(|error| malformed(&error))?;
    let mut response = Response::new(());
    if let Some(status) = prelude.status_code {
        *response.status_mut() = StatusCode::from_u16(status).map_err(|error| malformed(&error))?;
    }
    let multi = prelude
        .multi_value_headers
        .into_iter()
        .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)));
    let cookies =
        prelude.cookies.into_iter().map(|cookie| (header::SET_COOKIE.as_str().to_owned(), cookie));
    for (name, value) in cookies.chain(multi).chain(prelude.headers) {
        let name: HeaderName = name.parse().map_err(|error| malformed(&error))?;
        let value: HeaderValue = value.parse().map_err(|error| malformed(&error))?;
        response.headers_mut().append(name, value);
    }
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

fn too_large() -> Response<Bytes> {
    outgoing::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}
