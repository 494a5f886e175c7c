//! A WebSocket API before one function: real sockets in front, events behind, and `@connections` for the way back.
//!
//! [`Server`] is the whole of the public interface. Inside: `api` sorts what comes over HTTP, `handshake` invokes
//! `$connect` and upgrades once `authorization` has asked who connects, `connection` is one client from its upgrade to `$disconnect`, `message` takes one message
//! through its route, `integration` invokes the function, `connections` knows who is connected, and `management` is
//! `@connections`. Which route a message takes and how events look is `lambkin_protocol`'s.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html>. One stage, without
//! models and throttling; `@connections` takes the one access key of the local cloud.

mod api;
mod authorization;
mod connection;
mod connections;
mod handshake;
mod integration;
mod management;
mod message;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use lambkin_protocol::manifest::{Authorizer, Manifest, WebSocket};
use lambkin_protocol::websocket::SelectionError;
use tokio::net::TcpListener;

use super::OnRequest;
use crate::http_server::HttpServer;
use crate::lambda::Function;
use api::Api;

/// The largest frame, in bytes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
pub const MAX_FRAME: usize = 32 * 1024;

/// The largest message, in bytes; the same page.
pub const MAX_MESSAGE: usize = 128 * 1024;

/// How long clients may take to say goodbye, and `$disconnect` to be invoked, when the server stops.
const DRAIN: Duration = Duration::from_secs(3);

/// What a WebSocket API is started with.
pub struct Settings {
    /// Where it is served. Who starts the function can so tell it before where `@connections` will be.
    pub listener: TcpListener,
    /// Stage, route selection expression, routes and authorizers.
    pub api: Definition,
    /// What answers.
    pub function: Function,
    /// How long connections last.
    pub limits: Limits,
    /// Who may use `@connections`.
    pub credentials: Credentials,
    /// Gets one access for each client that connects or goes, each message and each use of `@connections`.
    pub on_request: OnRequest,
}

/// A WebSocket API's definition. A server answers by one until it is given another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// Stage, route selection expression and routes.
    pub api: WebSocket,
    /// Who decides whether a client is let in, by the name that the route `$connect` uses.
    pub authorizers: BTreeMap<String, Authorizer>,
}

impl Definition {
    /// What a manifest defines; nothing when it has no WebSocket API.
    pub fn of(manifest: &Manifest) -> Option<Self> {
        let api = manifest.websocket.clone()?;
        Some(Self { api, authorizers: manifest.authorizer.clone() })
    }
}

/// An access key and its secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret that belongs to it.
    pub secret_access_key: String,
}

/// How long things may take. The defaults are API Gateway's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a connection lives on which nothing is sent either way: ten minutes.
    pub idle: Duration,
    /// How long a connection lives at all: two hours.
    pub lifetime: Duration,
    /// How long the function may take: 29 seconds.
    pub integration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(10),
            lifetime: Duration::from_hours(2),
            integration: Duration::from_secs(29),
        }
    }
}

/// A running WebSocket API; dropping it closes its connections.
pub struct Server {
    http: HttpServer,
    api: Arc<Api>,
}

impl Server {
    /// Serves. Must be called inside a Tokio runtime.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let (api, listener) = Api::new(settings)?;
        let api = Arc::new(api);
        let served = Arc::clone(&api);
        let service = service_fn(move |request| {
            let api = Arc::clone(&served);
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        let http = HttpServer::serve(listener, service).map_err(StartError::Listener)?;
        Ok(Self { http, api })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.http.address()
    }

    /// What clients connect to, such as `ws://127.0.0.1:3001/production`.
    pub fn url(&self) -> String {
        format!("ws://{}/{}", self.http.address(), self.api.stage)
    }

    /// What a client of `@connections` is given as its endpoint, such as `http://127.0.0.1:3001/production`.
    pub fn endpoint(&self) -> String {
        format!("http://{}/{}", self.http.address(), self.api.stage)
    }

    /// How many clients are connected.
    pub fn connections(&self) -> usize {
        self.api.connections.count()
    }

    /// Takes messages through other routes from the next one on; who is connected stays so. The stage stays as it is.
    pub fn deploy(&self, definition: Definition) -> Result<(), SelectionError> {
        self.api.deploy(definition)
    }

    /// Closes every connection with 1001, invokes `$disconnect` for each, and stops listening; all within some seconds.
    pub async fn stop(self) {
        self.api.close(DRAIN).await;
        self.http.stop(DRAIN).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.api.abandon();
    }
}

/// Why a WebSocket API could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The route selection expression cannot be.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The listener does not know its own address.
    #[error("the WebSocket API's listener cannot be used")]
    Listener(#[source] io::Error),
}
