//! What a place to keep objects must be able to do: the seam between the store's layout and S3 or a folder.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};

use crate::deadline::Deadline;
use crate::error::{ReadError, WriteError};

/// Keeps bytes under keys. A key is a path of `/`-separated names as [`crate::Store`] builds them.
///
/// A reader sees an object whole or not at all, and of several conditional writers of one key exactly one wins.
/// Implementations try again what is worth it (a busy or unreachable server) until the deadline.
pub trait Objects: fmt::Debug + Send + Sync + 'static {
    /// The URL of the object for messages, such as `s3://bucket/prefix/key`; that of the store for an empty key.
    fn url(&self, key: &str) -> String;

    /// Reads the object, unless its tag is still `known`.
    fn get<'a>(
        &'a self,
        key: &'a str,
        known: Option<&'a ETag>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Fetched, ReadError>>;

    /// Reads a range of the object's bytes; one that reaches over its end is cut, one that starts there is empty.
    fn part<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Part, ReadError>>;

    /// The same bytes in order, as they arrive. A read that breaks off goes on from there.
    fn arriving(
        self: Arc<Self>,
        key: String,
        range: Range<u64>,
        deadline: Deadline,
    ) -> BoxStream<'static, Result<Bytes, ReadError>> {
        let all = async move { self.part(&key, range, deadline).await.map(|part| part.bytes) };
        stream::once(all).boxed()
    }

    /// The object's size in bytes, none when it is absent.
    fn size<'a>(
        &'a self,
        key: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Option<u64>, ReadError>>;

    /// A URL by which anyone may read the object until `valid` is over, answered with these headers. None where the
    /// objects have no server of their own.
    fn signed_url<'a>(
        &'a self,
        _key: &'a str,
        _headers: &'a SignedHeaders,
        _valid: Duration,
    ) -> BoxFuture<'a, Result<Option<String>, ReadError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Writes the object if what is there now is as expected, else fails with [`WriteError::Conflict`].
    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        expect: Expect,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<ETag, WriteError>>;

    /// Makes the same objects with connections of their own, for a thread that must go on while the one that runs the
    /// others waits for it; none where that cannot be had.
    fn apart(&self) -> Option<Apart>;

    /// The sorted names directly below `folder`, of objects and of folders alike; none when there is no such folder.
    fn children<'a>(
        &'a self,
        folder: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Vec<String>, ReadError>>;
}

/// Makes objects when somebody needs them; see [`Objects::apart`]. Fails as opening a store does.
pub type Apart = Box<dyn FnOnce() -> io::Result<Arc<dyn Objects>> + Send>;

/// What a server is to say of an object that is read by a signed URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
}

/// A server's tag for one version of an object, as it came (S3 puts quotes around it).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// The tag as the server wrote it.
    pub fn new(tag: impl Into<String>) -> Self {
        Self(tag.into())
    }

    /// The tag as the server wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a writer expects to find where it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything: for objects whose name determines their content.
    Any,
    /// No object (`If-None-Match: *`).
    Absent,
    /// The version with this tag (`If-Match`).
    Match(ETag),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::Absent => f.write_str("its absence"),
            Self::Match(tag) => write!(f, "version {tag}"),
        }
    }
}

/// The answer to [`Objects::get`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The object's bytes and the tag of this version.
    Object {
        /// All of its bytes.
        bytes: Bytes,
        /// The tag of the version read.
        etag: ETag,
    },
    /// The object still has the tag the caller knows.
    Unchanged,
}

/// The answer to [`Objects::part`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The bytes of the range.
    pub bytes: Bytes,
    /// The size of the whole object in bytes.
    pub total: u64,
}
