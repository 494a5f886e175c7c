//! The engine: wasmtime, everything that is linked into components, and the ticker.
//!
//! One per process. Making it costs some hundred microseconds, mostly for the linker.

use crate::artifact::{self, ArtifactSource, LoadError};
use crate::state::State;
use crate::ticker::Ticker;
use crate::{Component, Settings, config};
use std::fmt;
use std::sync::Arc;
use wasmtime::component::Linker;
use wasmtime_wasi_config::WasiConfig;

/// Runs components. Cloning it is cheap and gives the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

/// What components share.
pub(crate) struct Shared {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) ticker: Ticker,
}

/// The engine cannot be made on this machine, or not with these settings.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the WebAssembly engine: {0:#}")]
pub struct EngineError(wasmtime::Error);

impl Engine {
    /// Makes an engine.
    pub fn new(settings: &Settings) -> Result<Self, EngineError> {
        let make = || {
            let engine = wasmtime::Engine::new(&config::runtime(settings)?)?;
            let linker = link(&engine)?;
            wasmtime::Result::Ok(Self(Arc::new(Shared {
                engine,
                linker,
                ticker: Ticker::default(),
            })))
        };
        make().map_err(EngineError)
    }

    /// Loads an artifact, checks that it fits, and links it.
    ///
    /// Artifacts are machine code: the caller must have verified that these bytes are what [`fingerprint`](crate::fingerprint)'s
    /// compiler made, by their digest. Loading anything else is undefined behaviour, although most of it is refused.
    pub fn load(&self, artifact: ArtifactSource<'_>) -> Result<Component, LoadError> {
        artifact::load(&self.0, artifact)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("fingerprint", &config::fingerprint())
            .finish_non_exhaustive()
    }
}

fn link(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |state: &mut State| {
        WasiConfig::from(&state.config)
    })?;
    Ok(linker)
}
