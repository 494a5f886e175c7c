//! `lambkin.toml`: what a developer writes about an app.
//!
//! `types` and a module for each further table have its shape and so its JSON Schema, `check` and `rules` read it and report every problem with its place.

mod api;
mod authorizer;
mod check;
mod grants;
mod problem;
mod rules;
mod static_files;
mod trigger;
mod types;
mod unknown;
mod usage_plan;
mod websocket;

pub use api::{Api, ApiKeySource, ApiType, Cors, Payload, ResponseTransferMode};
pub use authorizer::{Authorizer, AuthorizerType};
pub use check::parse;
pub use grants::{Access, Folder, Grants};
pub use problem::{ManifestError, Problem};
pub use static_files::{DEFAULT_INDEX, Static, StaticFiles, is_dotfile};
pub use trigger::{DEFAULT_S3_EVENTS, Trigger, TriggerKind, rate_of};
pub use types::{App, Build, Component, JsEngine, Kind, Language, Limits, Manifest, Reuse, schema};

pub use crate::routes::Route;
pub use usage_plan::{Quota, QuotaPeriod, Throttle, UsagePlan};
pub use websocket::{DEFAULT_STAGE, WebSocket, WebSocketRoute};

/// The version of the manifest this crate reads.
pub const VERSION: u32 = 1;
/// The memory of an instance, in MiB, when a component sets none.
pub const DEFAULT_MEMORY_MB: u32 = 128;
/// The invocations that a reused instance serves, when a component sets none.
pub const DEFAULT_REUSE_INVOCATIONS: u32 = 1000;
/// The seconds that a reused instance lives, when a component sets none.
pub const DEFAULT_REUSE_AGE_SECONDS: u32 = 900;
/// The invocations that a reused instance serves at once, when a component sets none.
pub const DEFAULT_REUSE_CONCURRENT: u32 = 1;
/// The most bytes of a component's warm-up event: it is part of the release, which is read at every start.
pub const MAX_WARMUP_BYTES: usize = 64 * 1024;
