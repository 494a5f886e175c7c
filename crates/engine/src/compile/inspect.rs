//! Looking at a component without compiling it: its world, imports and exports.
//!
//! Reads the outermost level, and counts memories; what is inside was checked by the toolchain and is checked again by the
//! compiler.

use crate::World;
use wasmparser::{Encoding, Parser, Payload};

/// What a component is and wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How it can be called.
    pub world: World,
    /// Names of the interfaces that it imports, with versions, sorted.
    pub imports: Vec<String>,
    /// Names of the interfaces that it exports, with versions, sorted.
    pub exports: Vec<String>,
    /// How many linear memories its core modules have.
    pub memories: u32,
}

impl Inspection {
    /// Why its instances serve one invocation each, whatever its manifest says; none when they may serve several.
    pub fn never_reused(&self) -> Option<&'static str> {
        match self {
            Self { world: World::Command, .. } => Some("a command runs once in an instance"),
            Self { memories: 2.., .. } => Some("it has several linear memories"),
            _ => None,
        }
    }

    /// Whether an instance can serve several invocations at once.
    pub fn serves_concurrently(&self) -> bool {
        matches!(self.world, World::HttpAsync | World::AsyncFunction)
    }
}

/// What was given is no component that can be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// It is not WebAssembly.
    #[error("this is not a WebAssembly file")]
    NotWasm,
    /// It is a core module.
    #[error("this is a core module and not a component; it has to be made into one first")]
    CoreModule,
    /// It is damaged.
    #[error("the WebAssembly file is damaged at byte {offset}: {reason}")]
    Damaged {
        /// Where, from the start of the file.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It exports nothing that can be called.
    #[error(
        "the component exports no handler that Lambkin knows; it exports {}",
        or_nothing(exports)
    )]
    NoWorld {
        /// What it exports.
        exports: Vec<String>,
    },
}

fn or_nothing(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Looks at a component's outermost level.
pub fn inspect(wasm: &[u8]) -> Result<Inspection, InspectError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm);
    }
    let Found { mut imports, mut exports, memories } = find(wasm)?;
    imports.sort_unstable();
    exports.sort_unstable();
    match World::of(exports.iter().map(String::as_str)) {
        Some(world) => Ok(Inspection { world, imports, exports, memories }),
        None => Err(InspectError::NoWorld { exports }),
    }
}

#[derive(Default)]
struct Found {
    imports: Vec<String>,
    exports: Vec<String>,
    memories: u32,
}

fn find(wasm: &[u8]) -> Result<Found, InspectError> {
    let damaged = |error: wasmparser::Error| InspectError::Damaged {
        offset: error.offset(),
        reason: error.message().to_owned(),
    };
    let mut found = Found::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(InspectError::CoreModule);
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    found.imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    found.exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::MemorySection(section) => found.memories += section.count(),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_and_several_memories_are_never_reused() {
        let of = |world, memories| Inspection {
            world,
            imports: Vec::new(),
            exports: Vec::new(),
            memories,
        };
        assert_eq!(of(World::Http, 1).never_reused(), None);
        assert_eq!(of(World::AsyncFunction, 0).never_reused(), None);
        assert!(of(World::Command, 1).never_reused().is_some());
        assert!(of(World::HttpAsync, 2).never_reused().is_some());
    }

    #[test]
    fn what_cannot_be_called_is_told_apart() {
        assert_eq!(inspect(b"#!/bin/sh"), Err(InspectError::NotWasm));
        assert_eq!(inspect(b"\0asm\x01\0\0\0"), Err(InspectError::CoreModule));
        assert_eq!(
            inspect(b"\0asm\x0D\0\x01\0"),
            Err(InspectError::NoWorld { exports: Vec::new() })
        );
        assert!(matches!(inspect(b"\0asm\x0D\0\x01\0\x0B\x7F"), Err(InspectError::Damaged { .. })));
    }
}
