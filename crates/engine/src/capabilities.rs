//! What a host may do for a guest besides WASI: post to WebSocket connections, start jobs, keep files in S3.
//!
//! Owns the seam between guest and host: the traits that a host implements, and the imports of `lambkin:websocket`,
//! `lambkin:jobs` and `lambkin:files` that call them. What is absent from [`Capabilities`] is not granted, and a guest that
//! calls it all the same is told so by an error of the interface, not by a trap.

mod files;
mod jobs;
mod websocket;

use std::fmt;
use std::sync::Arc;

pub use files::{
    Files, FilesError, FilesErrorCode, StoredEntry, StoredFile, StoredPage, UploadBounds,
    UploadForm,
};
pub use futures::future::BoxFuture as CapabilityFuture;
pub use jobs::{Jobs, JobsError, JobsErrorCode};
pub use websocket::{WebSocket, WebSocketConnection, WebSocketError, WebSocketErrorCode};

/// The capabilities of one invocation.
#[derive(Clone, Default)]
pub struct Capabilities {
    /// Answers `lambkin:websocket/connections`.
    pub websocket: Option<Arc<dyn WebSocket>>,
    /// Answers `lambkin:jobs/jobs`.
    pub jobs: Option<Arc<dyn Jobs>>,
    /// Answers `lambkin:files/files`.
    pub files: Option<Arc<dyn Files>>,
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capabilities")
            .field("websocket", &self.websocket.is_some())
            .field("jobs", &self.jobs.is_some())
            .field("files", &self.files.is_some())
            .finish()
    }
}

/// What a guest reads that uses what it is not granted.
fn not_granted(grant: &str) -> String {
    format!(
        "the component is not granted `{grant}`: add it to [component.<name>.grants] in lambkin.toml"
    )
}
