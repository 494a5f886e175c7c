//! Artifacts: what [`Engine::load`](crate::Engine::load) takes, and why it may refuse it.
//!
//! wasmtime says in one string what does not fit; here that becomes an error that names the part.

use crate::engine::Shared;
use crate::interfaces::{ImportError, check_known};
use crate::paging::{PagedFile, Pager, not_guest_data};
use crate::{Component, Target, World, fingerprint};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::Precompiled;

/// Bytes at the start of a file that tell what it is.
const HEADER: usize = 8;

/// Where an artifact is.
#[derive(Debug, Clone, Copy)]
pub enum ArtifactSource<'a> {
    /// In a file, which is mapped: pages are read when they are needed and shared between processes.
    ///
    /// The file must not change while the component lives.
    File(&'a Path),
    /// In memory, from where it is copied.
    Bytes(&'a [u8]),
    /// In a file with holes, which are filled when they are touched.
    ///
    /// Instances of an engine that has other components too must be made by one thread alone: memory that is found to
    /// be this artifact's would otherwise be another's by the time that it is watched.
    Paged(&'a PagedFile),
}

/// An artifact that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the artifact")]
    Read(#[source] std::io::Error),
    /// It is something else.
    #[error("this is not an artifact of a component, but {found}")]
    NotAnArtifact {
        /// What it is instead.
        found: &'static str,
    },
    /// It was compiled by another engine.
    #[error(
        "the artifact is for the engine `{found}`, and this engine is `{expected}`: publish the app again"
    )]
    OtherEngine {
        /// The engine that it is for, as far as it says.
        found: String,
        /// This engine.
        expected: String,
    },
    /// It was compiled for another CPU architecture.
    #[error("the artifact is for `{found}`, and this machine is `{expected}`")]
    OtherTarget {
        /// The architecture that it is for.
        found: String,
        /// This machine's.
        expected: Target,
    },
    /// This CPU lacks something that the artifact needs.
    #[error("the artifact needs the CPU feature `{feature}`, which this machine has not")]
    CpuFeature {
        /// Cranelift's name of the feature, without `has_`.
        feature: String,
    },
    /// It is truncated, altered, or configured otherwise.
    #[error("the artifact does not fit or is damaged: {reason}")]
    Damaged {
        /// What wasmtime says.
        reason: String,
    },
    /// The component imports what is not offered.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The component exports nothing that can be called.
    #[error(
        "the component exports no handler that Lambkin knows; it exports {}",
        or_nothing(exports)
    )]
    NoWorld {
        /// What it exports.
        exports: Vec<String>,
    },
    /// Imports or exports have known names and other types.
    #[error("the component does not fit its world: {reason}")]
    Link {
        /// What wasmtime says.
        reason: String,
    },
}

fn or_nothing(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Loads, checks and links.
pub(crate) fn load(
    shared: &Arc<Shared>,
    source: ArtifactSource<'_>,
) -> Result<Component, LoadError> {
    let component = deserialize(&shared.engine, source)?;
    let pager = match source {
        ArtifactSource::Paged(paged) => {
            Some(Arc::new(Pager::start(paged.clone()).map_err(LoadError::Read)?))
        }
        ArtifactSource::File(_) | ArtifactSource::Bytes(_) => None,
    };
    let ty = component.component_type();
    let mut imports: Vec<String> =
        ty.imports(&shared.engine).map(|(name, _)| name.to_owned()).collect();
    imports.sort_unstable();
    check_known(imports.iter().map(String::as_str))?;
    let exports: Vec<String> =
        ty.exports(&shared.engine).map(|(name, _)| name.to_owned()).collect();
    let Some(world) = World::of(exports.iter().map(String::as_str)) else {
        return Err(LoadError::NoWorld { exports });
    };
    let link = |error: wasmtime::Error| LoadError::Link { reason: format!("{error:#}") };
    let start = Instant::now();
    let pre = shared.linked.instantiate_pre(&component, &imports).map_err(link)?;
    let component =
        Component::new((Arc::clone(shared), pager), pre, world, imports).map_err(link)?;
    Ok(component.with_link_time(start.elapsed()))
}

fn deserialize(
    engine: &wasmtime::Engine,
    source: ArtifactSource<'_>,
) -> Result<wasmtime::component::Component, LoadError> {
    if let ArtifactSource::Paged(paged) = source {
        for range in not_guest_data(paged).map_err(LoadError::Read)? {
            paged.pages.bring(range).map_err(LoadError::Read)?;
        }
    }
    match kind(source)? {
        Kind::Component => {}
        Kind::Other(found) => return Err(LoadError::NotAnArtifact { found }),
        Kind::Broken => {
            return Err(LoadError::Damaged { reason: "it is truncated or altered".to_owned() });
        }
    }
    #[expect(unsafe_code, reason = "wasmtime cannot check machine code")]
    let component = match source {
        // SAFETY: the caller of `Engine::load` has verified that the bytes are what our own compiler made.
        ArtifactSource::File(path) => unsafe {
            wasmtime::component::Component::deserialize_file(engine, path)
        },
        // SAFETY: as above; what only guests touch is watched before any guest runs.
        ArtifactSource::Paged(paged) => unsafe {
            wasmtime::component::Component::deserialize_file(engine, paged.path())
        },
        // SAFETY: as above.
        ArtifactSource::Bytes(bytes) => unsafe {
            wasmtime::component::Component::deserialize(engine, bytes)
        },
    };
    component.map_err(|error| explain(&format!("{error:#}")))
}

enum Kind {
    Component,
    Other(&'static str),
    Broken,
}

fn kind(source: ArtifactSource<'_>) -> Result<Kind, LoadError> {
    let (precompiled, header) = match source {
        ArtifactSource::Bytes(bytes) => (
            wasmtime::Engine::detect_precompiled(bytes),
            bytes.get(..HEADER).unwrap_or(bytes).to_vec(),
        ),
        ArtifactSource::File(path) => kind_of_file(path)?,
        ArtifactSource::Paged(paged) => kind_of_file(&paged.path())?,
    };
    Ok(match precompiled {
        Some(Precompiled::Component) => Kind::Component,
        Some(Precompiled::Module) => Kind::Other("an artifact of a core module"),
        None => unrecognised(&header),
    })
}

fn kind_of_file(path: &Path) -> Result<(Option<Precompiled>, Vec<u8>), LoadError> {
    let mut header = Vec::new();
    let file = fs_err::File::open(path).map_err(LoadError::Read)?;
    file.take(HEADER as u64).read_to_end(&mut header).map_err(LoadError::Read)?;
    // An error here is a file that is not ELF, or not whole.
    Ok((wasmtime::Engine::detect_precompiled_file(path).unwrap_or(None), header))
}

fn unrecognised(header: &[u8]) -> Kind {
    match header {
        [0x7F, b'E', b'L', b'F', ..] => Kind::Broken,
        [0, b'a', b's', b'm', 1, 0, 0, 0] => {
            Kind::Other("a core module that has not been compiled")
        }
        [0, b'a', b's', b'm', ..] => Kind::Other("a component that has not been compiled"),
        [] => Kind::Other("an empty file"),
        _ => Kind::Other("something unknown"),
    }
}

/// Sorts out what wasmtime 48 says of an artifact that it does not take (`engine/serialization.rs`, `engine.rs`).
fn explain(reason: &str) -> LoadError {
    let quoted_after = |text: &str, quote: char| {
        let rest = reason.split_once(text)?.1;
        rest.split(quote).next().map(str::to_owned)
    };
    if let Some(found) = quoted_after("compiled with incompatible version '", '\'') {
        return LoadError::OtherEngine { found, expected: fingerprint() };
    }
    if let Some(found) = quoted_after("compiled for architecture '", '\'') {
        return LoadError::OtherTarget { found, expected: Target::current() };
    }
    if reason.contains("not available on the host")
        && let Some(feature) = quoted_after("compilation setting \"has_", '"')
    {
        return LoadError::CpuFeature { feature };
    }
    LoadError::Damaged { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_part_that_does_not_fit() {
        let table = [
            ("a: Module was compiled with incompatible version '47'", "the engine `47`"),
            ("Module was compiled for architecture 'mips'", "is for `mips`"),
            (
                "x: compilation setting \"has_avx512f\" is enabled, but not available on the host",
                "feature `avx512f`",
            ),
            ("odd", "damaged: odd"),
        ];
        for (reason, expected) in table {
            let message = explain(reason).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn what_is_no_artifact_is_named() {
        for (bytes, expected) in [
            (&b"\0asm\x01\0\0\0"[..], "a core module"),
            (b"\0asm\x0D\0\x01\0", "a component that has not been compiled"),
            (b"", "an empty file"),
            (b"#!/bin/sh\n", "something unknown"),
        ] {
            let engine = wasmtime::Engine::default();
            let error = deserialize(&engine, ArtifactSource::Bytes(bytes)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
