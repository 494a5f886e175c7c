//! Blobs, artifacts, releases, aliases and domains over S3 or a folder, the caches in front of them, and
//! the deployment package that may stand in for both.
//!
//! [`Store`] knows the layout and verifies every digest; [`Objects`] moves bytes and has two implementations,
//! S3 and a folder. [`Cache`] keeps releases in memory and artifacts in a bounded folder on disk. What the bytes
//! of a release or an alias mean is left to `lambkin-protocol`; mapping an artifact is left to `lambkin-engine`.

mod access;
mod cache;
mod deadline;
mod digest;
mod error;
mod fetch;
pub mod files;
mod folder;
mod layout;
mod objects;
mod package;
mod packed;
mod paged;
mod s3;
mod store;
mod transfer;

pub use access::S3Access;
pub use cache::{
    Artifact, ArtifactFile, Cache, CacheSettings, Paging, SMALLEST_PAGED, Source, Timings,
};
pub use deadline::Deadline;
pub use error::{Cause, OpenError, ReadError, WriteError};
pub use fetch::ArtifactKey;
pub use files::Files;
pub use objects::{Apart, ETag, Expect, Fetched, Objects, Part, SignedHeaders};
pub use package::{Package, PackageFile};
pub use packed::{ArtifactDigest, StoredArtifact};
pub use paged::PagedArtifact;
pub use store::{Pointer, Put, Store};
