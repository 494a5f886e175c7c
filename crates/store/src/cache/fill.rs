//! Getting an artifact from the store into the disk cache: fetched in parts, hashed, decompressed and written while
//! the rest arrives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fs_err::File;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use crate::cache::ArtifactKey;
use crate::cache::disk::{Disk, Kept, ReserveError, blocking};
use crate::cache::sparse::Sparse;
use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::packed::{ArtifactDigest, Unpack, UnpackError};
use crate::store::Store;
use crate::transfer;

/// Parts that wait to be unpacked.
const WAITING: usize = 2;

/// A filled file and what it cost.
pub(super) struct Filled {
    pub(super) kept: Kept,
    pub(super) fetch: Duration,
    pub(super) verify: Duration,
    pub(super) fetched_bytes: u64,
}

/// Fetches the artifact. The caller holds the right to do so.
pub(super) async fn fill(
    store: &Store,
    disk: &Disk,
    key: &ArtifactKey,
    deadline: Deadline,
) -> Result<Filled, ReadError> {
    let object = key.object();
    let started = Instant::now();
    // Before room is made: what is not in the store must evict nothing.
    let mut parts = Box::pin(transfer::parts(store.objects(), &object, deadline).await?);
    let file = reserve(store, disk, key).await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let unpacking = spawn_unpack(file, key.expected.clone(), receiver);
    let mut fetched_bytes = 0;
    while let Some(part) = parts.next().await.transpose()? {
        fetched_bytes += part.len() as u64;
        if sender.send(part).await.is_err() {
            // Unpacking has failed and says why below.
            break;
        }
    }
    drop(sender);
    let fetch = started.elapsed();
    let unpacked =
        unpacking.await.map_err(|error| UnpackError::Output(std::io::Error::other(error)));
    let (file, verify) = unpacked
        .and_then(|unpacked| unpacked)
        .map_err(|error| store.unpack_error(&object, &key.expected, error))?;
    let (publisher, expected) = (disk.clone(), key.expected.clone());
    let kept = blocking(move || publisher.publish(file, &expected)).await.map_err(
        |error: std::io::Error| ReadError::Disk {
            object: store.objects().url(&object),
            source: Arc::new(error),
        },
    )?;
    Ok(Filled { kept, fetch, verify, fetched_bytes })
}

async fn reserve(store: &Store, disk: &Disk, key: &ArtifactKey) -> Result<File, ReadError> {
    let (reserver, expected) = (disk.clone(), key.expected.clone());
    blocking(move || reserver.reserve(&expected)).await.map_err(|error| {
        let object = store.objects().url(&key.object());
        match error {
            ReserveError::Io(error) => ReadError::Disk { object, source: Arc::new(error) },
            ReserveError::Full { held } => ReadError::CacheFull {
                folder: disk.folder().to_owned(),
                object,
                needed: key.expected.size,
                held,
                bound: disk.bound(),
            },
        }
    })
}

type Unpacking = tokio::task::JoinHandle<Result<(File, Duration), UnpackError>>;

/// Unpacks on a thread of its own; gives back the file and the time spent at work.
fn spawn_unpack(
    file: File,
    expected: ArtifactDigest,
    mut parts: mpsc::Receiver<Bytes>,
) -> Unpacking {
    tokio::task::spawn_blocking(move || {
        let mut worked = Duration::ZERO;
        let mut unpack = Unpack::new(Sparse::new(file), expected).map_err(UnpackError::Output)?;
        while let Some(part) = parts.blocking_recv() {
            let started = Instant::now();
            unpack.push(&part)?;
            worked += started.elapsed();
        }
        let started = Instant::now();
        let file = unpack.finish()?.into_file();
        Ok((file, worked + started.elapsed()))
    })
}
