//! Getting an artifact from the store into the disk cache.

use std::io;
use std::sync::Arc;

use fs_err::File;

use crate::cache::disk::{Disk, Kept, ReserveError};
use crate::cache::families::Families;
use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::fetch::{ArtifactKey, Cost, Fetch, Scope};
use crate::store::Store;

/// A filled file and what it cost.
pub(super) struct Filled {
    pub(super) kept: Kept,
    pub(super) cost: Cost,
}

/// Fetches the artifact. The caller holds the right to do so.
pub(super) async fn fill(
    store: &Store,
    (disk, families): (&Disk, &Families),
    key: &ArtifactKey,
    deadline: Deadline,
) -> Result<Filled, ReadError> {
    // Before room is made: what is not in the store must evict nothing.
    let fetch = Fetch::begin(store.objects(), (key, Scope::All), deadline).await?;
    let description = fetch.description().clone();
    // Before room is made as well: what is read from stays, unless nothing else can make the room.
    let mut local = families.local(disk, &description);
    let file = match reserve(store, disk, key).await {
        Err(ReadError::CacheFull { .. }) if local.take().is_some() => {
            reserve(store, disk, key).await
        }
        reserved => reserved,
    };
    let file = Arc::new(file?);
    let cost = fetch.write_to(&file, local).await?;
    let failed = |error| {
        let object = store.objects().url(&key.object());
        ReadError::Disk { object, source: Arc::new(error) }
    };
    // All who wrote are done.
    let file = Arc::into_inner(file).ok_or_else(|| failed(io::ErrorKind::Other.into()))?;
    let (publisher, expected) = (disk.clone(), key.expected.clone());
    let kept = disk.quick(move || publisher.publish(file, &expected)).await.map_err(failed)?;
    families.remember(&key.expected, &description);
    Ok(Filled { kept, cost })
}

/// Makes room on disk, and the file to write to.
pub(super) async fn reserve(
    store: &Store,
    disk: &Disk,
    key: &ArtifactKey,
) -> Result<File, ReadError> {
    let (reserver, expected) = (disk.clone(), key.expected.clone());
    disk.quick(move || reserver.reserve(&expected)).await.map_err(|error| {
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
