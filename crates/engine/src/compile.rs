//! Ahead of time: from what a toolchain makes to an artifact that the host can load.
//!
//! A core module becomes a component ([`componentize`]), a component is looked at ([`inspect`], [`check_imports`]) and
//! compiled for either CPU on either machine ([`compile`]). Only the command line tool has this; the host has not.

mod adapt;
mod cache;
mod compiler;
mod inspect;

pub use adapt::{ComponentizeError, componentize};
pub use compiler::{CompileError, compile, compile_apart};
pub use inspect::{InspectError, Inspection, inspect};

use crate::interfaces::{Granted, ImportError, check_granted};

/// Checks that a component imports only what Lambkin offers and its manifest grants.
pub fn check_imports(inspection: &Inspection, granted: Granted) -> Result<(), ImportError> {
    check_granted(inspection.imports.iter().map(String::as_str), granted)
}
