//! An HTTP API before one function: routes, payload format 2.0, and API Gateway's own answers when something fails.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>. An HTTP API cannot stream, so a
//! streamed answer is collected first. One stage, `$default`, without authorizers and CORS.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambkin_protocol::answer;
use lambkin_protocol::event::Format;
use lambkin_protocol::request::{Gateway, http_api_v2};
use lambkin_protocol::routes::{self, RouteError, Table};

use super::incoming::{self, ReadError, Whole};
use super::{OnRequest, Visit, outgoing};
use crate::http_server::HttpServer;
use crate::lambda::{Answer, Function, InvokeError, InvokeOptions};

/// The largest request body, in bytes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// How long an integration may take; the same page.
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// What an HTTP API is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// What it answers to.
    pub routes: Vec<Route>,
    /// What answers.
    pub function: Function,
    /// How long the function may take before the client gets a 503.
    pub integration_timeout: Duration,
    /// Gets one access per request.
    pub on_request: OnRequest,
}

impl Settings {
    /// The time-out of AWS; accesses are dropped.
    pub fn new(address: SocketAddr, routes: Vec<Route>, function: Function) -> Self {
        Self {
            address,
            routes,
            function,
            integration_timeout: INTEGRATION_TIMEOUT,
            on_request: Arc::new(|_| ()),
        }
    }
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method in capitals; absent: any.
    pub method: Option<String>,
    /// `/`, `/items/{id}`, `/files/{proxy+}` or `$default`.
    pub path: String,
}

/// Why an HTTP API could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A route is malformed or there twice.
    #[error("the routes cannot be used")]
    Routes(#[from] RouteError),
    /// The address is taken or not allowed.
    #[error("cannot listen on {address} for HTTP")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// A running HTTP API; dropping it closes its connections.
pub struct Server {
    http: HttpServer,
    api: Arc<Api>,
}

struct Api {
    table: RwLock<Arc<Table>>,
    function: Function,
    integration_timeout: Duration,
    on_request: OnRequest,
}

impl Server {
    /// Listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let address = settings.address;
        let api = Arc::new(Api {
            table: RwLock::new(Arc::new(table(&settings.routes)?)),
            function: settings.function,
            integration_timeout: settings.integration_timeout,
            on_request: settings.on_request,
        });
        let served = Arc::clone(&api);
        let service = service_fn(move |request| {
            let api = Arc::clone(&served);
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        let http = HttpServer::start(address, service).await;
        Ok(Self { http: http.map_err(|source| StartError::Listen { address, source })?, api })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.http.address()
    }

    /// Its URL, such as `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// Answers by other routes from the next request on.
    pub fn set_routes(&self, routes: &[Route]) -> Result<(), RouteError> {
        let table = Arc::new(table(routes)?);
        *self.api.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        Ok(())
    }

    /// Stops accepting, lets requests in flight end for up to two seconds, and closes.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut visit = Visit::begin(&request);
        let mut response = self.route(request, &mut visit).await;
        outgoing::mark(response.headers_mut(), "apigw-requestid", &visit.access.request_id);
        visit.end(response.status(), &self.on_request);
        response.map(Full::new)
    }

    async fn route(&self, request: Request<Incoming>, visit: &mut Visit) -> Response<Bytes> {
        let table = Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner));
        let Some(found) = table.find(request.method(), request.uri().path()) else {
            return outgoing::message(StatusCode::NOT_FOUND, "Not Found");
        };
        let route_key = route_key(found.route, request.method());
        visit.access.route_key = Some(route_key.clone());
        let whole = match incoming::read(request, MAX_BODY).await {
            Ok(whole) => whole,
            Err(error) => {
                visit.access.error = Some(error.to_string());
                return match error {
                    ReadError::TooLarge { .. } => too_large(),
                    ReadError::Truncated => {
                        outgoing::message(StatusCode::BAD_REQUEST, "Bad Request")
                    }
                };
            }
        };
        let gateway = Gateway {
            account_id: "000000000000",
            api_id: "local",
            domain_name: &whole.domain_name,
            stage: "$default",
            route_key: &route_key,
            path_parameters: &found.parameters,
            source_ip: &whole.source_ip,
            request_id: &visit.access.request_id,
            time_epoch_ms: whole.time,
        };
        let event = http_api_v2(&whole.request, &gateway);
        self.invoke(event.into(), whole, visit).await
    }

    async fn invoke(&self, event: Bytes, whole: Whole, visit: &mut Visit) -> Response<Bytes> {
        let options = InvokeOptions { trace_id: Some(whole.trace_id), ..InvokeOptions::default() };
        let answer =
            async { Ok(self.function.invoke(event, options).await?.into_buffered().await) };
        let Ok(answer) = tokio::time::timeout(self.integration_timeout, answer).await else {
            visit.access.error =
                Some(format!("the function took more than {:?}", self.integration_timeout));
            return outgoing::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
        };
        match answer.map_err(|error: InvokeError| {
            (matches!(error, InvokeError::EventTooLarge { .. }), error)
        }) {
            Ok(Answer::Buffered(payload)) => match answer::interpret(Format::HttpV2, &payload) {
                Ok(mut response) => {
                    outgoing::clean(response.headers_mut());
                    response
                }
                Err(malformed) => failed(visit, malformed.to_string()),
            },
            Ok(Answer::FunctionError { payload, .. }) => {
                failed(visit, String::from_utf8_lossy(&payload).into_owned())
            }
            // `into_buffered` leaves no stream.
            Ok(Answer::Streaming(_)) => failed(visit, "the answer was not collected".to_owned()),
            Err((true, error)) => {
                visit.access.error = Some(error.to_string());
                too_large()
            }
            Err((false, error)) => failed(visit, with_causes(&error)),
        }
    }
}

fn table(routes: &[Route]) -> Result<Table, RouteError> {
    let routes: Vec<_> = routes
        .iter()
        .map(|route| routes::Route {
            path: route.path.clone(),
            methods: route.method.clone().map(|method| vec![method]),
            // There is one function behind this API.
            component: String::new(),
            ..routes::Route::default()
        })
        .collect();
    Table::new(&routes)
}

fn route_key(route: &routes::Route, method: &Method) -> String {
    match (&*route.path, &route.methods) {
        (routes::DEFAULT, None) => routes::DEFAULT.to_owned(),
        (path, None) => format!("ANY {path}"),
        (path, Some(_)) => format!("{method} {path}"),
    }
}

fn too_large() -> Response<Bytes> {
    outgoing::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

fn failed(visit: &mut Visit, why: String) -> Response<Bytes> {
    visit.access.error = Some(why);
    answer::failure(Format::HttpV2)
}

/// An error with what caused it, for a log line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
