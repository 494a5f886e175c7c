//! Which app, release and component an event is for: domain, then alias, then route.
//!
//! Owns what was read of domains, aliases and releases. Immutable things are read once; a pointer is read again by its
//! `ETag` when it is older than the configured age, and a pointer that cannot be read keeps its last known value.

use crate::config::{Apps as Selection, Config, Level};
use crate::error::Fault;
use crate::telemetry::{self, NoDetails, Tags};
use bytes::Bytes;
use lambkin_protocol::alias::{Alias, AliasError};
use lambkin_protocol::domain::{self, Domain, DomainError};
use lambkin_protocol::release::{Release, ReleaseError};
use lambkin_protocol::routes::{RouteError, Table};
use lambkin_store::{ETag, Pointer, ReadError, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many names below wildcard domains are remembered: whoever calls makes them up.
const MOST_WILDCARDS: usize = 10_000;

/// A release that is being served, with its routes laid out for look-ups.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) alias: String,
    pub(crate) release_id: String,
    pub(crate) release: Release,
    pub(crate) routes: Table,
}

/// Why an app cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error(
        "no app is mapped to the domain {domain:?}; map one with `lambkin domain {domain} --app <app>@<alias>`, or set LAMBKIN_APP"
    )]
    UnknownDomain { domain: String },
    #[error("no app is mapped to {path:?} on {domain:?}")]
    UnknownBasePath { domain: String, path: String },
    #[error("the event names no domain, and LAMBKIN_APP is not set: it cannot be routed to an app")]
    NoDomain,
    #[error("{app}@{alias} is not in the store; publish it with `lambkin publish --alias {alias}`")]
    UnknownAlias { app: String, alias: String },
    #[error("the job is of {job}, and this function serves {own} alone")]
    ForeignJob { job: String, own: String },
    #[error("the alias {app}@{alias} cannot be read")]
    Alias { app: String, alias: String, source: AliasError },
    #[error("the domain {domain:?} cannot be read")]
    Domain { domain: String, source: DomainError },
    #[error("release {release} of {app} cannot be read")]
    Release { app: String, release: String, source: ReleaseError },
    #[error("release {release} of {app} has routes that cannot be served")]
    Routes { app: String, release: String, source: RouteError },
    #[error("the store cannot be read")]
    Store(#[from] ReadError),
}

impl AppError {
    /// Whose fault it is.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Store(ReadError::Unavailable { .. }) => Fault::Upstream,
            _ => Fault::Config,
        }
    }

    /// Lambda's word for it.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::UnknownDomain { .. } | Self::UnknownBasePath { .. } | Self::NoDomain => {
                "Runtime.UnknownDomain"
            }
            Self::UnknownAlias { .. } | Self::ForeignJob { .. } => "Runtime.UnknownAlias",
            Self::Alias { .. }
            | Self::Domain { .. }
            | Self::Release { .. }
            | Self::Routes { .. } => "Runtime.InvalidRelease",
            Self::Store(_) => "Runtime.StoreUnavailable",
        }
    }

    /// Whether an HTTP client is to be told that there is nothing at this address, as API Gateway does.
    pub(crate) fn is_unknown_address(&self) -> bool {
        matches!(self, Self::UnknownDomain { .. } | Self::UnknownBasePath { .. })
    }
}

/// What was last read of a pointer object.
#[derive(Debug, Clone)]
struct Read<T> {
    value: Arc<T>,
    etag: ETag,
    at: Instant,
}

type Pointers<T> = Mutex<HashMap<String, Read<T>>>;

/// All apps that this process has seen.
#[derive(Debug)]
pub(crate) struct Apps {
    store: Store,
    selection: Selection,
    max_age: Duration,
    aliases: Pointers<Alias>,
    domains: Pointers<Domain>,
    /// Names that a wildcard domain answered for, and since when.
    wildcards: Mutex<HashMap<String, Instant>>,
    releases: Mutex<HashMap<(String, String), Arc<App>>>,
}

impl Apps {
    /// Nothing is read yet.
    pub(crate) fn new(store: Store, config: &Config) -> Self {
        Self {
            store,
            selection: config.apps.clone(),
            max_age: config.alias_max_age,
            aliases: Mutex::default(),
            domains: Mutex::default(),
            wildcards: Mutex::default(),
            releases: Mutex::default(),
        }
    }

    /// The app that the configuration names, for Init; nothing when apps are chosen by domain.
    pub(crate) async fn configured(&self) -> Option<Result<Arc<App>, AppError>> {
        let Selection::One { app, alias, .. } = &self.selection else { return None };
        Some(self.app(app, alias, 0).await)
    }

    /// The app for an event from the domain `name`, and the path that remains for its routes.
    /// `seed` decides between the releases of a weighted alias.
    pub(crate) async fn find(
        &self,
        name: Option<&str>,
        path: &str,
        seed: u64,
    ) -> Result<(Arc<App>, String), AppError> {
        if let Selection::One { app, alias, base_paths } = &self.selection {
            let mapped = |base: &str| base_paths.iter().any(|known| known == base).then_some(());
            let path = domain::longest(path, mapped).map_or(path, |((), rest)| rest);
            return Ok((self.app(app, alias, seed).await?, path.to_owned()));
        }
        let name = name.ok_or(AppError::NoDomain)?;
        let domain = self.domain_or_wildcard(name).await?;
        let Some((mapping, rest)) = domain.resolve(path) else {
            return Err(AppError::UnknownBasePath {
                domain: name.to_owned(),
                path: path.to_owned(),
            });
        };
        Ok((self.app(&mapping.app, &mapping.alias, seed).await?, rest.to_owned()))
    }

    /// The app that a job was started in. A function that serves one app runs no other's.
    pub(crate) async fn named(
        &self,
        app: &str,
        alias: &str,
        seed: u64,
    ) -> Result<Arc<App>, AppError> {
        if let Selection::One { app: own, alias: own_alias, .. } = &self.selection
            && (own, own_alias) != (&app.to_owned(), &alias.to_owned())
        {
            let job = format!("{app}@{alias}");
            return Err(AppError::ForeignJob { job, own: format!("{own}@{own_alias}") });
        }
        self.app(app, alias, seed).await
    }

    async fn app(&self, app: &str, alias: &str, seed: u64) -> Result<Arc<App>, AppError> {
        let pointer = self.alias(app, alias).await?;
        let release = pointer.choose(seed);
        let key = (format!("{app}@{alias}"), release.to_owned());
        if let Some(known) = lock(&self.releases).get(&key) {
            return Ok(Arc::clone(known));
        }
        let bytes = match pointer.carried(release) {
            Some(document) => Bytes::copy_from_slice(document),
            None => self.store.release(app, release).await?,
        };
        let loaded = Arc::new(load((app, alias), release, &bytes)?);
        lock(&self.releases).insert(key, Arc::clone(&loaded));
        Ok(loaded)
    }

    async fn alias(&self, app: &str, alias: &str) -> Result<Arc<Alias>, AppError> {
        let key = format!("{app}@{alias}");
        let known = match self.fresh(&self.aliases, &key) {
            Known::Fresh(value) => return Ok(value),
            Known::Stale(read) => Some(read),
            Known::Nothing => None,
        };
        let answer = self.store.alias(app, alias, known.as_ref().map(|read| &read.etag)).await;
        let parse = |bytes: &[u8]| {
            Alias::parse(bytes).map_err(|source| AppError::Alias {
                app: app.to_owned(),
                alias: alias.to_owned(),
                source,
            })
        };
        let missing = || AppError::UnknownAlias { app: app.to_owned(), alias: alias.to_owned() };
        settle(&self.aliases, &key, (known, answer), parse, missing)
    }

    /// The domain of this name, else the wildcard domain that answers for it. Which of them it was is remembered as long as a
    /// pointer holds, so that it is not asked for again with each request.
    async fn domain_or_wildcard(&self, name: &str) -> Result<Arc<Domain>, AppError> {
        let wildcard = domain::wildcard(name);
        if let Some(wildcard) = &wildcard
            && lock(&self.wildcards).get(name).is_some_and(|at| at.elapsed() <= self.max_age)
        {
            return self.domain(wildcard).await;
        }
        let (error, wildcard) = match (self.domain(name).await, wildcard) {
            (Err(error @ AppError::UnknownDomain { .. }), Some(wildcard)) => (error, wildcard),
            (found, _) => return found,
        };
        let domain = match self.domain(&wildcard).await {
            Err(AppError::UnknownDomain { .. }) => return Err(error),
            found => found?,
        };
        let mut wildcards = lock(&self.wildcards);
        if wildcards.len() >= MOST_WILDCARDS {
            wildcards.clear();
        }
        wildcards.insert(name.to_owned(), Instant::now());
        Ok(domain)
    }

    async fn domain(&self, name: &str) -> Result<Arc<Domain>, AppError> {
        let known = match self.fresh(&self.domains, name) {
            Known::Fresh(value) => return Ok(value),
            Known::Stale(read) => Some(read),
            Known::Nothing => None,
        };
        let answer = self.store.domain(name, known.as_ref().map(|read| &read.etag)).await;
        let parse = |bytes: &[u8]| {
            Domain::parse(bytes)
                .map_err(|source| AppError::Domain { domain: name.to_owned(), source })
        };
        settle(&self.domains, name, (known, answer), parse, || AppError::UnknownDomain {
            domain: name.to_owned(),
        })
    }

    fn fresh<T>(&self, pointers: &Pointers<T>, key: &str) -> Known<T> {
        match lock(pointers).get(key) {
            Some(read) if read.at.elapsed() <= self.max_age => {
                Known::Fresh(Arc::clone(&read.value))
            }
            Some(read) => Known::Stale(Read {
                value: Arc::clone(&read.value),
                etag: read.etag.clone(),
                at: read.at,
            }),
            None => Known::Nothing,
        }
    }
}

/// Makes an app of its release's document.
fn load((app, alias): (&str, &str), id: &str, bytes: &[u8]) -> Result<App, AppError> {
    let named = |source| AppError::Release { app: app.to_owned(), release: id.to_owned(), source };
    let release = Release::parse(bytes).map_err(named)?;
    let routes = Table::new(&release.routes).map_err(|source| AppError::Routes {
        app: app.to_owned(),
        release: id.to_owned(),
        source,
    })?;
    Ok(App {
        name: app.to_owned(),
        alias: alias.to_owned(),
        release_id: id.to_owned(),
        release,
        routes,
    })
}

enum Known<T> {
    Fresh(Arc<T>),
    Stale(Read<T>),
    Nothing,
}

/// Keeps what a read of a pointer brought. A store that cannot be reached leaves the last known value in force.
fn settle<T>(
    pointers: &Pointers<T>,
    key: &str,
    (known, answer): (Option<Read<T>>, Result<Pointer, ReadError>),
    parse: impl Fn(&[u8]) -> Result<T, AppError>,
    missing: impl Fn() -> AppError,
) -> Result<Arc<T>, AppError> {
    let (value, etag) = match (answer, known) {
        (Ok(Pointer::Changed { bytes, etag }), _) => (Arc::new(parse(&bytes)?), etag),
        (Ok(Pointer::Unchanged), Some(read)) => (read.value, read.etag),
        (Ok(Pointer::Unchanged | Pointer::Missing), _) => return Err(missing()),
        (Err(error @ ReadError::Unavailable { .. }), Some(read)) => {
            let why = format!(
                "{key} cannot be read again and stays as it was: {}",
                crate::error::chain(&error)
            );
            telemetry::log(Level::Warn, &why, &Tags::default(), NoDetails {});
            (read.value, read.etag)
        }
        (Err(error), _) => return Err(error.into()),
    };
    let read = Read { value: Arc::clone(&value), etag, at: Instant::now() };
    lock(pointers).insert(key.to_owned(), read);
    Ok(value)
}

/// A panic while a map was held leaves it whole: every change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
