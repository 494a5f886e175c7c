//! `lambkin:files/files`: objects in granted folders, and URLs for clients.

use super::{Capabilities, CapabilityFuture, not_granted};
use crate::bindings::files::lambkin::files::files as wit;

pub use wit::{
    Entry as StoredEntry, Error as FilesError, ErrorCode as FilesErrorCode, File as StoredFile,
    Form as UploadForm, Page as StoredPage, Upload as UploadBounds,
};

/// A file's folder and its path in it.
type Place = (String, String);

/// Folders of files, by the names that the guest knows them by. Every call says `(folder, path)`.
pub trait Files: Send + Sync {
    /// Reads a whole file.
    fn get(&self, at: Place) -> CapabilityFuture<'_, Result<StoredFile, FilesError>>;

    /// Writes a file and gives its `ETag`.
    fn put(
        &self,
        at: Place,
        data: Vec<u8>,
        content_type: Option<String>,
    ) -> CapabilityFuture<'_, Result<String, FilesError>>;

    /// Lists the files whose paths begin as `at` says.
    fn entries(
        &self,
        at: Place,
        after: Option<String>,
    ) -> CapabilityFuture<'_, Result<StoredPage, FilesError>>;

    /// Deletes a file.
    fn delete(&self, at: Place) -> CapabilityFuture<'_, Result<(), FilesError>>;

    /// A URL to read a file from, for so many seconds.
    fn get_url(&self, at: Place, seconds: u32) -> CapabilityFuture<'_, Result<String, FilesError>>;

    /// A URL to put a file to, for so many seconds.
    fn put_url(
        &self,
        at: Place,
        seconds: u32,
        content_type: Option<String>,
    ) -> CapabilityFuture<'_, Result<String, FilesError>>;

    /// A form to upload a file by.
    fn post_form(
        &self,
        at: Place,
        bounds: UploadBounds,
    ) -> CapabilityFuture<'_, Result<UploadForm, FilesError>>;
}

impl Capabilities {
    fn granted_files(&self) -> Result<&dyn Files, FilesError> {
        self.files.as_deref().ok_or_else(|| FilesError {
            code: FilesErrorCode::NotGranted,
            message: not_granted("files"),
        })
    }
}

impl wit::Host for Capabilities {
    async fn get(&mut self, folder: String, path: String) -> Result<wit::File, wit::Error> {
        self.granted_files()?.get((folder, path)).await
    }

    async fn put(
        &mut self,
        folder: String,
        path: String,
        data: Vec<u8>,
        content_type: Option<String>,
    ) -> Result<String, wit::Error> {
        self.granted_files()?.put((folder, path), data, content_type).await
    }

    async fn entries(
        &mut self,
        folder: String,
        prefix: String,
        after: Option<String>,
    ) -> Result<wit::Page, wit::Error> {
        self.granted_files()?.entries((folder, prefix), after).await
    }

    async fn delete(&mut self, folder: String, path: String) -> Result<(), wit::Error> {
        self.granted_files()?.delete((folder, path)).await
    }

    async fn get_url(
        &mut self,
        folder: String,
        path: String,
        expires_seconds: u32,
    ) -> Result<String, wit::Error> {
        self.granted_files()?.get_url((folder, path), expires_seconds).await
    }

    async fn put_url(
        &mut self,
        folder: String,
        path: String,
        expires_seconds: u32,
        content_type: Option<String>,
    ) -> Result<String, wit::Error> {
        self.granted_files()?.put_url((folder, path), expires_seconds, content_type).await
    }

    async fn post_form(
        &mut self,
        folder: String,
        path: String,
        upload: wit::Upload,
    ) -> Result<wit::Form, wit::Error> {
        self.granted_files()?.post_form((folder, path), upload).await
    }
}
