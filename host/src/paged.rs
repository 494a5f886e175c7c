//! Artifacts that begin before all of them is there: whether this machine can, when the rest comes, and the file that is
//! made of it.
//!
//! The store has the bytes and the engine knows which are touched; here they meet.

use crate::config::{Config, Level};
use crate::error::chain;
use crate::telemetry::{self, NoDetails, Tags};
use lambkin_engine::{PagedFile, Pages};
use lambkin_store::{ArtifactKey, Cache, PagedArtifact, Paging, SMALLEST_PAGED};
use std::error::Error;
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A function of so much memory has a whole processor
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>), and so something to spare for a file that
/// a later load may want; a smaller one would take it from its invocations.
const WHOLE_PROCESSOR_MB: u32 = 1769;

/// A function of less memory has less than a third of a processor, which its first invocations want.
const THIRD_MB: u32 = 512;

/// When the rest is fetched: the first answer is on its way by then.
const LATER: Duration = Duration::from_millis(250);
/// The same for a function of less than a third of a processor.
const MUCH_LATER: Duration = Duration::from_secs(5);

/// What is done with artifacts that can be paged.
#[derive(Debug)]
pub(crate) struct Settings {
    /// One invocation at a time, on one thread. Where several threads make instances, memory that one has found to be an
    /// artifact's may be another's by the time that the kernel is told to watch it.
    is_alone: bool,
    later: Duration,
    keep: bool,
    /// Whether the machine can page, once it has been tried.
    can_page: OnceLock<bool>,
}

impl Settings {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            is_alone: config.concurrency <= 1,
            later: if config.memory_mb < THIRD_MB { MUCH_LATER } else { LATER },
            keep: config.memory_mb >= WHOLE_PROCESSOR_MB,
            can_page: OnceLock::new(),
        }
    }

    /// Whether an artifact of so many bytes is paged in this process.
    pub(crate) fn of(&self, size: u64) -> Paging {
        let can_page = || *self.can_page.get_or_init(lambkin_engine::can_page);
        let is_paged = self.is_alone && size >= SMALLEST_PAGED && can_page();
        if is_paged { Paging::Yes } else { Paging::No }
    }

    /// Has the rest of the artifact fetched in a while, and all of it written to the disk cache where that takes nothing
    /// from invocations.
    pub(crate) fn complete_later(
        &self,
        cache: &Cache,
        key: &ArtifactKey,
        paged: &Arc<PagedArtifact>,
    ) {
        let (cache, key, paged) = (cache.clone(), key.clone(), Arc::downgrade(paged));
        let (later, keep) = (self.later, self.keep);
        tokio::spawn(async move {
            tokio::time::sleep(later).await;
            // Nobody uses it any more.
            let Some(paged) = paged.upgrade() else { return };
            if let Err(error) = complete((cache, keep), &key, paged).await {
                let message = format!("not all of an artifact came: {}", chain(&*error));
                telemetry::log(Level::Warn, &message, &Tags::default(), NoDetails {});
            }
        });
    }
}

async fn complete(
    (cache, keep): (Cache, bool),
    key: &ArtifactKey,
    paged: Arc<PagedArtifact>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let fetched = Arc::clone(&paged);
    tokio::task::spawn_blocking(move || fetched.fetch_rest()).await??;
    if keep {
        cache.keep(key, &paged).await?;
    }
    Ok(())
}

/// What the engine loads.
pub(crate) fn file(paged: &Arc<PagedArtifact>) -> io::Result<PagedFile> {
    Ok(PagedFile { file: Arc::new(paged.file()?), pages: Arc::new(Filled(Arc::clone(paged))) })
}

/// The store's artifact as the engine asks for it.
#[derive(Debug)]
struct Filled(Arc<PagedArtifact>);

impl Pages for Filled {
    fn bring(&self, range: Range<u64>) -> io::Result<()> {
        self.0.bring(range)
    }

    fn is_at_hand(&self, range: &Range<u64>) -> bool {
        self.0.is_at_hand(range)
    }
}
