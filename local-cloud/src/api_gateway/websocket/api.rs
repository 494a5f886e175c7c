//! What all connections of one API share, and what each path of it is for.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use lambkin_protocol::manifest::WebSocketRoute;
use lambkin_protocol::websocket::{DEFAULT, Selection, SelectionError};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::Connections;
use super::{Definition, Limits, Settings, handshake, management};
use crate::api_gateway::authorizers::Authorizers;
use crate::api_gateway::integration::Integration;
use crate::api_gateway::sigv4::AccessKey;
use crate::api_gateway::{OnRequest, Visit, outgoing};

/// The id that the API has in its events.
pub(super) const ID: &str = "local";

/// What stands between the stage and a connection's id.
const MANAGEMENT: &str = "@connections";

pub(super) struct Api {
    pub(super) stage: String,
    deployed: RwLock<Arc<Deployed>>,
    pub(super) integration: Integration,
    pub(super) connections: Connections,
    pub(super) limits: Limits,
    pub(super) access_key: AccessKey,
    pub(super) on_request: OnRequest,
    /// The connections, and what they still have to do when they are closed.
    pub(super) tasks: TaskTracker,
    /// Clients are asked to go.
    pub(super) closing: CancellationToken,
}

/// One deployment.
pub(super) struct Deployed {
    selection: Selection,
    routes: Vec<WebSocketRoute>,
    pub(super) authorizers: Authorizers,
}

impl Deployed {
    fn new(definition: Definition) -> Result<Self, SelectionError> {
        let Definition { api, authorizers } = definition;
        Ok(Self {
            selection: api.route_selection_expression.parse()?,
            routes: api.route,
            authorizers: Authorizers::new(authorizers),
        })
    }

    /// The route with this key.
    pub(super) fn find(&self, key: &str) -> Option<&WebSocketRoute> {
        self.routes.iter().find(|route| route.key == key)
    }

    /// The route that a message takes.
    pub(super) fn select(&self, message: &str) -> Option<&WebSocketRoute> {
        self.find(&self.selection.evaluate(message)).or_else(|| self.find(DEFAULT))
    }
}

impl Api {
    /// The API, and what it is to be served on.
    pub(super) fn new(settings: Settings) -> Result<(Self, TcpListener), SelectionError> {
        let api = Self {
            stage: settings.api.api.stage.clone(),
            deployed: RwLock::new(Arc::new(Deployed::new(settings.api)?)),
            integration: Integration {
                function: settings.function,
                timeout: settings.limits.integration,
            },
            connections: Connections::default(),
            limits: settings.limits,
            access_key: AccessKey {
                id: settings.credentials.access_key_id,
                secret: settings.credentials.secret_access_key,
            },
            on_request: settings.on_request,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        Ok((api, settings.listener))
    }

    pub(super) fn deployed(&self) -> Arc<Deployed> {
        Arc::clone(&self.deployed.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn deploy(&self, definition: Definition) -> Result<(), SelectionError> {
        let deployed = Arc::new(Deployed::new(definition)?);
        *self.deployed.write().unwrap_or_else(PoisonError::into_inner) = deployed;
        Ok(())
    }

    /// Asks every client to go, and waits at most `grace` until all are gone and `$disconnect` was invoked for them.
    pub(super) async fn close(&self, grace: Duration) {
        self.closing.cancel();
        self.tasks.close();
        drop(tokio::time::timeout(grace, self.tasks.wait()).await);
    }

    /// Asks every client to go and waits for nobody.
    pub(super) fn abandon(&self) {
        self.closing.cancel();
    }

    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
        let mut steps = path.trim_start_matches('/').splitn(3, '/');
        let mut response = match (steps.next(), steps.next(), steps.next()) {
            (Some(stage), None | Some(""), None) if stage == self.stage => {
                handshake::answer(&self, request).await
            }
            (Some(stage), Some(MANAGEMENT), Some(id)) if stage == self.stage => {
                let mut visit = Visit::begin(&request);
                let response = management::answer(&self, request, (id, &mut visit)).await;
                finish(response, visit, &self.on_request)
            }
            _ => {
                let visit = Visit::begin(&request);
                let response = outgoing::message(StatusCode::FORBIDDEN, "Forbidden");
                finish(response, visit, &self.on_request)
            }
        };
        // A response to the client's upgrade has no body, and must not speak of one.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().remove(http::header::CONTENT_LENGTH);
        }
        response.map(Full::new)
    }
}

/// Marks a response with its request's id, and tells of it.
pub(super) fn finish(
    mut response: Response<Bytes>,
    visit: Visit,
    on_request: &OnRequest,
) -> Response<Bytes> {
    outgoing::mark(response.headers_mut(), "x-amzn-requestid", &visit.access.request_id);
    visit.end(response.status(), on_request);
    response
}

/// Now, in milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
