//! From a core module of preview 1 of WASI to a component, by wasmtime's adapters.
//!
//! A module that exports `_start` is a command; any other is a reactor, and exports functions by the names that
//! `wit-component` gives to those of a world, which its custom section describes.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1,
    WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

/// A module that cannot be made into a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentizeError {
    /// It is not a core module.
    #[error("this is not a core WebAssembly module")]
    NotCore,
    /// It is damaged.
    #[error("the WebAssembly file is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// It imports what neither WASI preview 1 nor a component has.
    #[error(
        "the core module imports `{module}`.`{name}`, which is neither WASI preview 1 nor a component's import; \
         build it for `wasm32-wasip1` or `wasm32-wasip2`"
    )]
    Import {
        /// The module that is imported from.
        module: String,
        /// The name of what is imported.
        name: String,
    },
    /// It has neither `_start` nor exports of a world.
    #[error(
        "the core module cannot be called: it exports neither `_start` nor the functions of a component's world"
    )]
    NothingToCall,
    /// `wit-component` does not take it.
    #[error("the core module cannot be made into a component: {reason}")]
    Encode {
        /// What `wit-component` says.
        reason: String,
    },
}

/// Makes a component of a core module.
pub fn componentize(core: &[u8]) -> Result<Vec<u8>, ComponentizeError> {
    let module = survey(core)?;
    if let Some((module, name)) = module.foreign_import {
        return Err(ComponentizeError::Import { module, name });
    }
    if !module.is_command && !module.has_world {
        return Err(ComponentizeError::NothingToCall);
    }
    let adapter = if module.is_command { COMMAND } else { REACTOR };
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            .module(core)?
            .adapter(PREVIEW1, adapter)?
            .encode()
    };
    encode().map_err(|error| ComponentizeError::Encode { reason: format!("{error:#}") })
}

/// What decides how a core module is treated.
#[derive(Default)]
struct Survey {
    is_command: bool,
    has_world: bool,
    foreign_import: Option<(String, String)>,
}

fn survey(core: &[u8]) -> Result<Survey, ComponentizeError> {
    let damaged =
        |error: wasmparser::Error| ComponentizeError::Damaged { reason: error.to_string() };
    if !core.starts_with(b"\0asm") {
        return Err(ComponentizeError::NotCore);
    }
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(core) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err(ComponentizeError::NotCore);
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(damaged)?;
                    if !is_adaptable(import.module) {
                        survey
                            .foreign_import
                            .get_or_insert((import.module.to_owned(), import.name.to_owned()));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    survey.is_command |= export.map_err(damaged)?.name == "_start";
                }
            }
            Payload::CustomSection(section) => {
                survey.has_world |= section.name().starts_with("component-type");
            }
            _ => {}
        }
    }
    Ok(survey)
}

/// Preview 1, and what `wit-component` itself resolves: interfaces, the world's own functions, intrinsics.
fn is_adaptable(module: &str) -> bool {
    module == PREVIEW1
        || module.contains(':')
        || module.starts_with("[export]")
        || module == "$root"
        || module.starts_with("cm32p2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_nothing_to_call_is_refused() {
        assert_eq!(componentize(b"\0asm\x01\0\0\0"), Err(ComponentizeError::NothingToCall));
        assert_eq!(componentize(b"\0asm\x0D\0\x01\0"), Err(ComponentizeError::NotCore));
        assert_eq!(componentize(b"#!"), Err(ComponentizeError::NotCore));
    }

    #[test]
    fn an_import_of_another_environment_is_named() {
        // (module (import "env" "now" (func)))
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0B\x01\x03env\x03now\0\0";
        let error = componentize(module).unwrap_err();
        assert_eq!(
            error,
            ComponentizeError::Import { module: "env".to_owned(), name: "now".to_owned() }
        );
    }
}
