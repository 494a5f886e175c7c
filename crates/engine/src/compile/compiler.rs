//! Cranelift, set up for Lambda's CPUs.
//!
//! The CPU features are listed one by one and never taken from the machine that compiles, so that an artifact is the same
//! wherever it is made and needs nothing that Lambda does not have.

use super::cache::Folder;
use crate::paging::PAGE;
use crate::{Target, config};
use std::path::Path;
use std::sync::Arc;
use wasmtime::{Config, OptLevel};

/// x86-64-v3, in Cranelift's words (`cranelift-codegen/meta/src/isa/x86.rs`); the level's definition is in the x86-64
/// psABI, section 3.1.1.
const X86_64_V3: &[&str] = &[
    "has_cmpxchg16b",
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_avx",
    "has_avx2",
    "has_bmi1",
    "has_bmi2",
    "has_fma",
    "has_lzcnt",
];

/// Neoverse N1 as far as Cranelift makes use of it (`cranelift-codegen/meta/src/isa/arm64.rs`): the Large System
/// Extensions of Armv8.1.
const NEOVERSE_N1: &[&str] = &["has_lse"];

/// A component that cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler cannot be set up.
    #[error("cannot set up the compiler for `{target}`: {reason}")]
    Setup {
        /// The target that was asked for.
        target: Target,
        /// What wasmtime says.
        reason: String,
    },
    /// The folder of the cache cannot be used.
    #[error("cannot use the compilation cache")]
    Cache(#[source] std::io::Error),
    /// The component is not valid, or needs a proposal of WebAssembly that is switched off.
    #[error("cannot compile the component: {reason}")]
    Invalid {
        /// What wasmtime says.
        reason: String,
    },
}

/// Compiles a component for `target`; the answer is an artifact.
///
/// With a folder as `cache`, functions that have not changed since an earlier call are taken from there. The folder may be
/// shared by several processes and deleted at any time.
pub fn compile(wasm: &[u8], target: Target, cache: Option<&Path>) -> Result<Vec<u8>, CompileError> {
    let mut config = configured(target)?;
    if let Some(folder) = cache {
        let folder = Folder::open(folder).map_err(CompileError::Cache)?;
        let cached = config.enable_incremental_compilation(Arc::new(folder));
        cached.map_err(|error| CompileError::setup(target, &error))?;
    }
    compile_with(&config, target, wasm)
}

/// Compiles a component so that no two functions share a page: what pages are touched of such an artifact tells which
/// functions run ([`Recording::functions`](crate::Recording::functions)). Much larger, and for nothing else.
pub fn compile_apart(wasm: &[u8], target: Target) -> Result<Vec<u8>, CompileError> {
    let mut config = configured(target)?;
    #[expect(unsafe_code, reason = "a wrong flag could make code that does something else")]
    // SAFETY: this one only says where functions begin.
    unsafe {
        config.cranelift_flag_set("log2_min_function_alignment", &PAGE.ilog2().to_string());
    }
    compile_with(&config, target, wasm)
}

fn configured(target: Target) -> Result<Config, CompileError> {
    let config = config::shared().and_then(|mut config| {
        aim(&mut config, target)?;
        Ok(config)
    });
    config.map_err(|error| CompileError::setup(target, &error))
}

fn compile_with(config: &Config, target: Target, wasm: &[u8]) -> Result<Vec<u8>, CompileError> {
    let engine =
        wasmtime::Engine::new(config).map_err(|error| CompileError::setup(target, &error))?;
    engine
        .precompile_component(wasm)
        .map_err(|error| CompileError::Invalid { reason: format!("{error:#}") })
}

impl CompileError {
    fn setup(target: Target, error: &wasmtime::Error) -> Self {
        Self::Setup { target, reason: format!("{error:#}") }
    }
}

fn aim(config: &mut Config, target: Target) -> wasmtime::Result<()> {
    config.target(triple(target))?.cranelift_opt_level(OptLevel::Speed);
    for flag in features(target) {
        #[expect(unsafe_code, reason = "a wrong flag makes code that some machines cannot run")]
        // SAFETY: these flags only allow instructions, and loading checks that the machine has them.
        unsafe {
            config.cranelift_flag_enable(flag);
        }
    }
    Ok(())
}

const fn triple(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "x86_64-unknown-linux-gnu",
        Target::Aarch64 => "aarch64-unknown-linux-gnu",
    }
}

const fn features(target: Target) -> &'static [&'static str] {
    match target {
        Target::X86_64 => X86_64_V3,
        Target::Aarch64 => NEOVERSE_N1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_component_is_refused() {
        let error = compile(b"\0asm\x01\0\0\0", Target::X86_64, None).unwrap_err();
        assert!(matches!(error, CompileError::Invalid { .. }), "{error}");
        assert!(matches!(
            compile(b"(component)", Target::X86_64, None),
            Err(CompileError::Invalid { .. })
        ));
    }

    #[test]
    fn a_component_without_anything_compiles_for_both_targets() {
        for target in Target::ALL {
            let artifact = compile(b"\0asm\x0D\0\x01\0", target, None).unwrap();
            assert_eq!(
                wasmtime::Engine::detect_precompiled(&artifact),
                Some(wasmtime::Precompiled::Component),
                "{target}"
            );
        }
    }
}
