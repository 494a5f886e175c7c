//! The caches in front of a store: releases in memory, artifacts in a bounded folder on disk.
//!
//! A fill is single: whoever needs an artifact that is being fetched, in this process or another that shares the
//! folder, waits for it. A file gets its name only when it is whole and verified. It is believed from then on, by every
//! process of the same user until the machine starts anew, unless it has been touched: hashing tens of megabytes once
//! more would cost more than all else a start does. So nothing but the host may write to the folder.
//!
//! Artifacts that came with the host, in its deployment package, are mapped where they lie: they are as trusted as the
//! host's own code beside them.

mod boot;
mod disk;
mod families;
mod fill;
mod locked;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::future::Cache as Memory;
use tokio::sync::Mutex;

use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::fetch::{ArtifactKey, Fetch, Scope};
use crate::layout;
use crate::package::Package;
use crate::paged::{PagedArtifact, file_of_holes};
use crate::store::Store;
use disk::{Disk, Identity, Kept};
use families::Families;

/// In bytes. A smaller artifact is not paged: it is unpacked before anything could begin without it.
pub const SMALLEST_PAGED: u64 = 2 << 20;
/// How many artifacts this process remembers the state of.
const REMEMBERED: u64 = 4096;

/// Where and how much a [`Cache`] may keep.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// The folder for artifacts; made when needed, shared between processes of one user, and written by nobody else.
    pub disk_dir: PathBuf,
    /// The bound on the bytes of all files in it, those being written included.
    pub disk_bytes: u64,
    /// The bound on the bytes of the releases in memory.
    pub memory_bytes: u64,
    /// The deployment package that the host came in, if artifacts may be in it.
    pub package: Option<Package>,
}

/// A verified artifact on disk. The file is not evicted while this value lives; dropping it leaves the file, which
/// stays mapped for whoever has mapped it.
#[derive(Debug)]
pub struct ArtifactFile {
    path: PathBuf,
    /// Where it came from.
    pub source: Source,
    /// What it cost.
    pub timings: Timings,
    /// The bytes fetched from the store (compressed); 0 when it came from disk.
    pub fetched_bytes: u64,
    /// The shared lock that keeps other processes from evicting the file; what came with the host needs none.
    _lease: Option<fs_err::File>,
}

impl ArtifactFile {
    /// The file to map; it must not be written to.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether an artifact may be used before all of it is unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Yes: its pages come when they are touched.
    Yes,
    /// No: all of it is in a file first.
    No,
}

/// A verified artifact.
#[derive(Debug)]
pub enum Artifact {
    /// Whole, in a file.
    File(ArtifactFile),
    /// In memory, not all of it unpacked; what it cost, and the bytes fetched from the store (compressed).
    Paged(Arc<PagedArtifact>, Timings, u64),
}

/// Where an artifact came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It came with the host.
    Package,
    /// The disk cache had it.
    Disk,
    /// It was fetched from the store.
    Store,
}

/// How long the steps of getting an artifact took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for others who were getting the same artifact.
    pub wait: Duration,
    /// From the first request to the last byte from the store. Unpacking goes on meanwhile.
    pub fetch: Duration,
    /// The work of hashing, decompressing and writing, of all threads together; nothing for a file that was there.
    pub verify: Duration,
}

/// Keeps what was read from a store near. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cache {
    store: Store,
    package: Option<Package>,
    disk: Disk,
    releases: Memory<String, Bytes>,
    verified: Memory<String, Arc<Mutex<Option<Identity>>>>,
    families: Families,
}

impl Cache {
    /// A cache in front of `store`. Nothing is read or made yet.
    pub fn new(store: Store, settings: CacheSettings) -> Self {
        let weigh = |key: &String, bytes: &Bytes| {
            u32::try_from(key.len() + bytes.len()).unwrap_or(u32::MAX)
        };
        Self {
            store,
            package: settings.package,
            disk: Disk::new(settings.disk_dir, settings.disk_bytes),
            releases: Memory::builder().max_capacity(settings.memory_bytes).weigher(weigh).build(),
            verified: Memory::new(REMEMBERED),
            families: Families::default(),
        }
    }

    /// The store behind the cache, for what must not be cached.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A release's bytes, verified. Those who ask for the same one at once share one request and its outcome.
    pub async fn release(&self, app: &str, id: &str) -> Result<Bytes, ReadError> {
        let load = async { self.store.release(app, id).await };
        self.releases
            .try_get_with(layout::release(app, id), load)
            .await
            .map_err(|error| (*error).clone())
    }

    /// A verified artifact: its file, or where `paging` allows it and neither package nor disk has it, one in memory of
    /// which only what a first call touches is fetched. [`Cache::keep`] makes a file of that.
    pub async fn artifact(&self, key: &ArtifactKey, paging: Paging) -> Result<Artifact, ReadError> {
        if paging == Paging::No || key.expected.size < SMALLEST_PAGED {
            return self.artifact_file(key).await.map(Artifact::File);
        }
        let started = Instant::now();
        if let Some(found) = self.at_hand(key, started).await? {
            return Ok(Artifact::File(found));
        }
        let wanted = (key, Scope::Hot);
        let fetch = Fetch::begin(self.store.objects(), wanted, self.store.deadline()).await?;
        let apart = self.store.objects().apart();
        let Some(apart) = apart.filter(|_| fetch.can_begin_early()) else {
            return self.artifact_file(key).await.map(Artifact::File);
        };
        let local = self.families.local(&self.disk, fetch.description());
        let file = file_of_holes(key.expected.size).map_err(|error| self.disk_error(key, error))?;
        let (paged, cost) = fetch.page_to(file, (local, apart)).await?;
        let timings = Timings { wait: Duration::ZERO, fetch: cost.fetch, verify: cost.work };
        let paged = Arc::new(paged);
        self.families.remember_paged(&key.expected, &paged);
        Ok(Artifact::Paged(paged, timings, cost.bytes))
    }

    /// Writes an artifact in memory to the disk cache, whole, so that it is found there from now on. Nothing of it may
    /// be in the store alone; see [`PagedArtifact::fetch_rest`].
    pub async fn keep(
        &self,
        key: &ArtifactKey,
        paged: &Arc<PagedArtifact>,
    ) -> Result<(), ReadError> {
        let failed = |error| self.disk_error(key, error);
        let lock = self.disk.lock_fill(&key.expected.digest).await.map_err(failed)?;
        if self.disk.find(&key.expected, None).map_err(failed)?.is_some() {
            return Ok(());
        }
        let file = fill::reserve(&self.store, &self.disk, key).await?;
        let (disk, whole, expected) = (self.disk.clone(), Arc::clone(paged), key.expected.clone());
        let kept = disk::blocking(move || {
            whole.write_to(&file)?;
            let kept = disk.publish(file, &expected)?;
            whole.read_from(Arc::new(kept.lease));
            Ok::<_, std::io::Error>(())
        });
        kept.await.map_err(failed)?;
        drop(lock);
        self.families.remember(&key.expected, paged.description());
        Ok(())
    }

    /// What package or disk have of it.
    async fn at_hand(
        &self,
        key: &ArtifactKey,
        started: Instant,
    ) -> Result<Option<ArtifactFile>, ReadError> {
        if let Some(path) = self.package.as_ref().and_then(|package| package.find(&key.expected)) {
            let (timings, source) = (Timings::default(), Source::Package);
            let file = ArtifactFile { path, source, timings, fetched_bytes: 0, _lease: None };
            return Ok(Some(file));
        }
        let known = self.verified.get(&key.expected.digest).await;
        let known = match &known {
            Some(known) => *known.lock().await,
            None => None,
        };
        let kept = self.disk.find(&key.expected, known);
        let kept = kept.map_err(|error| self.disk_error(key, error))?;
        Ok(kept.map(|kept| found(kept, started)))
    }

    /// The verified file of an artifact, fetched from the store when the disk has none that is whole.
    pub async fn artifact_file(&self, key: &ArtifactKey) -> Result<ArtifactFile, ReadError> {
        let started = Instant::now();
        if let Some(path) = self.package.as_ref().and_then(|package| package.find(&key.expected)) {
            let (timings, source) = (Timings::default(), Source::Package);
            return Ok(ArtifactFile { path, source, timings, fetched_bytes: 0, _lease: None });
        }
        let deadline = self.store.deadline();
        let slot =
            self.verified.get_with(key.expected.digest.clone(), async { Arc::default() }).await;
        let mut known = tokio::time::timeout(deadline.remaining(), slot.lock())
            .await
            .map_err(|_| self.waited_too_long(key, deadline))?;
        if let Some(kept) =
            self.disk.find(&key.expected, *known).map_err(|error| self.disk_error(key, error))?
        {
            *known = Some(kept.identity);
            return Ok(found(kept, started));
        }
        let lock = self.disk.lock_fill(&key.expected.digest);
        let _lock = tokio::time::timeout(deadline.remaining(), lock)
            .await
            .map_err(|_| self.waited_too_long(key, deadline))?
            .map_err(|error| self.disk_error(key, error))?;
        // Another process may have been quicker.
        if let Some(kept) =
            self.disk.find(&key.expected, None).map_err(|error| self.disk_error(key, error))?
        {
            *known = Some(kept.identity);
            return Ok(found(kept, started));
        }
        let wait = started.elapsed();
        let filled = fill::fill(&self.store, (&self.disk, &self.families), key, deadline).await?;
        *known = Some(filled.kept.identity);
        Ok(ArtifactFile {
            path: filled.kept.path,
            source: Source::Store,
            timings: Timings { wait, fetch: filled.cost.fetch, verify: filled.cost.work },
            fetched_bytes: filled.cost.bytes,
            _lease: Some(filled.kept.lease),
        })
    }

    fn url(&self, key: &ArtifactKey) -> String {
        self.store.objects().url(&key.object())
    }

    fn disk_error(&self, key: &ArtifactKey, error: std::io::Error) -> ReadError {
        ReadError::Disk { object: self.url(key), source: Arc::new(error) }
    }

    fn waited_too_long(&self, key: &ArtifactKey, deadline: Deadline) -> ReadError {
        let source =
            std::io::Error::new(std::io::ErrorKind::TimedOut, "somebody else is still fetching it");
        let (object, within) = (self.url(key), deadline.within());
        ReadError::Unavailable { object, attempts: 0, within, source: Arc::new(source) }
    }
}

fn found(kept: Kept, started: Instant) -> ArtifactFile {
    let timings = Timings { wait: started.elapsed(), ..Timings::default() };
    ArtifactFile {
        path: kept.path,
        source: Source::Disk,
        timings,
        fetched_bytes: 0,
        _lease: Some(kept.lease),
    }
}
