//! Loaded components: from a release's digest to code that is mapped, linked and ready to be instantiated.
//!
//! Owns the memory level of the cache, weighed by mapped bytes; the disk level and the fetch belong to the store.
//! Many requests for a component that is not loaded cause one load.

use crate::apps::App;
use crate::config::Config;
use crate::error::Fault;
use crate::paged;
use lambkin_engine::{ArtifactSource, Component, Engine, LoadError, Target};
use lambkin_protocol::release;
use lambkin_store::{Artifact, ArtifactKey, Cache, ReadError, Source, Timings};
use moka::future::Cache as Memory;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComponentError {
    #[error(
        "release {release} was compiled for {compiled}, this host is {host} on {target}: publish the app again with a lambkin of this version"
    )]
    NoArtifact { release: String, compiled: String, host: String, target: String },
    #[error("its artifact cannot be read")]
    Read(#[from] ReadError),
    #[error("its artifact cannot be loaded")]
    Load(#[from] LoadError),
}

impl ComponentError {
    /// Whose fault it is.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Read(ReadError::Unavailable { .. }) => Fault::Upstream,
            _ => Fault::Config,
        }
    }
}

/// A component that is ready, and what it took to get it there.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) component: Component,
    pub(crate) cold: ColdLoad,
    /// Set by the first invocation, which reports the load.
    reported: AtomicBool,
}

/// Where the time of a cold load went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColdLoad {
    pub(crate) source: Source,
    pub(crate) store: Timings,
    /// The compressed bytes that came from the store; 0 when the disk had it.
    pub(crate) fetched_bytes: u64,
    /// The bytes that are mapped.
    pub(crate) bytes: u64,
    /// Whether the component began before all of them were unpacked.
    pub(crate) paged: bool,
    pub(crate) load: Duration,
    pub(crate) link: Duration,
}

impl Loaded {
    /// True exactly once, for the invocation that pays for the load.
    pub(crate) fn is_first_use(&self) -> bool {
        !self.reported.swap(true, Ordering::Relaxed)
    }
}

/// The loaded components of this process.
#[derive(Debug)]
pub(crate) struct Components {
    engine: Engine,
    cache: Cache,
    fingerprint: String,
    target: String,
    memory: Memory<String, Arc<Loaded>>,
    paging: paged::Settings,
}

impl Components {
    /// An empty set that maps at most so much code as the configuration says.
    pub(crate) fn new(engine: Engine, cache: Cache, config: &Config) -> Self {
        let memory = Memory::builder()
            .max_capacity(config.cache_memory_bytes)
            .weigher(|_, loaded: &Arc<Loaded>| u32::try_from(loaded.cold.bytes).unwrap_or(u32::MAX))
            .build();
        Self {
            engine,
            cache,
            fingerprint: lambkin_engine::fingerprint(),
            target: Target::current().to_string(),
            memory,
            paging: paged::Settings::new(config),
        }
    }

    /// The named component of `app`, loaded now if it is not yet.
    pub(crate) async fn get(
        &self,
        app: &App,
        component: &release::Component,
    ) -> Result<Arc<Loaded>, Arc<ComponentError>> {
        let Some(artifact) = self.artifact(component) else {
            return Err(Arc::new(self.no_artifact(app, component)));
        };
        let name = format!("{}/{}", component.digest, artifact.digest);
        if let Some(loaded) = self.memory.get(&name).await {
            return Ok(loaded);
        }
        let key = ArtifactKey {
            engine: self.fingerprint.clone(),
            target: self.target.clone(),
            component: component.digest.clone(),
            expected: lambkin_store::ArtifactDigest {
                digest: artifact.digest.clone(),
                size: artifact.size,
            },
            stored_size: artifact.stored_size,
            start_size: artifact.start_size,
        };
        self.memory.try_get_with(name, self.load(key)).await
    }

    /// See [`Engine::between_invocations`].
    pub(crate) async fn between_invocations(&self) {
        self.engine.between_invocations().await;
    }

    /// What the release has for this engine and processor.
    fn artifact<'a>(&self, component: &'a release::Component) -> Option<&'a release::Artifact> {
        let artifact = component.artifacts.get(&self.target);
        artifact.filter(|_| component.engine == self.fingerprint)
    }

    fn no_artifact(&self, app: &App, component: &release::Component) -> ComponentError {
        let targets: Vec<&str> = component.artifacts.keys().map(String::as_str).collect();
        ComponentError::NoArtifact {
            release: app.release_id.clone(),
            compiled: format!("{} on {}", component.engine, targets.join(", ")),
            host: self.fingerprint.clone(),
            target: self.target.clone(),
        }
    }

    async fn load(&self, key: ArtifactKey) -> Result<Arc<Loaded>, ComponentError> {
        let artifact = self.cache.artifact(&key, self.paging.of(key.expected.size)).await?;
        let start = Instant::now();
        let (component, cold) = match artifact {
            Artifact::File(file) => {
                let component = self.engine.load(ArtifactSource::File(file.path()))?;
                (component, ColdLoad::new(file.source, file.timings, file.fetched_bytes))
            }
            Artifact::Paged(paged, timings, fetched_bytes) => {
                let file = paged::file(&paged).map_err(LoadError::Read)?;
                let component = self.engine.load(ArtifactSource::Paged(&file))?;
                self.paging.complete_later(&self.cache, &key, &paged);
                let cold = ColdLoad::new(Source::Store, timings, fetched_bytes);
                (component, ColdLoad { paged: true, ..cold })
            }
        };
        let link = component.link_time();
        let load = start.elapsed().saturating_sub(link);
        let cold = ColdLoad { bytes: key.expected.size, load, link, ..cold };
        Ok(Arc::new(Loaded { component, cold, reported: AtomicBool::new(false) }))
    }
}

impl ColdLoad {
    /// What is known before the component is loaded.
    fn new(source: Source, store: Timings, fetched_bytes: u64) -> Self {
        let (load, link) = (Duration::ZERO, Duration::ZERO);
        Self { source, store, fetched_bytes, bytes: 0, paged: false, load, link }
    }
}
