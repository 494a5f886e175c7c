//! The only code that knows wasmtime: configuration, load, limits, instantiate, call.
//!
//! [`Engine::load`] takes an artifact that was compiled ahead of time and gives a [`Component`]; [`Component::http`],
//! [`Component::function`] and [`Component::command`] run one [`Invocation`] of it in an instance of its own, under a
//! deadline and a memory bound, with nothing reachable that the invocation does not grant.
//!
//! Without the feature `compile` there is no compiler here: that is what the Lambda host links.

mod ahead;
mod answer;
mod artifact;
mod bindings;
mod call;
mod capabilities;
#[cfg(feature = "compile")]
pub mod compile;
mod component;
mod config;
mod engine;
mod error;
mod given;
mod instance;
mod interfaces;
mod invocation;
mod kept;
mod limits;
mod linked;
mod outbound;
mod output;
mod paging;
mod resident;
mod session;
mod spent;
mod state;
mod target;
mod ticker;
mod worker;

pub use answer::{Body, BodyError, Completion, HttpAnswer};
pub use artifact::{ArtifactSource, LoadError};
pub use capabilities::{
    Capabilities, CapabilityFuture, Files, FilesError, FilesErrorCode, Jobs, JobsError,
    JobsErrorCode, StoredEntry, StoredFile, StoredPage, UploadBounds, UploadForm, WebSocket,
    WebSocketConnection, WebSocketError, WebSocketErrorCode,
};
pub use component::{Component, World};
pub use config::{Allocator, Settings, Teardown, fingerprint};
pub use engine::{Engine, EngineError};
pub use error::{Fault, InvokeError};
pub use interfaces::{Granted, ImportError};
pub use invocation::{
    Context, Grants, Invocation, LambdaFunction, Limits, OutputSink, Reuse, Stream, Usage,
};
#[cfg(feature = "compile")]
pub use paging::{Function, Recording};
pub use paging::{PagedFile, Pages, can_page};
pub use target::{Target, UnknownTarget};
