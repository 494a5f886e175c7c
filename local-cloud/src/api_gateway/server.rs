//! The listener of an HTTP API, and the definition that it answers by at the moment.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambkin_protocol::manifest::ApiType;
use lambkin_protocol::routes::RouteError;

use super::definition::{Definition, Deployed};
use super::developer::{self, Developer};
use super::integration::Integration;
use super::{OnRequest, Visit, http_api, rest_api};
use crate::http_server::HttpServer;
use crate::lambda::Function;

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// What an API is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// The API's kind, settings and routes.
    pub definition: Definition,
    /// What answers.
    pub function: Function,
    /// How long the function may take before the client is told that it is too slow; what AWS grants when absent.
    pub integration_timeout: Option<Duration>,
    /// Gets one access per request.
    pub on_request: OnRequest,
    /// Pages that only a developer sees.
    pub developer: Option<Arc<dyn Developer>>,
}

impl Settings {
    /// The time-outs of AWS; accesses are dropped, and there is nothing beside the API.
    pub fn new(address: SocketAddr, definition: Definition, function: Function) -> Self {
        Self {
            address,
            definition,
            function,
            integration_timeout: None,
            on_request: Arc::new(|_| ()),
            developer: None,
        }
    }
}

/// Why an API could not start.
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

/// A running API; dropping it closes its connections.
pub struct Server {
    http: HttpServer,
    service: Arc<Service>,
}

struct Service {
    deployed: RwLock<Arc<Deployed>>,
    function: Function,
    integration_timeout: Option<Duration>,
    on_request: OnRequest,
    developer: Option<Arc<dyn Developer>>,
}

impl Server {
    /// Listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let address = settings.address;
        let service = Arc::new(Service {
            deployed: RwLock::new(Arc::new(settings.definition.try_into()?)),
            function: settings.function,
            integration_timeout: settings.integration_timeout,
            on_request: settings.on_request,
            developer: settings.developer,
        });
        let served = Arc::clone(&service);
        let http = service_fn(move |request| {
            let service = Arc::clone(&served);
            async move { Ok::<_, Infallible>(service.answer(request).await) }
        });
        let http = HttpServer::start(address, http).await;
        Ok(Self { http: http.map_err(|source| StartError::Listen { address, source })?, service })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.http.address()
    }

    /// Its URL, such as `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// Answers by another definition from the next request on; one that cannot be leaves the old in force.
    pub fn deploy(&self, definition: Definition) -> Result<(), RouteError> {
        let deployed = Arc::new(definition.try_into()?);
        *self.service.deployed.write().unwrap_or_else(PoisonError::into_inner) = deployed;
        Ok(())
    }

    /// Stops accepting, lets requests in flight end for up to two seconds, and closes.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(developer) = &self.developer
            && developer.owns(request.uri().path())
        {
            return developer::answer(Arc::clone(developer), request).await.map(Full::new);
        }
        let deployed = Arc::clone(&self.deployed.read().unwrap_or_else(PoisonError::into_inner));
        let mut visit = Visit::begin(&request);
        let (function, kind) = (self.function.clone(), deployed.api.kind);
        let timeout = self.integration_timeout.unwrap_or(match kind {
            ApiType::Http => http_api::INTEGRATION_TIMEOUT,
            ApiType::Rest => rest_api::INTEGRATION_TIMEOUT,
        });
        let (deployed, integration) = (&*deployed, &Integration { function, timeout });
        let mut response = match kind {
            ApiType::Http => {
                http_api::Api { deployed, integration }.answer(request, &mut visit).await
            }
            ApiType::Rest => {
                rest_api::Api { deployed, integration }.answer(request, &mut visit).await
            }
        };
        if let Some(developer) = &self.developer {
            visit.close(response.status());
            developer::explain(&**developer, &visit.access, &mut response);
        }
        visit.end(response.status(), &self.on_request);
        response.map(Full::new)
    }
}
