//! A function URL: every path goes to the function, and a streamed answer goes to the client as it comes
//! (<https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html>). No IAM authorization, no CORS.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambkin_protocol::answer;
use lambkin_protocol::event::Format;
use lambkin_protocol::request::{self, Gateway};

use super::incoming::{self, ReadError};
use super::integration::with_causes;
use super::streamed::{self, Body};
use super::{OnRequest, StartError, Visit, outgoing};
use crate::http_server::HttpServer;
use crate::lambda::{Answer, Function, InvokeError, InvokeOptions, MAX_EVENT};

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

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
        refusal.response.map(streamed::whole)
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
            .map(|response| response.map(streamed::whole))
            .map_err(|malformed| Refusal::bad_gateway(malformed.to_string())),
        Answer::FunctionError { payload, .. } => {
            Err(Refusal::bad_gateway(String::from_utf8_lossy(&payload)))
        }
        Answer::Streaming(streaming) => {
            streamed::response(streaming).await.map_err(Refusal::bad_gateway)
        }
    }
}

fn too_large() -> Response<Bytes> {
    outgoing::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}
