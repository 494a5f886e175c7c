//! Unpacking: what has arrived is hashed, decompressed and written, by threads of its own unless it is little.

use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fs_err::File;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::plan::{Copy, Job};
use crate::packed::{UnpackError, Unpacker};

/// Frames that wait to be unpacked.
const WAITING: usize = 8;
/// A thread for so many frames at least.
const FRAMES_PER_THREAD: usize = 4;
/// So few frames, of half a millisecond to a whole one each, are unpacked where they arrive: no thread is there sooner.
const FEW: usize = 6;
/// What is copied at once.
const COPY: usize = 256 << 10;

/// A frame that has arrived, and the object that it is from.
type Arrived = (Arc<str>, Job, Bytes);
type Outcome = Result<Duration, (Arc<str>, UnpackError)>;

/// Who unpacks what arrives, and the patches that wait until what they are of is there.
pub(super) struct Workers {
    file: Arc<File>,
    who: Who,
    patches: Vec<Arrived>,
}

enum Who {
    /// Whoever has the frame.
    Here(Unpacking),
    /// Threads that take frames from one queue.
    Threads { queue: mpsc::Sender<Arrived>, threads: Vec<JoinHandle<Outcome>> },
}

/// One who unpacks, and what came of it.
struct Unpacking {
    file: Arc<File>,
    unpacker: Option<Unpacker>,
    outcome: Outcome,
}

impl Unpacking {
    fn new(file: Arc<File>) -> Self {
        Self { file, unpacker: None, outcome: Ok(Duration::ZERO) }
    }

    /// Unpacks a frame, unless one before it failed. False when the work has failed.
    fn take(&mut self, (object, job, stored): Arrived) -> bool {
        let Ok(worked) = &mut self.outcome else { return false };
        let started = Instant::now();
        let done = unpack(&mut self.unpacker, &job, &stored, &self.file);
        *worked += started.elapsed();
        if let Err(error) = done {
            self.outcome = Err((object, error));
        }
        self.outcome.is_ok()
    }
}

impl Workers {
    /// Starts as many as so many frames are worth.
    pub(super) fn start(frames: usize, file: &Arc<File>) -> Self {
        Self { file: Arc::clone(file), who: Who::start(frames, file), patches: Vec::new() }
    }

    /// Gives one of them a frame of an object. False when the work has failed.
    pub(super) async fn take(&mut self, object: &Arc<str>, job: Job, stored: Bytes) -> bool {
        let is_patch = job.frame.patch;
        let arrived = (Arc::clone(object), job, stored);
        if is_patch {
            self.patches.push(arrived);
            return true;
        }
        self.who.take(arrived).await
    }

    /// Waits until all is done, `copying` too; the time that it took all together. `object` is named where no frame is at
    /// fault.
    pub(super) async fn finish(
        self,
        object: &Arc<str>,
        copying: Option<impl Future<Output = Result<Duration, UnpackError>>>,
    ) -> Outcome {
        let Self { file, who, patches } = self;
        let mut worked = who.finish(object).await?;
        if let Some(copying) = copying {
            worked += copying.await.map_err(|error| (Arc::clone(object), error))?;
        }
        let mut who = Who::start(patches.len(), &file);
        for patch in patches {
            if !who.take(patch).await {
                // The end says why.
                break;
            }
        }
        worked += who.finish(object).await?;
        Ok(worked)
    }
}

impl Who {
    fn start(frames: usize, file: &Arc<File>) -> Self {
        if frames <= FEW {
            return Self::Here(Unpacking::new(Arc::clone(file)));
        }
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let count = frames.div_ceil(FRAMES_PER_THREAD).min(processors);
        let (queue, waiting) = mpsc::channel(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        let threads = (0..count).map(|_| {
            let (waiting, file) = (Arc::clone(&waiting), Arc::clone(file));
            spawn_blocking(move || work(&waiting, file))
        });
        Self::Threads { queue, threads: threads.collect() }
    }

    async fn take(&mut self, arrived: Arrived) -> bool {
        match self {
            Self::Here(unpacking) => unpacking.take(arrived),
            Self::Threads { queue, .. } => queue.send(arrived).await.is_ok(),
        }
    }

    async fn finish(self, object: &Arc<str>) -> Outcome {
        let (queue, threads) = match self {
            Self::Here(unpacking) => return unpacking.outcome,
            Self::Threads { queue, threads } => (queue, threads),
        };
        drop(queue);
        let mut worked = Duration::ZERO;
        for thread in threads {
            worked += thread.await.map_err(|error| {
                (Arc::clone(object), UnpackError::Output(std::io::Error::other(error)))
            })??;
        }
        Ok(worked)
    }
}

fn work(waiting: &Mutex<mpsc::Receiver<Arrived>>, file: Arc<File>) -> Outcome {
    let lock = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let mut unpacking = Unpacking::new(file);
    loop {
        let next = lock().blocking_recv();
        let Some(arrived) = next else { return unpacking.outcome };
        if !unpacking.take(arrived) {
            lock().close();
            return unpacking.outcome;
        }
    }
}

fn unpack(
    unpacker: &mut Option<Unpacker>,
    job: &Job,
    stored: &[u8],
    file: &File,
) -> Result<(), UnpackError> {
    let unpacker = match unpacker {
        Some(unpacker) => unpacker,
        None => unpacker.insert(Unpacker::new()?),
    };
    job.frame.check(stored)?;
    unpacker.unpack((&job.frame, stored), &job.pieces, file)
}

/// Begins to copy pieces from one file to another; gives the time that it took.
pub(super) fn copy(
    from: Arc<File>,
    to: Arc<File>,
    copies: Vec<Copy>,
) -> impl Future<Output = Result<Duration, UnpackError>> {
    let copying = spawn_blocking(move || {
        let started = Instant::now();
        let mut buffer = vec![0; COPY];
        for Copy { from: mut source, to: mut place, length, .. } in copies {
            let mut left = usize::try_from(length).unwrap_or(usize::MAX);
            while left > 0 {
                let (chunk, _) = buffer.split_at_mut(left.min(COPY));
                from.file().read_exact_at(chunk, source)?;
                to.file().write_all_at(chunk, place)?;
                left -= chunk.len();
                source += chunk.len() as u64;
                place += chunk.len() as u64;
            }
        }
        Ok(started.elapsed())
    });
    async move { copying.await.map_err(std::io::Error::other)? }
}
