//! Objects as files below a folder, for one machine: the local cloud, tests, `lambkin serve` without S3.
//!
//! A file is written under another name, synced and renamed, so that a reader or a crash never meets half of one.
//! Writers that expect absence link the file into place, which fails when the name is taken; writers that expect a
//! version compare and rename under a lock that all processes share.

use std::fs::Permissions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use fs_err as fs;
use futures::future::{BoxFuture, FutureExt as _};

use crate::deadline::Deadline;
use crate::digest::sha256_hex;
use crate::error::{ReadError, WriteError};
use crate::objects::{Apart, ETag, Expect, Fetched, Objects, Part};

/// A file of at most so many bytes, such as an alias and its release, is read where it is asked for: a thread that does it
/// would only just have started.
const SMALL: u64 = 64 << 10;
/// Locked while a version is compared and replaced. It and unfinished files start with a dot, as no key does.
const LOCK: &str = ".lock";
const UNFINISHED: &str = ".new-";

/// A folder that holds objects. It is made by the first write.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: Arc<Path>,
}

impl Folder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root: root.into() }
    }

    /// The file of a key. Keys built by this crate are safe; the check is for other callers of [`Objects`].
    fn file(&self, key: &str) -> io::Result<PathBuf> {
        let inside = Path::new(key).components().all(|part| matches!(part, Component::Normal(_)));
        if inside { Ok(self.root.join(key)) } else { Err(io::ErrorKind::InvalidFilename.into()) }
    }

    fn read_error(&self, key: &str, error: io::Error) -> ReadError {
        let object = self.url(key);
        match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory => {
                if self.root.is_dir() {
                    ReadError::NotFound { object }
                } else {
                    ReadError::NoStore { store: self.url(""), object }
                }
            }
            io::ErrorKind::PermissionDenied => {
                ReadError::Denied { object, reason: error.to_string() }
            }
            _ => ReadError::Io { object, source: Arc::new(error) },
        }
    }

    fn write_error(&self, key: &str, expected: Expect, error: io::Error) -> WriteError {
        let object = self.url(key);
        match error.kind() {
            io::ErrorKind::AlreadyExists => WriteError::Conflict { object, expected },
            io::ErrorKind::NotADirectory => WriteError::NoStore { store: self.url(""), object },
            io::ErrorKind::PermissionDenied => {
                WriteError::Denied { object, reason: error.to_string() }
            }
            _ => WriteError::Io { object, source: Arc::new(error) },
        }
    }

    fn write(&self, key: &str, bytes: &[u8], expect: &Expect) -> io::Result<ETag> {
        let path = self.file(key)?;
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent)?;
        let mut unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(parent)?;
        unfinished.write_all(bytes)?;
        unfinished.as_file().sync_all()?;
        match expect {
            Expect::Any => drop(unfinished.persist(&path)?),
            Expect::Absent => drop(unfinished.persist_noclobber(&path)?),
            Expect::Match(known) => {
                let lock = fs::OpenOptions::new()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(self.root.join(LOCK))?;
                lock.lock()?;
                if current_tag(&path)?.as_ref() != Some(known) {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                drop(unfinished.persist(&path)?);
            }
        }
        // The new name itself must survive a power cut before the caller tells anyone about it.
        fs::File::open(parent)?.sync_all()?;
        Ok(tag(bytes))
    }
}

impl Objects for Folder {
    fn apart(&self) -> Option<Apart> {
        let folder = self.clone();
        Some(Box::new(move || Ok(Arc::new(folder))))
    }

    fn url(&self, key: &str) -> String {
        if key.is_empty() {
            self.root.display().to_string()
        } else {
            self.root.join(key).display().to_string()
        }
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        known: Option<&'a ETag>,
        _deadline: Deadline,
    ) -> BoxFuture<'a, Result<Fetched, ReadError>> {
        async move {
            let read = async { read(self.file(key)?).await };
            let bytes = read.await.map_err(|error| self.read_error(key, error))?;
            let etag = tag(&bytes);
            if known == Some(&etag) {
                return Ok(Fetched::Unchanged);
            }
            Ok(Fetched::Object { bytes: bytes.into(), etag })
        }
        .boxed()
    }

    fn part<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        _deadline: Deadline,
    ) -> BoxFuture<'a, Result<Part, ReadError>> {
        async move {
            let path = self.file(key);
            blocking(move || read_part(&path?, &range))
                .await
                .map_err(|error| self.read_error(key, error))
        }
        .boxed()
    }

    fn size<'a>(
        &'a self,
        key: &'a str,
        _deadline: Deadline,
    ) -> BoxFuture<'a, Result<Option<u64>, ReadError>> {
        async move {
            let path = self.file(key);
            match blocking(move || fs::metadata(path?)).await {
                Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
                Err(error) => match self.read_error(key, error) {
                    // As in S3, a question about one object does not tell whether the bucket is there.
                    ReadError::NotFound { .. } | ReadError::NoStore { .. } => Ok(None),
                    other => Err(other),
                },
            }
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        expect: Expect,
        _deadline: Deadline,
    ) -> BoxFuture<'a, Result<ETag, WriteError>> {
        async move {
            let (folder, key_owned, expected) = (self.clone(), key.to_owned(), expect.clone());
            blocking(move || folder.write(&key_owned, &bytes, &expect))
                .await
                .map_err(|error| self.write_error(key, expected, error))
        }
        .boxed()
    }

    fn children<'a>(
        &'a self,
        folder: &'a str,
        _deadline: Deadline,
    ) -> BoxFuture<'a, Result<Vec<String>, ReadError>> {
        async move {
            let path = self.file(folder);
            match blocking(move || names(&path?)).await {
                Ok(names) => Ok(names),
                Err(error) => match self.read_error(folder, error) {
                    ReadError::NotFound { .. } => Ok(Vec::new()),
                    other => Err(other),
                },
            }
        }
        .boxed()
    }
}

fn read_part(path: &Path, range: &Range<u64>) -> io::Result<Part> {
    let mut file = fs::File::open(path)?;
    let total = file.metadata()?.len();
    let wanted = range.end.min(total).saturating_sub(range.start);
    let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
    file.seek(SeekFrom::Start(range.start))?;
    // The file itself, which reads into memory that nobody has filled with zeros before.
    let (file, _) = file.into_parts();
    file.take(wanted).read_to_end(&mut bytes)?;
    Ok(Part { bytes: bytes.into(), total })
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn current_tag(path: &Path) -> io::Result<Option<ETag>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(tag(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    if fs::metadata(&path)?.len() <= SMALL {
        return fs::read(path);
    }
    blocking(move || fs::read(path)).await
}

fn tag(bytes: &[u8]) -> ETag {
    ETag::new(format!("\"{}\"", sha256_hex(bytes)))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
