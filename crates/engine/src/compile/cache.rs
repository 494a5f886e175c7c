//! The incremental cache: compiled functions in a folder, one file each, named by the digest of their key.
//!
//! Files come into being by renaming, so that other processes never see half of one. What cannot be read or written is
//! only not cached. A file starts with the digest of its content, and one that was damaged is not used.

use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use wasmtime::CacheStore;

const DIGEST: usize = 32;

/// A folder of compiled functions.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join(crate::fingerprint());
        fs_err::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self, key: &[u8]) -> PathBuf {
        let mut name = String::with_capacity(2 * DIGEST);
        for byte in Sha256::digest(key) {
            // Writing to a string cannot fail.
            let _ok = write!(name, "{byte:02x}");
        }
        self.0.join(name)
    }

    fn write(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(&Sha256::digest(value))?;
        file.write_all(value)?;
        file.persist(self.path(key))?;
        Ok(())
    }
}

impl CacheStore for Folder {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let file = fs_err::read(self.path(key)).ok()?;
        let (digest, value) = file.split_at_checked(DIGEST)?;
        (Sha256::digest(value).as_slice() == digest).then(|| Cow::Owned(value.to_vec()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        self.write(key, &value).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_again_unless_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Folder::open(folder.path()).unwrap();
        assert_eq!(cache.get(b"key"), None);
        assert!(cache.insert(b"key", b"value".to_vec()));
        assert_eq!(
            Folder::open(folder.path()).unwrap().get(b"key").as_deref(),
            Some(&b"value"[..])
        );
        for damaged in [&b"short"[..], &[0; 40]] {
            fs_err::write(cache.path(b"key"), damaged).unwrap();
            assert_eq!(cache.get(b"key"), None);
        }
    }
}
