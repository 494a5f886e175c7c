//! `lambkin.toml`: what a developer writes about an app.
//!
//! `types` has its shape and so its JSON Schema, `check` and `rules` read it and report every problem with its place.

mod check;
mod problem;
mod rules;
mod types;
mod unknown;

pub use check::parse;
pub use problem::{ManifestError, Problem};
pub use types::{
    App, Build, Component, Grants, JsEngine, Kind, Language, Limits, Manifest, schema,
};

pub use crate::routes::Route;

/// The version of the manifest this crate reads.
pub const VERSION: u32 = 1;
/// The memory of an instance, in MiB, when a component sets none.
pub const DEFAULT_MEMORY_MB: u32 = 128;
