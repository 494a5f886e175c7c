//! The engine: wasmtime, everything that is linked into components, and the ticker.
//!
//! One per process. A component that is too large for the pool of instances gets an engine beside it, made when the first
//! of them is loaded.

use crate::ahead::Ahead;
use crate::artifact::{self, ArtifactSource, LoadError};
use crate::kept::Instances;
use crate::linked::Linked;
use crate::spent::Spent;
use crate::ticker::Ticker;
use crate::{Allocator, Component, Settings, config};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Runs components. Cloning it is cheap and gives the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Engines>);

struct Engines {
    settings: Settings,
    usual: Arc<Shared>,
    /// Allocates on demand, and so has no bounds but those of an invocation.
    roomy: OnceLock<Arc<Shared>>,
}

/// What components share.
pub(crate) struct Shared {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) linked: Linked,
    pub(crate) ticker: Ticker,
    pub(crate) kept: Instances,
    pub(crate) spent: Spent,
    pub(crate) ahead: Ahead,
}

/// The engine cannot be made on this machine, or not with these settings.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the WebAssembly engine: {0:#}")]
pub struct EngineError(wasmtime::Error);

impl Engine {
    /// Makes an engine.
    pub fn new(settings: &Settings) -> Result<Self, EngineError> {
        let usual = Shared::new(settings).map_err(EngineError)?;
        Ok(Self(Arc::new(Engines { settings: *settings, usual, roomy: OnceLock::new() })))
    }

    /// Loads an artifact, checks that it fits, and links it.
    ///
    /// Artifacts are machine code: the caller must have verified that these bytes are what [`fingerprint`](crate::fingerprint)'s
    /// compiler made, by their digest. Loading anything else is undefined behaviour, although most of it is refused.
    pub fn load(&self, artifact: ArtifactSource<'_>) -> Result<Component, LoadError> {
        match artifact::load(&self.0.usual, artifact) {
            // What does not fit into the pool is refused like what is damaged: on demand it is one or the other.
            Err(LoadError::Damaged { reason })
                if self.0.settings.allocator == Allocator::Pooling =>
            {
                let roomy = self.roomy().ok_or(LoadError::Damaged { reason })?;
                artifact::load(&roomy, artifact)
            }
            loaded => loaded,
        }
    }

    /// What can be done when an answer has gone and nobody waits: takes down what invocations have left, and makes the
    /// instance that the next one will probably need. For [`Teardown::WhenAsked`](crate::Teardown::WhenAsked).
    ///
    /// Must be called within a tokio runtime with timers.
    pub async fn between_invocations(&self) {
        self.0.usual.between_invocations().await;
        if let Some(roomy) = self.0.roomy.get() {
            roomy.between_invocations().await;
        }
    }

    fn roomy(&self) -> Option<Arc<Shared>> {
        if let Some(made) = self.0.roomy.get() {
            return Some(Arc::clone(made));
        }
        let settings = Settings { allocator: Allocator::OnDemand, ..self.0.settings };
        let made = Shared::new(&settings).ok()?;
        Some(Arc::clone(self.0.roomy.get_or_init(|| made)))
    }
}

impl Shared {
    fn new(settings: &Settings) -> wasmtime::Result<Arc<Self>> {
        let make = |settings| wasmtime::Engine::new(&config::runtime(settings)?);
        let on_demand = Settings { allocator: Allocator::OnDemand, ..*settings };
        // Some machines, and tools such as valgrind, do not give as much address space as the pool reserves.
        let engine = make(settings).or_else(|_| make(&on_demand))?;
        Ok(Arc::new(Self {
            linked: Linked::new(&engine),
            engine,
            ticker: Ticker::default(),
            kept: Instances::new(settings.concurrency),
            spent: Spent::new(settings.teardown),
            ahead: Ahead::default(),
        }))
    }
}

impl Shared {
    async fn between_invocations(&self) {
        if let Some((next, deadline)) = self.spent.tear_down() {
            next.make_between(deadline).await;
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("fingerprint", &config::fingerprint())
            .finish_non_exhaustive()
    }
}
