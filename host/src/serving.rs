//! Plain HTTP in front of the host: a request in, a response out, both streamed.
//!
//! A web component gets the request itself, through no event; a function component gets it as the event of a function
//! URL. Route, headers, limits, grants and reuse are those of an invocation in Lambda.

mod body;
mod event;
mod failed;

use crate::config::{Apps, Config, Level, ResponseMode};
use crate::error::{Failure, chain};
use crate::guard;
use crate::guest::{self, Call};
use crate::invocation::{Address, Destination, Host};
use crate::received::Received;
use body::{Answered, Guest};
use bytes::Bytes;
use futures::FutureExt as _;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Limited};
use lambkin_engine::{Body, BodyError, Teardown};
use lambkin_protocol::answer;
use lambkin_protocol::event::Format;
use lambkin_protocol::release::World;
use lambkin_store::S3Access;
use std::fmt::Display;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Instances that the pool has room for, for each that may run: one that its client gave up ends a moment later.
const ROOM: u32 = 2;

/// How long one read of the store may take, retries included.
const STORE_TIMEOUT: Duration = Duration::from_secs(8);

/// What a host for plain HTTP is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the app's release and artifacts are: `s3://bucket/prefix`, or a folder.
    pub store: String,
    /// Access to a store in S3.
    pub access: S3Access,
    /// The app that is served.
    pub app: String,
    /// The alias that tells its release.
    pub alias: String,
    /// How old the alias may be before it is read again.
    pub alias_max_age: Duration,
    /// The folder that artifacts are kept in.
    pub cache_dir: PathBuf,
    /// The most that the artifacts in there may take, in bytes.
    pub cache_disk_bytes: u64,
    /// The most that loaded artifacts may map, in bytes.
    pub cache_memory_bytes: u64,
    /// The folder in which a component that is granted `tmp` gets its own.
    pub guest_tmp_dir: PathBuf,
    /// Whether granted hosts may resolve to private addresses.
    pub allow_private_network: bool,
    /// Requests that are answered at once; more wait for their turn.
    pub concurrency: u32,
    /// The most memory that a component may be given, in MiB.
    pub memory_mb: u32,
    /// The most time that a request may take.
    pub timeout: Duration,
    /// The largest body of a request that a web component gets, in bytes.
    pub max_body_bytes: u64,
}

/// Why a host cannot serve: every cause in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// A host that answers HTTP requests. Cloning it is cheap and gives the same host.
#[derive(Debug, Clone)]
pub struct HttpHost(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Host,
    turns: Arc<Semaphore>,
    concurrency: u32,
    timeout: Duration,
    max_body_bytes: u64,
}

impl HttpHost {
    /// Opens the store and starts the engine; nothing is fetched yet.
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        let host = Host::new(&config(settings), Teardown::AtOnce)
            .map_err(|error| StartError(chain(error.as_ref())))?;
        Ok(Self(Arc::new(Inner {
            host,
            turns: Arc::new(Semaphore::new(settings.concurrency as usize)),
            concurrency: settings.concurrency,
            timeout: settings.timeout,
            max_body_bytes: settings.max_body_bytes,
        })))
    }

    /// Fetches and loads the app with all its components and answers their warm-up events, so that the first request finds
    /// them ready. A warm-up event that fails is logged.
    pub async fn warm(&self) -> Result<(), StartError> {
        self.0.host.prepare().await.map_err(|failure| StartError(chain(&failure)))?;
        self.0.host.warm().await;
        Ok(())
    }

    /// Answers a request of the client at `client`. Must be called within a tokio runtime with timers.
    ///
    /// Dropping the future, or the response's body before its end, ends the guest.
    pub async fn answer<B>(&self, request: Request<B>, client: IpAddr) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let received = Arc::new(Received::request(new_request_id(), self.0.timeout));
        let work = AssertUnwindSafe(self.0.respond(&received, request, client)).catch_unwind();
        let answer = work.await.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref())));
        answer.unwrap_or_else(|failure| {
            Host::report(&received, &failure);
            failed::response(failed::status(&failure))
        })
    }
}

impl Inner {
    async fn respond<B>(
        &self,
        received: &Arc<Received>,
        request: Request<B>,
        client: IpAddr,
    ) -> Result<Response<Body>, Failure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if request.body().size_hint().lower() > self.max_body_bytes {
            body::drain(request).await;
            return Err(Failure::RequestTooLarge { limit: self.max_body_bytes });
        }
        let turn = self.turn(received).await?;
        let address = Address {
            domain: request.uri().host(),
            method: request.method(),
            path: request.uri().path(),
        };
        let Some(destination) = self.host.route(received, address).await? else {
            return Ok(failed::response(http::StatusCode::NOT_FOUND));
        };
        if destination.authorizer.is_some() {
            guard::refuse(received, &destination, "`lambkin serve` asks none");
            return Ok(failed::response(http::StatusCode::FORBIDDEN));
        }
        if destination.files.is_some() {
            let (method, headers) = (request.method(), request.headers());
            return self.host.file(received, &destination, (method, headers)).await;
        }
        let (component, loaded) = self.host.load(received, &destination).await?;
        let call = Call {
            host: &self.host,
            received,
            destination: &destination,
            component,
            loaded: &loaded,
        };
        match component.world {
            World::Http | World::HttpAsync => {
                let is_head = request.method() == Method::HEAD;
                let (request, base_path) = self.for_web(request, &destination)?;
                let answer = guest::forward(&call, request, &base_path).await?;
                let guest = Guest::new(answer.usage, (Arc::clone(received), loaded), turn);
                Ok(Answered::wrap(answer.response, guest, is_head))
            }
            World::Function | World::AsyncFunction | World::Command => {
                let event = event::of(request, &destination, (received, client)).await?;
                let payload = guest::event(&call, event).await?;
                let response =
                    answer::interpret(Format::FunctionUrl, &payload).map_err(|source| {
                        Failure::Malformed { component: destination.component.clone(), source }
                    })?;
                Ok(event::response(response))
            }
        }
    }

    /// Waits until a guest may run.
    async fn turn(&self, received: &Received) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let turn = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout_at(received.deadline.into(), turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Failure::Busy { most: self.concurrency }),
        }
    }

    /// The request as a web component sees it, with the app's own path, and what stood before that.
    fn for_web<B>(
        &self,
        request: Request<B>,
        destination: &Destination,
    ) -> Result<(Request<Body>, String), Failure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let limit = usize::try_from(self.max_body_bytes).unwrap_or(usize::MAX);
        let (mut parts, body) = request.into_parts();
        let body = if body.is_end_stream() {
            guest::body_of(Bytes::new())
        } else {
            Limited::new(body, limit).map_err(|error| BodyError(error.to_string())).boxed_unsync()
        };
        let base_path = guest::base_path(parts.uri.path(), &destination.path);
        let mut uri = std::mem::take(&mut parts.uri).into_parts();
        uri.scheme = Some(event::scheme(&parts.headers));
        if !base_path.is_empty() {
            let query = uri.path_and_query.as_ref().and_then(PathAndQuery::query);
            let target = query
                .map_or_else(|| destination.path.clone(), |q| format!("{}?{q}", destination.path));
            uri.path_and_query = PathAndQuery::try_from(target).ok();
        }
        if uri.authority.is_none() {
            uri.authority = Some(event::authority(&parts.headers));
        }
        parts.uri = Uri::from_parts(uri).map_err(|e| Failure::RequestBody(e.to_string()))?;
        Ok((Request::from_parts(parts, body), base_path))
    }
}

fn config(settings: &Settings) -> Config {
    Config {
        store: settings.store.clone(),
        package: None,
        access: settings.access.clone(),
        apps: Apps::One {
            app: settings.app.clone(),
            alias: settings.alias.clone(),
            base_paths: Vec::new(),
        },
        alias_max_age: settings.alias_max_age,
        cache_dir: settings.cache_dir.clone(),
        cache_disk_bytes: settings.cache_disk_bytes,
        cache_memory_bytes: settings.cache_memory_bytes,
        guest_tmp_dir: settings.guest_tmp_dir.clone(),
        response_mode: ResponseMode::Stream,
        store_timeout: STORE_TIMEOUT,
        websocket_endpoint: None,
        lambda_endpoint: None,
        allow_private_network: settings.allow_private_network,
        log_level: Level::Warn,
        concurrency: settings.concurrency.saturating_mul(ROOM),
        memory_mb: settings.memory_mb,
    }
}

/// A random UUID, version 4, by a keyed hash of a counter: no system call for each request.
fn new_request_id() -> String {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [first, second] = &*KEYS;
    let (high, low) = (first.hash_one(count), second.hash_one(count));
    // The version in the 13th digit, the variant in the 17th.
    let fixed = (0xf << 76) | (0x3 << 62);
    let bits = ((u128::from(high) << 64) | u128::from(low)) & !fixed | (0x4 << 76) | (0x2 << 62);
    let text = format!("{bits:032x}");
    let part = |from, to| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::new_request_id;

    #[test]
    fn request_ids_are_random_uuids() {
        let ids = [new_request_id(), new_request_id()];
        assert_ne!(ids[0], ids[1]);
        for id in ids {
            let parts: Vec<&str> = id.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(parts[2].starts_with('4') && "89ab".contains(&parts[3][..1]), "{id}");
        }
    }
}
