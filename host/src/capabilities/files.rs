//! `lambkin:files/files` over S3: which object a folder and a path name, and whether the manifest lets it be reached.

use super::Services;
use crate::apps::App;
use crate::error;
use crate::guest::Call;
use lambkin_engine::{
    CapabilityFuture, Files, FilesError, FilesErrorCode, StoredEntry, StoredFile, StoredPage,
    UploadBounds, UploadForm,
};
use lambkin_protocol::manifest::{Access, Folder};
use lambkin_store::files::{Entry, FileError, FormBounds, Place, SignError};
use lambkin_store::{ReadError, WriteError};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The longest key of an object, in bytes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
const MAX_KEY: usize = 1024;

/// The folders that one component is granted.
pub(super) struct Folders {
    services: Arc<Services>,
    app: Arc<App>,
    component: String,
    /// What a file that is read may have, in bytes: more does not fit in the instance.
    memory_bytes: u64,
}

/// What is about to be done with a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Read,
    Write,
}

/// Where a file is.
struct Object {
    bucket: String,
    /// What stands before every path of the folder.
    above: String,
    key: String,
}

impl Object {
    fn place(&self) -> Place<'_> {
        Place { bucket: &self.bucket, key: &self.key }
    }
}

impl Folders {
    pub(super) fn new(call: &Call<'_>) -> Self {
        let limit = call.component.limits.memory_mb.min(call.host.memory_mb);
        Self {
            services: Arc::clone(&call.host.services),
            app: Arc::clone(&call.destination.app),
            component: call.destination.component.clone(),
            memory_bytes: u64::from(limit) << 20,
        }
    }

    fn folder(&self, name: &str) -> Option<&Folder> {
        self.app.release.components.get(&self.component)?.grants.files.get(name)
    }

    /// The object that `(folder, path)` names.
    fn object(&self, (name, path): &(String, String), deed: Deed) -> Result<Object, FilesError> {
        let grant = self.folder(name).ok_or_else(|| {
            self.not_granted(&format!(
                "no folder `{name}`: add [component.{}.grants.files.{name}]",
                self.component
            ))
        })?;
        let allowed = match deed {
            Deed::Read => grant.access.reads(),
            Deed::Write => grant.access.writes(),
        };
        if !allowed {
            let access = if grant.access == Access::Read { "read" } else { "write" };
            return Err(self.not_granted(&format!(
                "only to {access} the folder `{name}`: set `access = \"read-write\"`"
            )));
        }
        check_path(path)?;
        let (bucket, above) = self.above(grant)?;
        let key = format!("{above}{path}");
        if key.len() > MAX_KEY {
            let what = format!("the path `{path}` makes a key of more than {MAX_KEY} bytes");
            return Err(invalid(what));
        }
        Ok(Object { bucket, above, key })
    }

    /// The same, of one file and not of all whose paths begin alike.
    fn file(&self, at: &(String, String), deed: Deed) -> Result<Object, FilesError> {
        if at.1.is_empty() || at.1.ends_with('/') {
            return Err(invalid(format!("`{}` is not the path of a file", at.1)));
        }
        self.object(at, deed)
    }

    fn above(&self, grant: &Folder) -> Result<(String, String), FilesError> {
        if let Some(bucket) = &grant.bucket {
            return Ok((bucket.clone(), grant.prefix.clone()));
        }
        let place = self.services.store.strip_prefix("s3://").ok_or_else(|| {
            failed(format!(
                "the store {} is not in S3: give the folder a `bucket`",
                self.services.store
            ))
        })?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let above = format!("{prefix}{slash}uploads/{}/{}", self.app.name, grant.prefix);
        Ok((bucket.to_owned(), above))
    }

    fn store(&self) -> Result<&lambkin_store::Files, FilesError> {
        self.services.files().map_err(failed)
    }

    fn not_granted(&self, what: &str) -> FilesError {
        let message = format!("the component {} is granted {what}", self.component);
        FilesError { code: FilesErrorCode::NotGranted, message }
    }
}

impl Files for Folders {
    fn get(&self, at: (String, String)) -> CapabilityFuture<'_, Result<StoredFile, FilesError>> {
        Box::pin(async move {
            let object = self.file(&at, Deed::Read)?;
            let file = self.store()?.get(object.place(), self.memory_bytes).await;
            let file = file.map_err(|problem| unread(&problem))?;
            let (content_type, etag) = (file.content_type, file.etag);
            Ok(StoredFile { data: file.data.into(), content_type, etag })
        })
    }

    fn put(
        &self,
        at: (String, String),
        data: Vec<u8>,
        content_type: Option<String>,
    ) -> CapabilityFuture<'_, Result<String, FilesError>> {
        Box::pin(async move {
            let object = self.file(&at, Deed::Write)?;
            let written = self.store()?.put(object.place(), data.into(), content_type.as_deref());
            written.await.map_err(|problem| unwritten(&problem))
        })
    }

    fn entries(
        &self,
        at: (String, String),
        after: Option<String>,
    ) -> CapabilityFuture<'_, Result<StoredPage, FilesError>> {
        Box::pin(async move {
            let object = self.object(&at, Deed::Read)?;
            let after = after.map(|path| format!("{}{path}", object.above));
            let listed = self.store()?.list(object.place(), after.as_deref()).await;
            let (entries, next) = listed.map_err(|problem| unread(&problem.into()))?;
            let path = |key: String| key.strip_prefix(&object.above).map(str::to_owned);
            Ok(StoredPage {
                entries: entries.into_iter().filter_map(|it| listed_as(it, &path)).collect(),
                next: next.and_then(path),
            })
        })
    }

    fn delete(&self, at: (String, String)) -> CapabilityFuture<'_, Result<(), FilesError>> {
        Box::pin(async move {
            let object = self.file(&at, Deed::Write)?;
            self.store()?.delete(object.place()).await.map_err(|problem| unwritten(&problem))
        })
    }

    fn get_url(
        &self,
        at: (String, String),
        seconds: u32,
    ) -> CapabilityFuture<'_, Result<String, FilesError>> {
        Box::pin(async move {
            let object = self.file(&at, Deed::Read)?;
            let signed = self.store()?.get_url(object.place(), span(seconds)).await;
            signed.map_err(|problem| unsigned(&problem))
        })
    }

    fn put_url(
        &self,
        at: (String, String),
        seconds: u32,
        content_type: Option<String>,
    ) -> CapabilityFuture<'_, Result<String, FilesError>> {
        Box::pin(async move {
            let object = self.file(&at, Deed::Write)?;
            let store = self.store()?;
            let signed = store.put_url(object.place(), span(seconds), content_type.as_deref());
            signed.await.map_err(|problem| unsigned(&problem))
        })
    }

    fn post_form(
        &self,
        at: (String, String),
        bounds: UploadBounds,
    ) -> CapabilityFuture<'_, Result<UploadForm, FilesError>> {
        Box::pin(async move {
            let object = self.file(&at, Deed::Write)?;
            let bounds = FormBounds {
                expires: span(bounds.expires_seconds),
                min_bytes: bounds.min_bytes,
                max_bytes: bounds.max_bytes,
                content_type: bounds.content_type,
            };
            let form = self.store()?.post_form(object.place(), &bounds);
            let form = form.map_err(|problem| unsigned(&problem))?;
            Ok(UploadForm { url: form.url, fields: form.fields })
        })
    }
}

fn check_path(path: &str) -> Result<(), FilesError> {
    let is_plain = path.split('/').all(|part| part != "." && part != "..");
    if path.starts_with('/') || !is_plain || path.contains('\0') {
        let what = format!(
            "`{path}` is not a path: write `a/b.png`, without `.`, `..` and a leading slash"
        );
        return Err(invalid(what));
    }
    Ok(())
}

fn listed_as(entry: Entry, path: &impl Fn(String) -> Option<String>) -> Option<StoredEntry> {
    let since = entry.last_modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(StoredEntry {
        path: path(entry.key)?,
        size: entry.size,
        etag: entry.etag,
        last_modified_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    })
}

fn span(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

fn unread(problem: &FileError) -> FilesError {
    let code = match problem {
        FileError::TooLarge { .. } => FilesErrorCode::TooLarge,
        FileError::Read(ReadError::NotFound { .. }) => FilesErrorCode::NotFound,
        FileError::Read(_) => FilesErrorCode::Failed,
    };
    FilesError { code, message: error::chain(problem) }
}

fn unwritten(problem: &WriteError) -> FilesError {
    failed(error::chain(problem))
}

fn unsigned(problem: &SignError) -> FilesError {
    invalid(problem.to_string())
}

fn invalid(message: String) -> FilesError {
    FilesError { code: FilesErrorCode::Invalid, message }
}

fn failed(message: String) -> FilesError {
    FilesError { code: FilesErrorCode::Failed, message }
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn a_path_stays_in_its_folder() {
        for good in ["a.png", "a/b/c.png", "..a/b..", ""] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in ["/a", "../a", "a/../b", "a/./b", "..", "a/.."] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }
}
