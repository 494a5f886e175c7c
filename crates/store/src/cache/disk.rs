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
use crate::packed::ArtifactDigest;

/// Held while the folder is counted and room is made.
const FOLDER_LOCK: &str = ".lock";
const LOCK: &str = "lock";
const PART: &str = "part";

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
    pub(super) async fn find(
        &self,
        expected: &ArtifactDigest,
        known: Option<Identity>,
    ) -> io::Result<Option<Kept>> {
        // Where it is not, which is what a new environment finds, that is told sooner than a thread is there.
        if !self.path(&expected.digest).try_exists()? {
            return Ok(None);
        }
        let (disk, expected) = (self.clone(), expected.clone());
        blocking(move || disk.look(&expected, known)).await
    }

    /// Waits until nobody else is fetching the artifact; the right to fetch it ends with the file that is returned.
    pub(super) async fn lock_fill(&self, digest: &str) -> io::Result<File> {
        let (folder, path) = (Arc::clone(&self.folder), self.path(digest).with_extension(LOCK));
        blocking(move || {
            make_folder(&folder)?;
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

    fn look(&self, expected: &ArtifactDigest, known: Option<Identity>) -> io::Result<Option<Kept>> {
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

fn open_locked(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Whether the open file still has this name.
fn same_file(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a file that nobody holds a lock on; says whether it is gone. Mappings of it stay valid.
fn remove_unused(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => remove(path).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
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
