//! Which pages of an artifact a guest touches: the artifact is paged in one by one and the pages are noted.

use super::{PAGE, PagedFile, Pages, sections};
use crate::Component;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many bytes memories may begin with beyond those that were touched, for all of them to count as touched. Of a small
/// heap each request touches something else, and a page that is waited for costs a request to the store, which is more than
/// so much unpacked.
const LITTLE: u64 = 1 << 20;

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

    /// The functions of this artifact's component whose pages were touched up to now, in the order of their code. Those that
    /// ran, where the artifact is one of [`compile_apart`](crate::compile::compile_apart); else their neighbours, too.
    ///
    /// # Errors
    /// When the artifact is not one of wasmtime's.
    pub fn functions(&self, component: &Component) -> io::Result<Vec<Function>> {
        let text = sections::text(&self.paged)?;
        let text = text.first().ok_or_else(|| io::Error::other("there is no machine code"))?;
        let touched = self.noted.touched().clone();
        let compiled = component.compiled().functions();
        let ran = compiled.filter(|function| {
            let start = text.start + function.offset as u64;
            pages(start..start + function.len as u64).any(|page| touched.contains(&page))
        });
        let function = |it: wasmtime::ModuleFunction| Function {
            module: it.module.as_u32(),
            index: it.index.as_u32(),
        };
        Ok(ran.map(function).collect())
    }

    /// What was touched up to now, as byte ranges of whole pages, ascending and apart from each other. What memories begin
    /// with counts as touched where no more than 1 MiB else of it is left.
    ///
    /// # Errors
    /// When the artifact is not one of wasmtime's.
    pub fn touched(&self) -> io::Result<Vec<Range<u64>>> {
        let mut touched = self.noted.touched().clone();
        let images = sections::images(&self.paged)?.into_iter().flat_map(pages);
        let is_left = |page: &u64| !touched.contains(page) && !self.noted.is_zeros(*page);
        let left: Vec<u64> = images.filter(is_left).collect();
        if left.len() as u64 * PAGE <= LITTLE {
            touched.extend(left);
        }
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for page in touched {
            match ranges.last_mut() {
                Some(last) if last.end == page => last.end += PAGE,
                _ => ranges.push(page..page + PAGE),
            }
        }
        Ok(ranges)
    }
}

/// A function that a component defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// Which core module of the component it is in, by their order there.
    pub module: u32,
    /// Its index in the module.
    pub index: u32,
}

/// The pages that have these bytes, by where they begin.
fn pages(bytes: Range<u64>) -> impl Iterator<Item = u64> {
    (bytes.start / PAGE..bytes.end.div_ceil(PAGE)).map(|page| page * PAGE)
}

struct Noted {
    artifact: Bytes,
    file: Arc<File>,
    /// Where the pages begin.
    touched: Mutex<BTreeSet<u64>>,
}

impl Noted {
    fn touched(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a page; the last one of the artifact may be shorter.
    fn page(&self, at: u64) -> &[u8] {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(self.artifact.len());
        self.artifact.get(place(at)..place(at + PAGE)).unwrap_or_default()
    }

    fn is_zeros(&self, page: u64) -> bool {
        self.page(page).iter().all(|byte| *byte == 0)
    }
}

impl Pages for Noted {
    fn bring(&self, range: Range<u64>) -> io::Result<()> {
        let mut touched = self.touched();
        for page in pages(range) {
            if touched.insert(page) {
                self.file.write_all_at(self.page(page), page)?;
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

#[cfg(target_os = "linux")]
fn anonymous_file(length: u64) -> io::Result<File> {
    let file = rustix::fs::memfd_create("artifact", rustix::fs::MemfdFlags::CLOEXEC)?;
    let file = File::from(file);
    file.set_len(length)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn anonymous_file(_length: u64) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
