//! A folder of files that are kept from run to run, within a bound: those that were not used for longest go first.

use anyhow::{Context as _, Result};
use std::fs::Metadata;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder. Several processes may use it at once.
pub(super) struct Kept {
    folder: PathBuf,
    max_bytes: u64,
}

impl Kept {
    /// Nothing is read or written yet.
    pub(super) fn new(folder: PathBuf, max_bytes: u64) -> Self {
        Self { folder, max_bytes }
    }

    /// The file of this name, a path inside the folder; it counts as used.
    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let bytes = fs_err::read(&path).ok()?;
        if let Ok(file) = fs_err::File::options().append(true).open(&path) {
            // One whose time cannot be set goes sooner, no more.
            let _ = file.into_file().set_modified(SystemTime::now());
        }
        Some(bytes)
    }

    /// Keeps a file. It is written beside its place and renamed, so that nobody ever reads half of one.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        let folder = path.parent().context("a path inside the folder")?;
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(&path)?;
        self.prune(&path);
        Ok(())
    }

    /// Removes what is over the bound, but for the newest. What cannot be looked at or removed stays.
    fn prune(&self, newest: &Path) {
        let mut files = Vec::new();
        collect(&self.folder, &mut files);
        let mut total: u64 = files.iter().map(|(_, known)| known.len()).sum();
        files.sort_by_key(|(_, known)| known.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        for (path, known) in files.iter().filter(|(path, _)| path != newest) {
            if total <= self.max_bytes {
                return;
            }
            if fs_err::remove_file(path).is_ok() {
                total -= known.len();
            }
        }
    }
}

/// Every file below `folder`.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, Metadata)>) {
    for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(known) if known.is_dir() => collect(&entry.path(), files),
            Ok(known) => files.push((entry.path(), known)),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().join("kept"), 25);
        assert_eq!(kept.get("a/1"), None);
        for (name, seconds) in [("a/1", 1), ("a/2", 2), ("b/3", 3)] {
            kept.put(name, &[7; 8]).unwrap();
            let file =
                fs_err::File::options().append(true).open(folder.path().join("kept").join(name));
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            file.unwrap().into_file().set_modified(time).unwrap();
        }
        // 24 bytes are within the bound. The first is used now, so that the second is the oldest.
        assert_eq!(kept.get("a/1"), Some(vec![7; 8]));
        kept.put("c", &[7; 8]).unwrap();
        assert_eq!(
            (kept.get("a/2"), kept.get("a/1").is_some(), kept.get("b/3").is_some()),
            (None, true, true)
        );
        // One that is larger than the bound is kept alone.
        kept.put("d", &[7; 30]).unwrap();
        assert_eq!((kept.get("c"), kept.get("d").unwrap().len()), (None, 30));
    }
}
