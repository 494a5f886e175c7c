//! Artifacts whose bytes are not all there when their component starts: pages come when they are touched.
//!
//! Such an artifact is an anonymous file with holes. A thread of its own waits for the kernel to say that a page of a hole
//! has been touched, in machine code or in an instance's memory, has it filled, and lets whoever touched it go on. The
//! kernel's part is `userfaultfd` (<https://docs.kernel.org/admin-guide/mm/userfaultfd.html>); what a page is filled with,
//! and from where, is [`Pages`].
//!
//! *Invariant*: no mapping of the file is read before the kernel watches it. wasmtime maps an instance's memory while it
//! instantiates, and guests run before that ends; so each time that a memory has been made, and before the guest's code is
//! entered, new mappings of the file are looked for ([`Pager::watch_new`]).

#[cfg(target_os = "linux")]
mod kernel;
#[cfg(not(target_os = "linux"))]
#[path = "paging/no_kernel.rs"]
mod kernel;
mod mappings;
mod sections;
#[cfg(feature = "compile")]
mod touched;

use crate::state::State;
use kernel::{Faults, Stop};
use mappings::{Mapping, Mappings};
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use wasmtime::{CallHook, Store};

pub(crate) use sections::not_guest_data;
#[cfg(feature = "compile")]
pub use touched::{Function, Recording};

/// A page, in bytes: what the kernel asks for at once. Artifacts are laid out for it on every target.
pub(crate) const PAGE: u64 = 4096;

/// What the missing bytes of a [`PagedFile`] come from.
pub trait Pages: fmt::Debug + Send + Sync {
    /// Has all bytes of the range in the file, those that are zero too: none of it may be a hole afterwards. The range
    /// is of whole pages.
    ///
    /// # Errors
    /// One ends the process: a guest waits for bytes that nobody can give it.
    fn bring(&self, range: Range<u64>) -> io::Result<()>;

    /// Whether [`Pages::bring`] would wait for nobody but this machine.
    fn is_at_hand(&self, range: &Range<u64>) -> bool;
}

/// An artifact in a file with holes, and who fills them.
#[derive(Debug, Clone)]
pub struct PagedFile {
    /// An anonymous file (`memfd_create`) of the artifact's size.
    pub file: Arc<File>,
    /// Who fills it; nobody else writes to it.
    pub pages: Arc<dyn Pages>,
}

impl PagedFile {
    /// The name by which this process can open the file.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }
}

/// Whether this machine lets a process page its own memory: Linux 5.11 or later, or one whose administrator allows it,
/// with pages of 4 KiB.
pub fn can_page() -> bool {
    Faults::new().is_ok() && rustix::param::page_size() as u64 == PAGE
}

/// Watches the mappings of one file, and fills what is touched.
pub(crate) struct Pager {
    watched: Arc<Watched>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread shares with those who start guests.
struct Watched {
    faults: Faults,
    paged: PagedFile,
    mappings: Mutex<Mappings>,
}

impl Pager {
    /// Watches what is mapped of the file now.
    pub(crate) fn start(paged: PagedFile) -> io::Result<Self> {
        let mappings = Mutex::new(Mappings::of(&paged.file)?);
        let watched = Arc::new(Watched { faults: Faults::new()?, paged, mappings });
        watched.watch_new()?;
        let stop = Arc::new(Stop::new()?);
        let (serving, stopping) = (Arc::clone(&watched), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("pager".to_owned())
            .spawn(move || serving.serve(&stopping))?;
        Ok(Self { watched, stop, thread: Some(thread) })
    }

    /// Has whole pages at these addresses filled, as far as they are mapped from the file. False, and nothing done, where
    /// somebody else would have to be waited for.
    pub(crate) fn bring_at_hand(&self, addresses: &Range<u64>) -> io::Result<bool> {
        let mappings = self.watched.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mapping) = mappings.at(addresses.start) else { return Ok(true) };
        drop(mappings);
        let at = |address: u64| mapping.offset + (address - mapping.addresses.start);
        let range = at(addresses.start)..at(addresses.end.min(mapping.addresses.end));
        let pages = &self.watched.paged.pages;
        if !pages.is_at_hand(&range) {
            return Ok(false);
        }
        pages.bring(range)?;
        Ok(true)
    }

    /// Has new mappings watched whenever a memory was made in the store, before any of its code runs.
    pub(crate) fn attend(self: &Arc<Self>, store: &mut Store<State>) {
        let pager = Arc::clone(self);
        store.call_hook(move |mut context, hook| {
            if matches!(hook, CallHook::CallingWasm) && context.data_mut().limiter.has_new_memory()
            {
                pager.watched.watch_new()?;
            }
            Ok(())
        });
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        self.stop.now();
        if let Some(thread) = self.thread.take() {
            // It ends by itself: an error ends the process.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager").field("paged", &self.watched.paged).finish_non_exhaustive()
    }
}

impl Watched {
    /// Looks for mappings of the file, and has the kernel watch them. Who is watched already stays so.
    fn watch_new(&self) -> io::Result<()> {
        let mut mappings = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        mappings.look()?;
        mappings.each(|mapping| self.faults.watch(mapping))
    }

    /// Fills what is touched until it is told to stop.
    fn serve(&self, stop: &Stop) {
        // Whoever waits for a page would wait for ever, or read zeros.
        let outcome = self.faults.each(stop, |address| self.fill(address));
        if let Err(error) = outcome {
            end_process(&error);
        }
    }

    fn fill(&self, address: u64) -> io::Result<()> {
        let mappings = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        // A mapping that is gone has nobody who waits.
        let Some(Mapping { addresses, offset }) = mappings.at(address) else { return Ok(()) };
        let page = address - address % PAGE;
        let at = offset + (page - addresses.start);
        drop(mappings);
        self.paged.pages.bring(at..at + PAGE)?;
        self.faults.resume(page..page + PAGE)
    }
}

#[expect(clippy::print_stderr, reason = "the process ends here, and nobody after it can say why")]
fn end_process(error: &io::Error) -> ! {
    eprintln!("a page of an artifact cannot be filled: {error}");
    std::process::abort()
}
