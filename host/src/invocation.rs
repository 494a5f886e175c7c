//! One invocation, from event bytes to answer bytes. Read [`Host::answer`] first: it is the whole way.

use crate::apps::{App, Apps};
use crate::capabilities::Services;
use crate::components::{Components, Loaded};
use crate::config::{Config, Level, ResponseMode};
use crate::error::{Diagnostic, Failure};
use crate::files::Files;
use crate::guard;
use crate::guest::{self, Call};
use crate::received::Received;
use crate::report;
use crate::telemetry::{self, NoDetails, Tags};
use bytes::Bytes;
use http::{Method, StatusCode};
use lambda_runtime_api_client::BoxError;
use lambkin_engine::{Engine, Settings, Teardown};
use lambkin_protocol::answer;
use lambkin_protocol::event::{self, Event, Format, HttpEvent};
use lambkin_protocol::job::WebSocketApi;
use lambkin_protocol::manifest::Static;
use lambkin_protocol::release::{Component, World};
use lambkin_protocol::routes::Found;
use lambkin_store::{Cache, CacheSettings, Store};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use crate::stream::Streamed;

/// What the bytes of releases may take in memory; their parsed form lives in [`Apps`].
const RELEASES_IN_MEMORY: u64 = 4 << 20;

/// An answer on its way back.
pub(crate) enum Answer {
    Whole(Bytes),
    Stream(Streamed),
}

/// Everything that outlives an invocation.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) apps: Apps,
    pub(crate) components: Components,
    pub(crate) files: Files,
    pub(crate) response_mode: ResponseMode,
    pub(crate) allow_private_network: bool,
    pub(crate) memory_mb: u32,
    pub(crate) guest_tmp_dir: PathBuf,
    pub(crate) services: Arc<Services>,
}

/// Where an event goes: the app, its component, and what the route made of the path.
pub(crate) struct Destination {
    pub(crate) app: Arc<App>,
    pub(crate) component: String,
    pub(crate) route: Option<String>,
    /// The route's authorizer.
    pub(crate) authorizer: Option<String>,
    /// The path as the app's routes see it.
    pub(crate) path: String,
    pub(crate) parameters: std::collections::BTreeMap<String, String>,
    /// The WebSocket API that a job was started from.
    pub(crate) websocket_api: Option<WebSocketApi>,
    /// The files that answer in the place of a component.
    pub(crate) files: Option<Static>,
}

/// What an HTTP request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address<'a> {
    pub(crate) domain: Option<&'a str>,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
}

impl Destination {
    /// What the release says of the component.
    pub(crate) fn release_component(&self) -> Option<&Component> {
        self.app.release.components.get(&self.component)
    }
}

impl Host {
    /// Opens the store and starts the engine; nothing is fetched yet. Who has the engine take down stores when it is asked
    /// to, asks by [`Host::between_invocations`].
    pub(crate) fn new(
        config: &Config,
        teardown: Teardown,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let store = Store::open(&config.store, &config.access)?.with_patience(config.store_timeout);
        let engine = Engine::new(&Settings {
            concurrency: config.concurrency,
            max_memory_bytes: u64::from(config.memory_mb) << 20,
            teardown,
            ..Settings::default()
        })?;
        let settings = CacheSettings {
            disk_dir: config.cache_dir.clone(),
            disk_bytes: config.cache_disk_bytes,
            memory_bytes: RELEASES_IN_MEMORY,
            package: config.package.clone(),
        };
        let cache = Cache::new(store.clone(), settings);
        Ok(Self {
            files: Files::new(store.clone()),
            apps: Apps::new(store, config),
            components: Components::new(engine, cache, config),
            response_mode: config.response_mode,
            allow_private_network: config.allow_private_network,
            memory_mb: config.memory_mb,
            guest_tmp_dir: config.guest_tmp_dir.clone(),
            services: Arc::new(Services::new(config)),
        })
    }

    /// The whole way of an event: classify, find the app and route, get the component, call it, write the answer.
    pub(crate) async fn answer(&self, received: &Received) -> Result<Answer, Failure> {
        match event::classify(&received.event)? {
            Event::Http(http) => self.answer_http(received, *http).await,
            Event::Other(source) if source.is_job() => self.answer_job(received, &source).await,
            Event::Other(source) => self.answer_event(received, &source).await,
        }
    }

    async fn answer_http(&self, received: &Received, http: HttpEvent) -> Result<Answer, Failure> {
        let format = http.format;
        let address =
            Address { domain: http.domain.as_deref(), method: &http.method, path: &http.path };
        let Some(destination) = self.route(received, address).await? else {
            return plain(format, StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#);
        };
        if !guard::admits(received, &destination, format) {
            return plain(format, StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#);
        }
        if destination.files.is_some() {
            return self.answer_file(received, &destination, &http).await;
        }
        let (component, loaded) = self.load(received, &destination).await?;
        let call =
            Call { host: self, received, destination: &destination, component, loaded: &loaded };
        match component.world {
            World::Http | World::HttpAsync => {
                let response = guest::http(&call, http).await?;
                match self.response_mode {
                    ResponseMode::Stream => Ok(Answer::Stream(Streamed::new(response, loaded))),
                    ResponseMode::Buffered => {
                        guest::collect(&call, format, response).await.map(Answer::Whole)
                    }
                }
            }
            World::Function | World::AsyncFunction | World::Command => {
                let payload = guest::event(&call, guest::http_payload(&call, &http)?).await?;
                match self.response_mode {
                    ResponseMode::Stream => {
                        let response = answer::interpret(format, &payload).map_err(|source| {
                            Failure::Malformed { component: destination.component.clone(), source }
                        })?;
                        Ok(Answer::Stream(Streamed::whole(response.map(guest::body_of))))
                    }
                    ResponseMode::Buffered => Ok(Answer::Whole(payload)),
                }
            }
        }
    }

    /// The destination of an HTTP request, or nothing when there is nothing at this address.
    pub(crate) async fn route(
        &self,
        received: &Received,
        asked: Address<'_>,
    ) -> Result<Option<Destination>, Failure> {
        let seed = seed(&received.request_id);
        let (app, path) = match self.apps.find(asked.domain, asked.path, seed).await {
            Ok(found) => found,
            Err(error) if error.is_unknown_address() => {
                let message = format!("404 for {} {}: {error}", asked.method, asked.path);
                telemetry::log(Level::Warn, &message, &received.tags(), NoDetails {});
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let Some(Found { route, component, parameters, .. }) = app.routes.find(asked.method, &path)
        else {
            let message = format!("404: {} {path} matches no route of {}", asked.method, app.name);
            telemetry::log(Level::Info, &message, &received.tags(), NoDetails {});
            return Ok(None);
        };
        let (authorizer, component) = (route.authorizer.clone(), component.to_owned());
        let (files, route) = (route.files.clone(), Some(route.path.clone()));
        Ok(Some(Destination {
            app,
            component,
            route,
            authorizer,
            path,
            parameters,
            files,
            websocket_api: None,
        }))
    }

    /// The component that a destination names, loaded.
    pub(crate) async fn load<'a>(
        &self,
        received: &Received,
        destination: &'a Destination,
    ) -> Result<(&'a Component, Arc<Loaded>), Failure> {
        let name = &destination.component;
        received.tag(tags(&destination.app, name, &received.request_id));
        let component = destination.release_component().ok_or_else(|| Failure::NoComponent {
            what: format!(
                "the route: release {} has no component {name:?}",
                destination.app.release_id
            ),
        })?;
        let loaded = self
            .components
            .get(&destination.app, component)
            .await
            .map_err(|source| Failure::Component { component: name.clone(), source })?;
        Ok((component, loaded))
    }

    /// Logs a failed invocation and says what Lambda is told.
    pub(crate) fn report(received: &Received, failure: &Failure) -> Diagnostic {
        report::failed(failure, &received.tags());
        failure.diagnostic()
    }

    /// Does what can wait until an answer has gone: takes down the stores that invocations have left, and makes the next
    /// instance.
    pub(crate) async fn between_invocations(&self) {
        self.components.between_invocations().await;
    }

    /// The end of an invocation: an answer that Lambda refused is logged, and the loop goes on.
    pub(crate) fn finished(received: &Received, sent: Result<(), BoxError>) {
        if let Err(error) = sent {
            let message =
                format!("the answer was not taken: {}", crate::error::chain(error.as_ref()));
            telemetry::log(Level::Error, &message, &received.tags(), NoDetails {});
        }
    }
}

pub(crate) fn tags(app: &App, component: &str, request_id: &str) -> Tags {
    Tags {
        request_id: request_id.to_owned(),
        app: app.name.clone(),
        alias: app.alias.clone(),
        release: app.release_id.clone(),
        component: component.to_owned(),
    }
}

/// An answer of the host's own, in the format of the event.
fn plain(format: Format, status: StatusCode, body: &'static str) -> Result<Answer, Failure> {
    let mut response = http::Response::new(());
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    let (parts, ()) = response.into_parts();
    let payload = answer::buffered(format, &parts, body.as_bytes())
        .map_err(|source| Failure::Answer { component: String::new(), source })?;
    Ok(Answer::Whole(payload.into()))
}

/// A number that is the same for one request wherever it is computed: the release of a weighted alias hangs on it.
pub(crate) fn seed(request_id: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    request_id.hash(&mut hasher);
    hasher.finish()
}
