//! Which pages of an artifact a guest touches: the artifact is paged in one by one and the pages are noted.

use super::{PAGE, PagedFile, Pages};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

/// An artifact that notes which of its pages are touched while its component is loaded, instantiated and called.
#[derive(Debug)]
pub struct Recording {
    paged: PagedFile,
    noted: Arc<Noted>,
}

impl Recording {
    /// Nothing has been touched yet.
    ///
    /// # Errors
    /// Where there are no anonymous files.
    pub fn new(artifact: Bytes) -> io::Result<Self> {
        let file = Arc::new(anonymous_file(artifact.len() as u64)?);
        let noted =
            Arc::new(Noted { artifact, file: Arc::clone(&file), touched: Mutex::default() });
        let pages: Arc<dyn Pages> = Arc::clone(&noted) as _;
        Ok(Self { paged: PagedFile { file, pages }, noted })
    }

    /// What to load.
    pub fn paged(&self) -> &PagedFile {
        &self.paged
    }

    /// What was touched up to now, as byte ranges of whole pages, ascending and apart from each other.
    pub fn touched(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for page in self.noted.touched.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match ranges.last_mut() {
                Some(last) if last.end == *page => last.end += PAGE,
                _ => ranges.push(*page..page + PAGE),
            }
        }
        ranges
    }
}

struct Noted {
    artifact: Bytes,
    file: Arc<File>,
    /// Where the pages begin.
    touched: Mutex<BTreeSet<u64>>,
}

impl Pages for Noted {
    fn bring(&self, range: Range<u64>) -> io::Result<()> {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let length = usize::try_from(PAGE).map_err(io::Error::other)?;
        for page in range.step_by(length) {
            if touched.insert(page) {
                let start = usize::try_from(page).map_err(io::Error::other)?;
                let rest = self.artifact.get(start..).unwrap_or_default();
                let bytes = rest.get(..length).unwrap_or(rest);
                self.file.write_all_at(bytes, page)?;
            }
        }
        Ok(())
    }

    fn is_at_hand(&self, _range: &Range<u64>) -> bool {
        true
    }
}

impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noted").field("artifact", &self.artifact.len()).finish_non_exhaustive()
    }
}

fn anonymous_file(length: u64) -> io::Result<File> {
    let file = rustix::fs::memfd_create("artifact", rustix::fs::MemfdFlags::CLOEXEC)?;
    let file = File::from(file);
    file.set_len(length)?;
    Ok(file)
}
