//! Files of the apps: objects in any bucket that the credentials open, and URLs and forms that let a client reach one.
//!
//! Owns reading, writing, listing and signing. Which buckets and prefixes a component may reach is decided above.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::Object;
use bytes::Bytes;

use crate::access::S3Access;
use crate::deadline::Deadline;
use crate::error::{OpenError, ReadError, WriteError};
use crate::s3::failure::{Attempt, Failure};
use crate::s3::retry::{Pace, retry};
use crate::s3::{Bucket, client};

mod form;

pub use form::{Form, FormBounds};

/// The longest that a signed URL or form may be good for
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html>).
pub const MAX_EXPIRES: Duration = Duration::from_hours(7 * 24);

/// A client for objects in any bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    access: S3Access,
    patience: Duration,
}

/// One object: its bucket and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's key; in a listing, what keys begin with.
    pub key: &'a str,
}

/// An object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// All of it.
    pub data: Bytes,
    /// As it was uploaded.
    pub content_type: Option<String>,
    /// With its quotes.
    pub etag: String,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its whole key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// When it was last written.
    pub last_modified: SystemTime,
}

/// Why a file could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    /// It has more bytes than the caller can take.
    #[error("{object} has {size} bytes, more than the {most} that fit")]
    TooLarge {
        /// The object's URL.
        object: String,
        /// Its size in bytes.
        size: u64,
        /// The caller's bound in bytes.
        most: u64,
    },
    /// The server did not give it.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a URL or a form could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed: {reason}")]
pub struct SignError {
    /// What is wrong.
    pub reason: String,
}

impl Files {
    /// A client whose every call ends within `patience`, retries included. Nothing is sent yet.
    pub fn new(access: &S3Access, patience: Duration) -> Result<Self, OpenError> {
        Ok(Self { client: client("s3://", access)?, access: access.clone(), patience })
    }

    /// Reads an object of at most `most` bytes.
    pub async fn get(&self, at: Place<'_>, most: u64) -> Result<File, FileError> {
        let bucket = self.bucket(at);
        let read = || async {
            let answer = self.client.get_object().bucket(at.bucket).key(at.key).send().await;
            let answer = answer.map_err(Failure::from_sdk)?;
            let size = answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            if size > most {
                return Ok(Err(size));
            }
            let data = answer.body.collect().await.map_err(Failure::transient)?.into_bytes();
            let etag = answer.e_tag.unwrap_or_default();
            Ok(Ok(File { data, content_type: answer.content_type, etag }))
        };
        let read: Attempt<Result<File, u64>> = retry(self.deadline(), Pace::Read, |_| read()).await;
        let read = read.map_err(|failure| failure.read(&bucket, at.key))?;
        read.map_err(|size| FileError::TooLarge { object: at.url(), size, most })
    }

    /// Writes an object over the one that is there, and gives its `ETag`.
    pub async fn put(
        &self,
        at: Place<'_>,
        data: Bytes,
        content_type: Option<&str>,
    ) -> Result<String, WriteError> {
        let bucket = self.bucket(at);
        let write = || async {
            let request = self.client.put_object().bucket(at.bucket).key(at.key);
            let request = request.set_content_type(content_type.map(str::to_owned));
            let answer = request.body(data.clone().into()).send().await;
            Ok(answer.map_err(Failure::from_sdk)?.e_tag.unwrap_or_default())
        };
        retry(self.deadline(), Pace::Write, |_| write())
            .await
            .map_err(|failure| failure.write(&bucket, at.key))
    }

    /// Deletes an object; one that is not there is deleted too.
    pub async fn delete(&self, at: Place<'_>) -> Result<(), WriteError> {
        let bucket = self.bucket(at);
        let delete = || async {
            let request = self.client.delete_object().bucket(at.bucket).key(at.key);
            request.send().await.map_err(Failure::from_sdk)
        };
        retry(self.deadline(), Pace::Write, |_| delete())
            .await
            .map(drop)
            .map_err(|failure| failure.write(&bucket, at.key))
    }

    /// The objects whose keys begin as `at` says, in the order of their keys, at most 1000; and the key after which the next
    /// ones come, when there are more.
    pub async fn list(
        &self,
        at: Place<'_>,
        after: Option<&str>,
    ) -> Result<(Vec<Entry>, Option<String>), ReadError> {
        let bucket = self.bucket(at);
        let list = || async {
            let request = self.client.list_objects_v2().bucket(at.bucket).prefix(at.key);
            let request = request.set_start_after(after.map(str::to_owned));
            request.send().await.map_err(Failure::from_sdk)
        };
        let answer = retry(self.deadline(), Pace::Read, |_| list())
            .await
            .map_err(|failure| failure.read(&bucket, at.key))?;
        let entries: Vec<Entry> = answer.contents.into_iter().flatten().filter_map(entry).collect();
        let is_cut = answer.is_truncated.unwrap_or_default();
        let next = entries.last().filter(|_| is_cut).map(|last| last.key.clone());
        Ok((entries, next))
    }

    /// A URL from which anyone may read the object for so long.
    pub async fn get_url(&self, at: Place<'_>, expires: Duration) -> Result<String, SignError> {
        let request = self.client.get_object().bucket(at.bucket).key(at.key);
        url(request.presigned(presigning(expires)?).await)
    }

    /// A URL to which anyone may put the object for so long, with this content type when one is given.
    pub async fn put_url(
        &self,
        at: Place<'_>,
        expires: Duration,
        content_type: Option<&str>,
    ) -> Result<String, SignError> {
        let request = self.client.put_object().bucket(at.bucket).key(at.key);
        let request = request.set_content_type(content_type.map(str::to_owned));
        url(request.presigned(presigning(expires)?).await)
    }

    /// A form by which anyone may post the object, within bounds.
    pub fn post_form(&self, at: Place<'_>, bounds: &FormBounds) -> Result<Form, SignError> {
        check_expires(bounds.expires)?;
        form::sign(&self.access, at, bounds, SystemTime::now())
    }

    fn bucket(&self, at: Place<'_>) -> Bucket {
        Bucket::over(self.client.clone(), at.bucket)
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.patience)
    }
}

impl Place<'_> {
    fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

fn entry(object: Object) -> Option<Entry> {
    Some(Entry {
        key: object.key?,
        size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        etag: object.e_tag.unwrap_or_default(),
        last_modified: object
            .last_modified
            .and_then(|time| SystemTime::try_from(time).ok())
            .unwrap_or(SystemTime::UNIX_EPOCH),
    })
}

fn check_expires(expires: Duration) -> Result<(), SignError> {
    if expires.is_zero() || expires > MAX_EXPIRES {
        let reason = format!("it may expire after 1 to {} seconds", MAX_EXPIRES.as_secs());
        return Err(SignError { reason });
    }
    Ok(())
}

fn presigning(expires: Duration) -> Result<PresigningConfig, SignError> {
    check_expires(expires)?;
    PresigningConfig::expires_in(expires).map_err(|error| SignError { reason: error.to_string() })
}

fn url<E: std::error::Error>(signed: Result<PresignedRequest, E>) -> Result<String, SignError> {
    match signed {
        Ok(request) => Ok(request.uri().to_owned()),
        Err(error) => Err(SignError { reason: error.to_string() }),
    }
}
