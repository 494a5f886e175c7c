//! One error type per operation: opening a store, reading from it, writing to it.
//!
//! Every variant names the object by its full URL (`s3://bucket/prefix/key` or the file's path), so that a log line
//! alone says what to look at. The errors are cheap to clone: one failed fetch answers all who waited for it.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::objects::Expect;

/// The error below one of ours, shared between those who waited for the same operation.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Why a store could not be opened. Nothing has been asked of the network yet.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// The store's URL is none of `s3://bucket/prefix`, `file:///folder` or a path.
    #[error("`{url}` is not a store: {reason}")]
    Url {
        /// The URL as given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An S3 store was asked for without one of the settings it needs.
    #[error("store {url} needs {missing}")]
    Access {
        /// The store's URL.
        url: String,
        /// The setting that is empty, by its AWS name.
        missing: &'static str,
    },
    /// No connection can be opened: a bad endpoint, unusable certificates.
    #[error(transparent)]
    Connection(#[from] lambkin_aws::ConnectorError),
}

/// Why an object could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such object.
    #[error("{object} does not exist")]
    NotFound {
        /// The object's URL.
        object: String,
    },
    /// The bucket or the folder itself is not there.
    #[error("there is no store at {store} (looking for {object})")]
    NoStore {
        /// The store's URL.
        store: String,
        /// The object that was wanted.
        object: String,
    },
    /// The credentials are refused. S3 also answers so for an object that does not exist when `s3:ListBucket` is not
    /// granted (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
    #[error("access to {object} is denied: {reason}; the credentials need s3:GetObject on it")]
    Denied {
        /// The object's URL.
        object: String,
        /// The server's code and message.
        reason: String,
    },
    /// The store did not answer, or asked for patience, until the deadline.
    #[error("{object} is unavailable: gave up after {attempts} attempts within {within:?}")]
    Unavailable {
        /// The object's URL.
        object: String,
        /// How often it was tried.
        attempts: u32,
        /// The time all the attempts had together.
        within: Duration,
        /// What went wrong last.
        #[source]
        source: Cause,
    },
    /// The object is there, but is not what its name or its release says.
    #[error("{object} is corrupt: expected {expected}, found {found}")]
    Corrupt {
        /// The object's URL.
        object: String,
        /// The digest (and size) it must have.
        expected: String,
        /// The digest (and size) it has.
        found: String,
    },
    /// The server refuses the request in a way that trying again does not change.
    #[error("the store refuses to read {object}: {reason}")]
    Refused {
        /// The object's URL.
        object: String,
        /// Status, code and message of the answer.
        reason: String,
    },
    /// A file of a folder store could not be read.
    #[error("{object} cannot be read")]
    Io {
        /// The file's URL.
        object: String,
        /// The operating system's error.
        #[source]
        source: Cause,
    },
    /// The disk cache could not take the artifact.
    #[error("the disk cache cannot keep {object}")]
    Disk {
        /// The URL of the object to be kept.
        object: String,
        /// The operating system's error; it names the file.
        #[source]
        source: Cause,
    },
    /// The artifact does not fit in the disk cache beside those that are in use.
    #[error(
        "the disk cache {folder} has no room for {object}: {needed} of {bound} bytes are needed, {held} are in use"
    )]
    CacheFull {
        /// The cache's folder.
        folder: PathBuf,
        /// The URL of the object to be kept.
        object: String,
        /// The artifact's size in bytes.
        needed: u64,
        /// The bytes that cannot be evicted.
        held: u64,
        /// The bound on the cache in bytes.
        bound: u64,
    },
}

/// Why an object could not be written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody else wrote it first; nothing has been changed.
    #[error("{object} was changed by someone else: {expected} no longer holds")]
    Conflict {
        /// The object's URL.
        object: String,
        /// What the writer expected to find.
        expected: Expect,
    },
    /// The bytes are not those that the object's name says.
    #[error("{object} cannot hold these bytes: their digest is {found}")]
    Mismatch {
        /// The object's URL.
        object: String,
        /// The digest of the bytes.
        found: String,
    },
    /// The bucket is not there, or the folder cannot be made.
    #[error("there is no store at {store} (to write {object})")]
    NoStore {
        /// The store's URL.
        store: String,
        /// The object that was to be written.
        object: String,
    },
    /// The credentials are refused.
    #[error("writing {object} is denied: {reason}")]
    Denied {
        /// The object's URL.
        object: String,
        /// The server's code and message.
        reason: String,
    },
    /// The store did not answer, or asked for patience, until the deadline.
    #[error("{object} cannot be written: gave up after {attempts} attempts within {within:?}")]
    Unavailable {
        /// The object's URL.
        object: String,
        /// How often it was tried.
        attempts: u32,
        /// The time all the attempts had together.
        within: Duration,
        /// What went wrong last.
        #[source]
        source: Cause,
    },
    /// The server refuses the request in a way that trying again does not change.
    #[error("the store refuses to write {object}: {reason}")]
    Refused {
        /// The object's URL.
        object: String,
        /// Status, code and message of the answer.
        reason: String,
    },
    /// A file of a folder store could not be written.
    #[error("{object} cannot be written")]
    Io {
        /// The file's URL.
        object: String,
        /// The operating system's error.
        #[source]
        source: Cause,
    },
    /// What is there already could not be looked at.
    #[error(transparent)]
    Read(#[from] ReadError),
}
