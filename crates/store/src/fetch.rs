//! Fetching an artifact into a file: its description first, then the frames that are not at hand, side by side, each
//! checked and unpacked while the rest arrives.

mod arriving;
mod plan;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fs_err::File;
use futures::stream::{self, StreamExt as _};

use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::layout;
use crate::objects::{Apart, Objects};
use crate::packed::{ArtifactDigest, Description, LABEL_BYTES, Label, UnpackError};
use crate::paged::{PagedArtifact, Source};
use arriving::Arriving;
use plan::Plan;
use work::Workers;

pub(crate) use plan::{Copy, Job, Run, Span};

/// An object up to this size is one request. S3 serves one connection at 80-100 MB/s
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html>), so it takes
/// about 50 ms.
const ONE_REQUEST: u64 = 4 << 20;
/// The first request for a larger one: the description is in it.
const FIRST: u64 = 1 << 20;
/// How many bytes must be left for later for a thread that brings them to be worth it.
const WORTH_PAGING: u64 = 1 << 20;
/// How many requests are under way at once, which also bounds the memory held to this many runs of frames.
const PARALLEL: usize = 6;

/// Names one artifact and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArtifactKey {
    /// The engine's fingerprint.
    pub engine: String,
    /// The CPU target, such as `x86_64`.
    pub target: String,
    /// The digest of the component's Wasm.
    pub component: String,
    /// Its digest and size, from a release that is trusted.
    pub expected: ArtifactDigest,
    /// The size of the stored object as the release has it, in bytes. Only how it is fetched depends on it.
    pub stored_size: u64,
    /// How many bytes at its start a first call needs, as the release has it; 0 where it does not say.
    pub start_size: u64,
}

impl ArtifactKey {
    /// The object's key in the store.
    pub(crate) fn object(&self) -> String {
        layout::artifact(&self.engine, &self.target, &self.component)
    }
}

/// What of an artifact is fetched at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    /// What a first call touches.
    Hot,
}

/// A fetch whose description has arrived.
pub(crate) struct Fetch {
    objects: Arc<dyn Objects>,
    key: ArtifactKey,
    deadline: Deadline,
    started: Instant,
    /// The first request's answer, from the frames on.
    start: Arriving,
    /// Where the frames begin.
    header: u64,
    description: Description,
}

/// What a fetch took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// From the first request to the last byte.
    pub(crate) fetch: Duration,
    /// The work of hashing, decompressing and writing, of all threads together.
    pub(crate) work: Duration,
    pub(crate) bytes: u64,
}

/// What a fetch brought.
struct Gathered {
    cost: Cost,
    /// Frames that were not fetched.
    later: Vec<Run>,
    /// What was not copied from the file that has it.
    copies: Vec<Copy>,
}

/// A file that has some of the bytes.
pub(crate) struct Local {
    pub(crate) file: Arc<File>,
    /// Which, ascending by their place in the base.
    pub(crate) spans: Vec<Span>,
}

impl Fetch {
    /// Asks for the start of the artifact: all that is in scope, if that is not too much for one request.
    pub(crate) async fn begin(
        objects: Arc<dyn Objects>,
        (key, scope): (&ArtifactKey, Scope),
        deadline: Deadline,
    ) -> Result<Self, ReadError> {
        let (started, object) = (Instant::now(), key.object());
        let first = match (scope, key.start_size) {
            (Scope::Hot, 1..=ONE_REQUEST) => key.start_size,
            _ if key.stored_size > ONE_REQUEST => FIRST,
            _ => ONE_REQUEST,
        };
        let mut start = Arriving::new(&objects, &object, first, deadline);
        let text = start.take(0..LABEL_BYTES as u64).await?;
        let damaged = |error| unpack_error(&*objects, &object, &key.expected, error);
        let label = Label::read(&text)
            .filter(|label| label.artifact.expected() == key.expected)
            .ok_or_else(|| damaged(UnpackError::Damaged(what_instead(&text))))?;
        let header = LABEL_BYTES as u64 + label.description as u64;
        if header > first {
            start = Arriving::new(&objects, &object, header, deadline);
        }
        let text = start.take(LABEL_BYTES as u64..header).await?;
        let description = Description::read(&label, &text).map_err(damaged)?;
        let key = key.clone();
        Ok(Self { objects, key, deadline, started, start, header, description })
    }

    /// What the artifact says of itself.
    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// Writes the whole artifact to a new file that has its length already.
    pub(crate) async fn write_to(
        mut self,
        file: &Arc<File>,
        local: Option<Local>,
    ) -> Result<Cost, ReadError> {
        Ok(self.gather((file, Scope::All), local.as_ref()).await?.cost)
    }

    /// Whether so much of the artifact is not touched by a first call that it is worth to begin without it.
    pub(crate) fn can_begin_early(&self) -> bool {
        let size = |hot| {
            let frames = self.description.all_frames().filter(|frame| frame.hot == hot);
            frames.map(|frame| u64::from(frame.size)).sum::<u64>()
        };
        size(true) > 0 && size(false) >= WORTH_PAGING
    }

    /// Writes what a first call touches to a new file of holes that has its length already. The rest is fetched when
    /// somebody asks for it.
    pub(crate) async fn page_to(
        mut self,
        file: File,
        (local, apart): (Option<Local>, Apart),
    ) -> Result<(PagedArtifact, Cost), ReadError> {
        let file = Arc::new(file);
        let Gathered { cost, later, copies } =
            self.gather((&file, Scope::Hot), local.as_ref()).await?;
        let local = local.map(|local| local.file);
        let objects = (Arc::clone(&self.objects), apart);
        let source = Source::new(objects, self.deadline.within(), self.key.expected.clone());
        let paged = PagedArtifact::new((file, local), self.description, (source, later, copies));
        let object = || self.objects.url(&self.key.object());
        let failed = |error| ReadError::Disk { object: object(), source: Arc::new(error) };
        Ok((paged.map_err(failed)?, cost))
    }

    /// Fetches what the scope says, and writes it.
    async fn gather(
        &mut self,
        (file, scope): (&Arc<File>, Scope),
        local: Option<&Local>,
    ) -> Result<Gathered, ReadError> {
        let spans = local.map_or(&[][..], |local| &local.spans);
        let Plan { own, base, copies } = Plan::new(&self.description, self.header, spans);
        let is_now = |job: &Job| scope == Scope::All || job.frame.hot;
        let (own, own_later): (Vec<_>, Vec<_>) = own.into_iter().partition(is_now);
        let (base, base_later): (Vec<_>, Vec<_>) = base.into_iter().partition(is_now);
        let (now, copies): (Vec<_>, Vec<_>) =
            copies.into_iter().partition(|copy| scope == Scope::All || copy.hot);
        let mut workers = Workers::start(own.len() + base.len(), file);
        let copying = local.map(|local| work::copy(Arc::clone(&local.file), Arc::clone(file), now));
        let object: Arc<str> = self.key.object().into();
        let base_object: Arc<str> = self.base_object().unwrap_or_default().into();
        let (first, rest): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|job| job.end() <= self.start.end());
        let mut runs = plan::runs(&object, rest, plan::RUN);
        runs.extend(plan::runs(&base_object, base, plan::RUN));
        let mut later = plan::runs(&object, own_later, plan::LATER);
        later.extend(plan::runs(&base_object, base_later, plan::LATER));
        let bytes = self.receive_start(first, (&object, &mut workers)).await?
            + self.receive(runs, &mut workers).await?;
        let fetch = self.started.elapsed();
        let judge = |(object, error): (Arc<str>, UnpackError)| {
            unpack_error(&*self.objects, &object, &self.key.expected, error)
        };
        let work = workers.finish(&object, copying).await.map_err(judge)?;
        Ok(Gathered { cost: Cost { fetch, work, bytes }, later, copies })
    }

    /// Has these frames unpacked while they arrive; gives the bytes that came.
    async fn receive_start(
        &mut self,
        jobs: Vec<Job>,
        (object, workers): (&Arc<str>, &mut Workers),
    ) -> Result<u64, ReadError> {
        for job in jobs {
            let stored = self.start.take(job.at..job.end()).await?;
            if !workers.take(object, job, stored).await {
                // The work says why.
                return Ok(self.start.arrived());
            }
        }
        self.start.finish().await;
        Ok(self.start.arrived())
    }

    /// Fetches these runs side by side, and has their frames unpacked; gives the bytes that came.
    async fn receive(&mut self, runs: Vec<Run>, workers: &mut Workers) -> Result<u64, ReadError> {
        let (objects, deadline) = (&self.objects, self.deadline);
        let mut arriving = stream::iter(runs)
            .map(|run: Run| async move {
                let part = objects.part(&run.object, run.range.clone(), deadline).await;
                part.map(|part| (run, part.bytes))
            })
            .buffered(PARALLEL);
        let (mut bytes, mut taken) = (0, true);
        while taken && let Some((run, part)) = arriving.next().await.transpose()? {
            bytes += part.len() as u64;
            for job in run.jobs {
                let stored = job.stored(&part, run.range.start);
                // Work that has failed says why.
                taken = taken && workers.take(&run.object, job, stored).await;
            }
        }
        Ok(bytes)
    }

    fn base_object(&self) -> Option<String> {
        let base = self.description.base.as_ref()?;
        Some(layout::artifact(&self.key.engine, &self.key.target, &base.component))
    }
}

/// What an object is that has not the expected label.
fn what_instead(start: &[u8]) -> String {
    match Label::read(start) {
        Some(label) => format!("{} ({} bytes)", label.artifact.digest, label.artifact.size),
        None => "no artifact of this version's form".to_owned(),
    }
}

/// The error for a stored artifact that did not unpack.
pub(crate) fn unpack_error(
    objects: &dyn Objects,
    key: &str,
    expected: &ArtifactDigest,
    error: UnpackError,
) -> ReadError {
    let object = objects.url(key);
    match error {
        UnpackError::Damaged(found) => {
            let expected = format!("{} ({} bytes)", expected.digest, expected.size);
            ReadError::Corrupt { object, expected, found }
        }
        UnpackError::Output(error) => ReadError::Disk { object, source: Arc::new(error) },
    }
}
