//! The folder of artifacts: finding, making room, and the locks between the processes that share it.
//!
//! `<digest>-<boot>` is a whole artifact; whoever uses one holds a shared lock on it, and only one without such a lock
//! is evicted, the longest unused first. `<name>.lock` is held by whoever fetches it; `<name>.part` is being written
//! under that lock and has its final length from the start, so that it counts against the bound. Names come and go
//! only under the folder's own lock, which is held for moments. All files are the user's alone.

use std::fs::{FileTimes, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use fs_err as fs;
use fs_err::File;
use fs_err::os::unix::fs::OpenOptionsExt as _;

use crate::cache::boot;
use crate::cache::locked::{open_locked, remove, remove_unused, same_file, try_open_locked};
use crate::packed::ArtifactDigest;

/// Held while the folder is counted and room is made.
const FOLDER_LOCK: &str = ".lock";
const LOCK: &str = "lock";
const PART: &str = "part";

/// So many files are looked at in less time than a thread takes to start.
const FEW: usize = 16;

/// A folder of at most so many bytes.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    folder: Arc<Path>,
    bound: u64,
}

/// What tells one state of a file from another: any write changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    owner: u32,
    mode: u32,
}

impl Identity {
    /// Whether only the user of this process can have written it.
    fn is_ours(&self) -> bool {
        self.owner == rustix::process::geteuid().as_raw() && self.mode & 0o022 == 0
    }

    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            owner: metadata.uid(),
            mode: metadata.mode(),
        }
    }
}

/// A verified file, with the lock that keeps it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) path: PathBuf,
    pub(super) lease: File,
    pub(super) identity: Identity,
}

/// Why there is no room.
#[derive(Debug)]
pub(super) enum ReserveError {
    Io(io::Error),
    Full { held: u64 },
}

impl From<io::Error> for ReserveError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Disk {
    pub(super) fn new(folder: PathBuf, bound: u64) -> Self {
        Self { folder: folder.into(), bound }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn bound(&self) -> u64 {
        self.bound
    }

    /// The artifact if there is one to be believed; one that is not is removed. `known` is its state when this process
    /// last saw it.
    pub(super) fn find(
        &self,
        expected: &ArtifactDigest,
        known: Option<Identity>,
    ) -> io::Result<Option<Kept>> {
        let path = self.path(&expected.digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => {}
            // It is being evicted.
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let identity = Identity::of(&file.metadata()?);
        let untouched = known.is_none_or(|known| known == identity);
        if identity.size != expected.size || !identity.is_ours() || !untouched {
            let _lock = open_locked(&self.folder.join(FOLDER_LOCK))?;
            if same_file(&file, &path)? {
                remove(&path)?;
            }
            return Ok(None);
        }
        if !same_file(&file, &path)? {
            return Ok(None);
        }
        // Only the access time: the modification time is part of the identity.
        file.set_times(FileTimes::new().set_accessed(SystemTime::now()))?;
        Ok(Some(Kept { path, lease: file, identity }))
    }

    /// Waits until nobody else is fetching the artifact; the right to fetch it ends with the file that is returned.
    pub(super) async fn lock_fill(&self, digest: &str) -> io::Result<File> {
        let path = self.path(digest).with_extension(LOCK);
        make_folder(&self.folder)?;
        if let Some(file) = try_open_locked(&path)? {
            return Ok(file);
        }
        blocking(move || {
            loop {
                let file = open_locked(&path)?;
                // Making room removes unused lock files: a lock on one that has lost its name binds nobody.
                if same_file(&file, &path)? {
                    return Ok(file);
                }
            }
        })
        .await
    }

    /// Does work of moments: here, unless so many files are looked at for it that it is one for a thread.
    pub(super) async fn quick<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<io::Error> + Send + 'static,
    {
        let entries = fs::read_dir(&*self.folder)?.take(FEW + 1).count();
        if entries <= FEW { work() } else { blocking(work).await }
    }

    /// Makes room for the artifact and the file to write it to. The caller holds [`Disk::lock_fill`].
    pub(super) fn reserve(&self, expected: &ArtifactDigest) -> Result<File, ReserveError> {
        let part = self.path(&expected.digest).with_extension(PART);
        let _lock = open_locked(&self.folder.join(FOLDER_LOCK))?;
        // What is left of a fetch that died counts no more.
        remove(&part)?;
        self.make_room(expected.size)?;
        let file =
            File::options().create_new(true).read(true).write(true).mode(0o600).open(&part)?;
        file.set_len(expected.size)?;
        // So that making room elsewhere does not take it for something left behind.
        file.lock()?;
        Ok(file)
    }

    /// Gives the verified file its name.
    pub(super) fn publish(&self, file: File, expected: &ArtifactDigest) -> io::Result<Kept> {
        let path = self.path(&expected.digest);
        let part = path.with_extension(PART);
        // Between the two locks on the file nobody may take it for unused.
        let _lock = open_locked(&self.folder.join(FOLDER_LOCK))?;
        if !same_file(&file, &part)? {
            // The fetch was given up meanwhile and another one is writing under that name.
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the file was replaced while it was written",
            ));
        }
        let identity = Identity::of(&file.metadata()?);
        fs::rename(part, &path)?;
        file.lock_shared()?;
        Ok(Kept { path, lease: file, identity })
    }

    fn path(&self, digest: &str) -> PathBuf {
        // A digest is hex; anything else must not leave the folder or look like one of the other files.
        let name: String =
            digest.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.folder.join(format!("{name}-{}", boot::word()))
    }

    fn make_room(&self, needed: u64) -> Result<(), ReserveError> {
        let mut entries = entries(&self.folder)?;
        let mut held: u64 = entries.iter().map(|entry| entry.size).sum();
        entries.sort_unstable_by_key(|entry| entry.used);
        for entry in entries {
            let left_behind = entry.path.extension().is_some();
            if left_behind || held.saturating_add(needed) > self.bound {
                held -= if remove_unused(&entry.path)? { entry.size } else { 0 };
            }
        }
        if held.saturating_add(needed) > self.bound {
            Err(ReserveError::Full { held })
        } else {
            Ok(())
        }
    }
}

/// A file of the folder.
struct Entry {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == FOLDER_LOCK {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => {
                entries.push(Entry {
                    path: entry.path(),
                    size: metadata.len(),
                    used: metadata.accessed()?,
                });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}

/// Makes the folder for the user alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|error| E::from(io::Error::other(error)))?
}
