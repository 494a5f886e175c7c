//! The store as it is read behind a guest that has begun.
//!
//! The guest may be what the process's own executor is running, and wait for what is read here: so it has an executor, a
//! thread and connections of its own.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::fetch::{Job, Run, unpack_error};
use crate::objects::Objects;
use crate::packed::ArtifactDigest;

/// Where an artifact's frames are.
#[derive(Debug)]
pub(crate) struct Source {
    objects: Arc<dyn Objects>,
    /// How long one read may take, retries included.
    patience: Duration,
    /// The artifact, for messages.
    artifact: ArtifactDigest,
    /// Made when it is needed.
    executor: Option<Runtime>,
}

impl Source {
    /// `objects` are nobody else's; see [`Objects::apart`].
    pub(crate) fn new(
        objects: Arc<dyn Objects>,
        patience: Duration,
        artifact: ArtifactDigest,
    ) -> Self {
        Self { objects, patience, artifact, executor: None }
    }

    /// Fetches a run of frames and checks each.
    pub(crate) fn frames(&mut self, run: Run) -> Result<Vec<(Job, Bytes)>, ReadError> {
        let Run { object, range, jobs } = run;
        let bytes = self.part(&object, range.start..range.end)?;
        let place =
            |at: u64| usize::try_from(at - range.start).unwrap_or(usize::MAX).min(bytes.len());
        let frames = jobs.into_iter().map(|job| {
            let stored = bytes.slice(place(job.at)..place(job.end()));
            let checked = job.frame.check(&stored);
            checked
                .map_err(|error| unpack_error(&*self.objects, &object, &self.artifact, error))?;
            Ok((job, stored))
        });
        frames.collect()
    }

    /// Reads a range of an object. On a thread of its own, since this one may be inside another executor.
    fn part(&mut self, object: &str, range: std::ops::Range<u64>) -> Result<Bytes, ReadError> {
        let failed = |error: io::Error| ReadError::Disk {
            object: self.objects.url(object),
            source: Arc::new(error),
        };
        let executor = match self.executor.take() {
            Some(executor) => executor,
            None => Builder::new_current_thread().enable_all().build().map_err(failed)?,
        };
        let (objects, patience) = (Arc::clone(&self.objects), self.patience);
        let key = object.to_owned();
        let reading = thread::Builder::new().name("artifact".to_owned()).spawn(move || {
            let part = objects.part(&key, range, Deadline::after(patience));
            let part = executor.block_on(part);
            (part, executor)
        });
        let read = reading.and_then(|reading| {
            reading.join().map_err(|_| io::Error::other("the thread that reads it panicked"))
        });
        let (part, executor) = read.map_err(failed)?;
        self.executor = Some(executor);
        part.map(|part| part.bytes)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // An executor must not wait for its end inside another one.
        if let Some(executor) = self.executor.take() {
            executor.shutdown_background();
        }
    }
}
