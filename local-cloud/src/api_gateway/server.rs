//! The listener of all that answers HTTP requests with functions, and the definitions that it answers by at the moment.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambkin_protocol::manifest::{ApiType, ResponseTransferMode};
use lambkin_protocol::routes::RouteError;

use super::custom_domain::{CustomDomains, Mapping, Place};
use super::definition::{Definition, Deployed};
use super::developer::{self, Developer};
use super::integration::Integration;
use super::streamed::{self, Answered, Body};
use super::{OnRequest, Visit, alb, function_url, http_api, outgoing, rest_api};
use crate::http_server::HttpServer;
use crate::lambda::Function;

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// An API and the function behind it.
#[derive(Clone)]
pub struct Api {
    /// The name that mappings have for it.
    pub name: String,
    /// Its kind, settings and routes.
    pub definition: Definition,
    /// What answers.
    pub function: Function,
}

/// What a gateway is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// The APIs. The first answers at every host name that is no custom domain.
    pub apis: Vec<Api>,
    /// Which APIs answer at which custom domains and base paths.
    pub mappings: Vec<Mapping>,
    /// How long the function may take before the client is told that it is too slow; what AWS grants when absent.
    pub integration_timeout: Option<Duration>,
    /// Gets one access per request.
    pub on_request: OnRequest,
    /// Pages that only a developer sees.
    pub developer: Option<Arc<dyn Developer>>,
}

impl Settings {
    /// One API with the time-outs of AWS and without custom domains; accesses are dropped, and there is nothing beside the
    /// API.
    pub fn new(address: SocketAddr, definition: Definition, function: Function) -> Self {
        let name = function.name().to_owned();
        Self {
            address,
            apis: vec![Api { name, definition, function }],
            mappings: Vec::new(),
            integration_timeout: None,
            on_request: Arc::new(|_| ()),
            developer: None,
        }
    }
}

/// Why a definition or a mapping cannot be.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// There is no API of this name.
    #[error("there is no API {name:?}")]
    NoApi {
        /// The API's name.
        name: String,
    },
    /// A route is malformed or there twice.
    #[error("the routes cannot be used")]
    Routes(#[from] RouteError),
}

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A definition or a mapping cannot be.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
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

/// A running gateway; dropping it closes its connections.
pub struct Server {
    http: HttpServer,
    service: Arc<Service>,
}

struct Service {
    apis: Vec<Running>,
    domains: CustomDomains,
    integration_timeout: Option<Duration>,
    on_request: OnRequest,
    developer: Option<Arc<dyn Developer>>,
}

/// An API that answers.
struct Running {
    name: String,
    deployed: RwLock<Arc<Deployed>>,
    function: Function,
}

impl Server {
    /// Listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let address = settings.address;
        let mut apis = Vec::new();
        for Api { name, definition, function } in settings.apis {
            let deployed = definition.try_into().map_err(DefinitionError::Routes)?;
            let deployed = RwLock::new(Arc::new(deployed));
            apis.push(Running { name, deployed, function });
        }
        let index = |name: &str| apis.iter().position(|api| api.name == name);
        let domains = CustomDomains::new(&settings.mappings, index)
            .map_err(|name| DefinitionError::NoApi { name })?;
        let service = Arc::new(Service {
            apis,
            domains,
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

    /// Answers by another definition of the API `name` from the next request on; one that cannot be leaves the old in force.
    pub fn deploy(&self, name: &str, definition: Definition) -> Result<(), DefinitionError> {
        let deployed = Arc::new(definition.try_into()?);
        let api = self.service.apis.iter().find(|api| api.name == name);
        let api = api.ok_or_else(|| DefinitionError::NoApi { name: name.to_owned() })?;
        *api.deployed.write().unwrap_or_else(PoisonError::into_inner) = deployed;
        Ok(())
    }

    /// Stops accepting, lets requests in flight end for up to two seconds, and closes.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}

impl Service {
    /// The API for a request, and where the client found it; nothing when the custom domain has no mapping for the path.
    fn find<B>(&self, request: &Request<B>) -> Option<(&Running, Place)> {
        let (index, place) = self.domains.find(request)?;
        Some((self.apis.get(index)?, place))
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if let Some(developer) = &self.developer
            && developer.owns(request.uri().path())
        {
            return developer::answer(Arc::clone(developer), request).await.map(streamed::whole);
        }
        let mut visit = Visit::begin(&request);
        let Some((api, place)) = self.find(&request) else {
            visit.access.error = Some("no API is mapped to this path of the domain".to_owned());
            let response = outgoing::message(StatusCode::FORBIDDEN, "Forbidden");
            visit.end(response.status(), &self.on_request);
            return response.map(streamed::whole);
        };
        let deployed = Arc::clone(&api.deployed.read().unwrap_or_else(PoisonError::into_inner));
        let (function, kind) = (api.function.clone(), deployed.api.kind);
        let streams = deployed.api.response_transfer_mode == ResponseTransferMode::Stream;
        let timeout = self.integration_timeout.unwrap_or(match kind {
            ApiType::Http => http_api::INTEGRATION_TIMEOUT,
            ApiType::Rest if streams => rest_api::STREAMING_TIMEOUT,
            ApiType::Rest => rest_api::INTEGRATION_TIMEOUT,
            ApiType::FunctionUrl => function_url::TIMEOUT,
            ApiType::Alb => alb::TIMEOUT,
        });
        let (deployed, integration) = (&*deployed, &Integration { function, timeout });
        let place = &place;
        let answered = match kind {
            ApiType::Http => {
                let api = http_api::Api { deployed, integration, place };
                Answered::Whole(api.answer(request, &mut visit).await)
            }
            ApiType::Rest => {
                rest_api::Api { deployed, integration, place }.answer(request, &mut visit).await
            }
            ApiType::FunctionUrl => {
                function_url::Api { deployed, integration }.answer(request, &mut visit).await
            }
            ApiType::Alb => {
                let balancer = alb::Api { deployed, integration };
                Answered::Whole(balancer.answer(request, &mut visit).await)
            }
        };
        let response = match answered {
            Answered::Whole(mut response) => {
                if let Some(developer) = &self.developer {
                    visit.close(response.status());
                    developer::explain(&**developer, &visit.access, &mut response);
                }
                response.map(streamed::whole)
            }
            Answered::Streamed(response) => response,
        };
        visit.end(response.status(), &self.on_request);
        response
    }
}
