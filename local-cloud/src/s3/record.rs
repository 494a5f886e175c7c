//! What is written down about an object and about a multipart upload: the JSON beside the data.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::Checksum;
use serde::{Deserialize, Serialize};

/// Everything about one object but its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) size: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) modified: u64,
    /// The file under `data/` that holds the bytes.
    pub(crate) data: String,
    pub(crate) headers: Headers,
    pub(crate) checksums: Checksums,
}

/// What the writer said about the content, given back to every reader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Headers {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    /// `x-amz-meta-*`, names without the prefix.
    pub(crate) metadata: BTreeMap<String, String>,
}

/// The checksums that came with the object, in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksums {
    pub(crate) crc32: Option<String>,
    pub(crate) crc32c: Option<String>,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) sha256: Option<String>,
}

impl From<Checksum> for Checksums {
    fn from(checksum: Checksum) -> Self {
        Self {
            crc32: checksum.checksum_crc32,
            crc32c: checksum.checksum_crc32c,
            crc64nvme: checksum.checksum_crc64nvme,
            sha1: checksum.checksum_sha1,
            sha256: checksum.checksum_sha256,
        }
    }
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) key: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) initiated: u64,
    pub(crate) headers: Headers,
    pub(crate) parts: BTreeMap<i32, Part>,
}

/// One part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) etag: String,
    pub(crate) size: u64,
    pub(crate) modified: u64,
    pub(crate) data: String,
}

/// The time as records hold it: milliseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A record's time as a moment.
pub(crate) fn moment(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds)
}
