//! The typed store: what can be read and written, with every digest verified on the way.
//!
//! Immutable objects (blobs, artifacts, releases) are named by what is in them; aliases and domains are the only
//! pointers that move, and they move by compare-and-swap. The layout is in `layout`, the bytes' meaning elsewhere.

mod artifacts;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::access::S3Access;
use crate::deadline::Deadline;
use crate::digest::sha256_hex;
use crate::error::{OpenError, ReadError, WriteError};
use crate::folder::Folder;
use crate::objects::{ETag, Expect, Fetched, Objects, SignedHeaders};
use crate::s3::Bucket;
use crate::{layout, transfer};

/// A release's id is this many digits of the SHA-256 of its bytes.
const RELEASE_ID_DIGITS: usize = 20;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);
/// What a write gets on top for each MiB, for a publisher behind a slow line (256 KiB/s).
const PATIENCE_PER_MIB: Duration = Duration::from_secs(4);

/// Blobs, artifacts, releases, aliases and domains in one S3 bucket and prefix, or in one folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn Objects>,
    patience: Duration,
}

/// What a pointer (an alias or a domain) reads as, against the version the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// It has other bytes than those known.
    Changed {
        /// The pointer's JSON.
        bytes: Bytes,
        /// The tag of this version, to be known next time and to be expected by a write.
        etag: ETag,
    },
    /// It still is the version that the caller knows.
    Unchanged,
    /// There is no such pointer.
    Missing,
}

/// Whether a write of an immutable object had anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The object was uploaded.
    Stored,
    /// The store had it.
    AlreadyThere,
}

impl Store {
    /// Opens `s3://bucket/prefix`, `file:///folder` or a folder by its path. Nothing is sent or created yet: a missing
    /// bucket shows at the first read, a missing folder is made by the first write.
    pub fn open(url: &str, access: &S3Access) -> Result<Self, OpenError> {
        let bad = |reason| OpenError::Url { url: url.to_owned(), reason };
        if let Some(place) = url.strip_prefix("s3://") {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            if bucket.is_empty() {
                return Err(bad("the bucket is missing"));
            }
            return Ok(Self::over(Arc::new(Bucket::new(
                url,
                bucket,
                prefix.trim_matches('/'),
                access,
            )?)));
        }
        let root = if url.starts_with("file:") {
            let parsed = url::Url::parse(url).map_err(|_| bad("it is not a valid file URL"))?;
            parsed.to_file_path().map_err(|()| bad("it does not name a local folder"))?
        } else if url.contains("://") {
            return Err(bad("only s3:// and file:// are known"));
        } else if url.is_empty() {
            return Err(bad("it is empty"));
        } else {
            PathBuf::from(url)
        };
        Ok(Self::over(Arc::new(Folder::new(root))))
    }

    /// A store over any place that keeps objects.
    pub fn over(objects: Arc<dyn Objects>) -> Self {
        Self { objects, patience: DEFAULT_PATIENCE }
    }

    /// The same store, whose every operation ends within `patience` (10 s unless set), all retries included. A write
    /// of a large object gets 4 s more for each MiB.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { objects: Arc::clone(&self.objects), patience }
    }

    /// The store's URL, for messages.
    pub fn url(&self) -> String {
        self.objects.url("")
    }

    /// Reads a blob and verifies its digest.
    pub async fn blob(&self, digest: &str) -> Result<Bytes, ReadError> {
        let key = layout::blob(digest);
        let bytes = transfer::whole(Arc::clone(&self.objects), &key, self.deadline()).await?;
        self.verify(&key, digest, &sha256_hex(&bytes))?;
        Ok(bytes)
    }

    /// Reads a range of a blob. A part has no digest of its own: only its length and that of the whole are verified.
    pub async fn blob_part(
        &self,
        digest: &str,
        size: u64,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let key = layout::blob(digest);
        let wanted = range.end.saturating_sub(range.start);
        let part = self.objects.part(&key, range, self.deadline()).await?;
        if part.total != size || part.bytes.len() as u64 != wanted {
            let object = self.objects.url(&key);
            let found = format!("{} of {} bytes", part.bytes.len(), part.total);
            let expected = format!("{wanted} of {size} bytes");
            return Err(ReadError::Corrupt { object, expected, found });
        }
        Ok(part.bytes)
    }

    /// A URL by which anyone may read the blob until `valid` is over; none where the store has no server.
    pub async fn blob_url(
        &self,
        digest: &str,
        headers: &SignedHeaders,
        valid: Duration,
    ) -> Result<Option<String>, ReadError> {
        self.objects.signed_url(&layout::blob(digest), headers, valid).await
    }

    /// Writes a blob, unless one of this size is there. The bytes must have the digest.
    pub async fn put_blob(&self, digest: &str, bytes: Bytes) -> Result<Put, WriteError> {
        let key = layout::blob(digest);
        let found = sha256_hex(&bytes);
        if found != digest {
            return Err(WriteError::Mismatch { object: self.objects.url(&key), found });
        }
        self.put_immutable(&key, bytes).await
    }

    /// Whether the blob is there; its content is not looked at.
    pub async fn has_blob(&self, digest: &str) -> Result<bool, ReadError> {
        Ok(self.objects.size(&layout::blob(digest), self.deadline()).await?.is_some())
    }

    /// Reads a release and verifies that its id is that of its bytes.
    pub async fn release(&self, app: &str, id: &str) -> Result<Bytes, ReadError> {
        let key = layout::release(app, id);
        match self.objects.get(&key, None, self.deadline()).await? {
            Fetched::Object { bytes, .. } => {
                self.verify(&key, id, &release_id(&bytes))?;
                Ok(bytes)
            }
            Fetched::Unchanged => Err(ReadError::NotFound { object: self.objects.url(&key) }),
        }
    }

    /// Writes a release, unless it is there. The bytes must have the id.
    pub async fn put_release(&self, app: &str, id: &str, bytes: Bytes) -> Result<Put, WriteError> {
        let key = layout::release(app, id);
        let found = release_id(&bytes);
        if found != id {
            return Err(WriteError::Mismatch { object: self.objects.url(&key), found });
        }
        self.put_immutable(&key, bytes).await
    }

    /// The ids of an app's releases, sorted; none for an app that does not exist.
    pub async fn list_releases(&self, app: &str) -> Result<Vec<String>, ReadError> {
        self.files(&layout::releases(app)).await
    }

    /// Reads an alias, unless it still is the version `known`.
    pub async fn alias(
        &self,
        app: &str,
        alias: &str,
        known: Option<&ETag>,
    ) -> Result<Pointer, ReadError> {
        self.pointer(&layout::alias(app, alias), known).await
    }

    /// Moves an alias if it is as expected, else fails with [`WriteError::Conflict`] and changes nothing.
    pub async fn put_alias(
        &self,
        app: &str,
        alias: &str,
        bytes: Bytes,
        expect: Expect,
    ) -> Result<ETag, WriteError> {
        self.put(&layout::alias(app, alias), bytes, expect).await
    }

    /// The names of an app's aliases, sorted; none for an app that does not exist.
    pub async fn list_aliases(&self, app: &str) -> Result<Vec<String>, ReadError> {
        self.files(&layout::aliases(app)).await
    }

    /// Reads the mappings of a domain, unless they still are the version `known`.
    pub async fn domain(&self, name: &str, known: Option<&ETag>) -> Result<Pointer, ReadError> {
        self.pointer(&layout::domain(name), known).await
    }

    /// Replaces the mappings of a domain if they are as expected, else fails with [`WriteError::Conflict`].
    pub async fn put_domain(
        &self,
        name: &str,
        bytes: Bytes,
        expect: Expect,
    ) -> Result<ETag, WriteError> {
        self.put(&layout::domain(name), bytes, expect).await
    }

    /// The names of the apps that have anything in the store, sorted.
    pub async fn list_apps(&self) -> Result<Vec<String>, ReadError> {
        let folders = self.objects.children(layout::APPS, self.deadline()).await?;
        Ok(folders.iter().map(|folder| layout::name(folder)).collect())
    }

    /// The place behind the store, for one that wraps it.
    pub fn objects(&self) -> Arc<dyn Objects> {
        Arc::clone(&self.objects)
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.patience)
    }

    async fn pointer(&self, key: &str, known: Option<&ETag>) -> Result<Pointer, ReadError> {
        match self.objects.get(key, known, self.deadline()).await {
            Ok(Fetched::Object { bytes, etag }) => Ok(Pointer::Changed { bytes, etag }),
            Ok(Fetched::Unchanged) => Ok(Pointer::Unchanged),
            Err(ReadError::NotFound { .. }) => Ok(Pointer::Missing),
            Err(error) => Err(error),
        }
    }

    async fn files(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let files = self.objects.children(folder, self.deadline()).await?;
        Ok(files.iter().filter_map(|file| layout::name_of_file(file)).collect())
    }

    /// Uploads what is missing. An object of another size was cut short or tampered with, and is replaced.
    async fn put_immutable(&self, key: &str, bytes: Bytes) -> Result<Put, WriteError> {
        if self.objects.size(key, self.deadline()).await? == Some(bytes.len() as u64) {
            return Ok(Put::AlreadyThere);
        }
        self.put(key, bytes, Expect::Any).await.map(|_| Put::Stored)
    }

    async fn put(&self, key: &str, bytes: Bytes, expect: Expect) -> Result<ETag, WriteError> {
        let mebibytes = u32::try_from(bytes.len() >> 20).unwrap_or(u32::MAX);
        let deadline = Deadline::after(self.patience + PATIENCE_PER_MIB * mebibytes);
        self.objects.put(key, bytes, expect, deadline).await
    }

    fn verify(&self, key: &str, expected: &str, found: &str) -> Result<(), ReadError> {
        if expected == found {
            return Ok(());
        }
        let object = self.objects.url(key);
        Err(ReadError::Corrupt { object, expected: expected.to_owned(), found: found.to_owned() })
    }
}

fn release_id(bytes: &[u8]) -> String {
    let mut digest = sha256_hex(bytes);
    digest.truncate(RELEASE_ID_DIGITS);
    digest
}
