//! The store as it is read behind a guest that has begun.
//!
//! The guest may be what the process's own executor is running, and wait for what is read here: so it has a thread with an
//! executor and connections of its own, from the first read to the last.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Builder;

use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::fetch::{Job, Run, unpack_error};
use crate::objects::{Apart, Objects};
use crate::packed::ArtifactDigest;

/// Where an artifact's frames are.
pub(crate) struct Source {
    /// The same objects by other connections, for messages.
    objects: Arc<dyn Objects>,
    /// The artifact, for messages.
    artifact: ArtifactDigest,
    /// How long one read may take, retries included.
    patience: Duration,
    reader: Reader,
}

/// Who reads: nobody until something is read, and nobody once there is nothing left to read.
enum Reader {
    Later(Apart),
    Now(Sender<Request>),
    Gone,
}

/// A range of an object, and where its bytes go.
struct Request {
    object: Arc<str>,
    range: Range<u64>,
    answer: Sender<Result<Bytes, ReadError>>,
}

impl Source {
    /// `apart` makes `objects` that are nobody else's.
    pub(crate) fn new(
        (objects, apart): (Arc<dyn Objects>, Apart),
        patience: Duration,
        artifact: ArtifactDigest,
    ) -> Self {
        Self { objects, artifact, patience, reader: Reader::Later(apart) }
    }

    /// Fetches a run of frames and checks each.
    pub(crate) fn frames(&mut self, run: Run) -> Result<Vec<(Job, Bytes)>, ReadError> {
        let Run { object, range, jobs } = run;
        let bytes = self.part(&object, range.clone())?;
        let frames = jobs.into_iter().map(|job| {
            let stored = job.stored(&bytes, range.start);
            let checked = job.frame.check(&stored);
            checked
                .map_err(|error| unpack_error(&*self.objects, &object, &self.artifact, error))?;
            Ok((job, stored))
        });
        frames.collect()
    }

    /// Nothing is read any more: the thread ends, and its connections with it.
    pub(crate) fn close(&mut self) {
        self.reader = Reader::Gone;
    }

    fn part(&mut self, object: &Arc<str>, range: Range<u64>) -> Result<Bytes, ReadError> {
        let url = self.objects.url(object);
        let failed = |error| ReadError::Io { object: url.clone(), source: Arc::new(error) };
        let gone = || failed(io::Error::other("the thread that reads it has ended"));
        let requests = self.requests().map_err(failed)?;
        let (answer, answered) = channel();
        let request = Request { object: Arc::clone(object), range, answer };
        requests.send(request).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// Where requests go; the first one starts the thread.
    fn requests(&mut self) -> io::Result<&Sender<Request>> {
        if let Reader::Later(_) = self.reader
            && let Reader::Later(apart) = std::mem::replace(&mut self.reader, Reader::Gone)
        {
            let (requests, received) = channel();
            let patience = self.patience;
            thread::Builder::new()
                .name("artifact".to_owned())
                .spawn(move || serve(apart, &received, patience))?;
            self.reader = Reader::Now(requests);
        }
        match &self.reader {
            Reader::Now(requests) => Ok(requests),
            Reader::Later(_) | Reader::Gone => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("artifact", &self.artifact).finish_non_exhaustive()
    }
}

/// Reads what is asked for, until nobody asks any more.
fn serve(apart: Apart, requests: &Receiver<Request>, patience: Duration) {
    let executor = Builder::new_current_thread().enable_all().build();
    let reading = executor.and_then(|executor| Ok((executor, apart()?)));
    let reading = reading.map_err(Arc::new);
    for Request { object, range, answer } in requests {
        let part = match &reading {
            Ok((executor, objects)) => {
                let part = objects.part(&object, range, Deadline::after(patience));
                executor.block_on(part).map(|part| part.bytes)
            }
            Err(error) => {
                let source = Arc::<io::Error>::clone(error);
                Err(ReadError::Io { object: object.to_string(), source })
            }
        };
        // Who asked may have gone.
        let _ = answer.send(part);
    }
}
