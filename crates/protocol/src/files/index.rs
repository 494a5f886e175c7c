//! The index of a folder: what each file is called, and where its bytes are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{digest, release};

/// The version of the index that this crate writes and reads.
pub const VERSION: u32 = 1;

/// All files of a folder, stored as the blob of its own digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The document's version, [`VERSION`].
    pub lambkin_files: u32,
    /// The files by their path below the folder, with `/` between names; a file that stands for itself has the empty path.
    pub files: BTreeMap<String, File>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its `Content-Type`.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Its bytes as they are in the folder.
    #[serde(flatten)]
    pub plain: Variant,
    /// Its compressed forms, where they save something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encodings: BTreeMap<Encoding, Variant>,
}

/// One form of a file: a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

/// How a file is compressed, in the order in which the host prefers them
/// (<https://www.iana.org/assignments/http-parameters/http-parameters.xhtml#content-coding>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Brotli, RFC 7932.
    Br,
    /// Zstandard, RFC 8878.
    Zstd,
    /// gzip, RFC 1952.
    Gzip,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Br, Self::Zstd, Self::Gzip];

    /// Its name in `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// Why an index is refused.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It is not the JSON of an index.
    #[error("the index of the files is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a newer Lambkin.
    #[error(
        "the index of the files has version {found}, newer than the {VERSION} this Lambkin knows"
    )]
    Newer {
        /// The version it names.
        found: u32,
    },
    /// A digest is not 64 hexadecimal digits, and could lead astray as an object key.
    #[error("the file `{path}` has a malformed digest")]
    BadDigest {
        /// The file.
        path: String,
    },
}

impl Index {
    /// The canonical document.
    pub fn to_bytes(&self) -> Vec<u8> {
        release::json(self)
    }

    /// Reads and checks an index.
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        release::version_of(bytes, "lambkin_files", VERSION)
            .map_err(|found| IndexError::Newer { found })?;
        let index: Self = serde_json::from_slice(bytes).map_err(IndexError::Malformed)?;
        for (path, file) in &index.files {
            if !file.variants().all(|variant| digest::is_sha256_hex(&variant.digest)) {
                return Err(IndexError::BadDigest { path: path.clone() });
            }
        }
        Ok(index)
    }

    /// The file at `path`, with the path as it is in the index.
    pub(super) fn file<'a>(&'a self, path: &str) -> Option<(&'a str, &'a File)> {
        self.files.get_key_value(path).map(|(path, file)| (path.as_str(), file))
    }
}

impl File {
    /// Every form of the file.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        std::iter::once(&self.plain).chain(self.encodings.values())
    }
}
