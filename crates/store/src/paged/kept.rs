//! What is not in the file yet: frames that are in the store or have arrived, and other files that have some of it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use fs_err::File;

use crate::fetch::{Job, Run};
use crate::packed::{UnpackError, Unpacker};

/// Where the rest of an artifact is.
#[derive(Debug)]
pub(super) struct Kept {
    runs: Vec<Frames>,
    /// Another artifact's file, which stays on disk as long.
    local: Option<Arc<File>>,
    /// The whole artifact's file, once there is one.
    whole: Option<Arc<File>>,
    /// Made for the first frame.
    unpacker: Option<Unpacker>,
}

/// Frames that are fetched together.
#[derive(Debug)]
enum Frames {
    Away(Run),
    /// Checked; those that are unpacked are gone.
    Here(Vec<Option<Frame>>),
}

/// A frame's place and pieces, and its compressed bytes.
type Frame = (Job, Bytes);

/// The number of a run that must be fetched first.
pub(super) struct Missing(pub(super) usize);

impl Kept {
    pub(super) fn new(runs: Vec<Run>, local: Option<Arc<File>>) -> Self {
        let runs = runs.into_iter().map(Frames::Away).collect();
        Self { runs, local, whole: None, unpacker: None }
    }

    /// Everything is in one file.
    pub(super) fn all_in(whole: Arc<File>) -> Self {
        Self { runs: Vec::new(), local: None, whole: Some(whole), unpacker: None }
    }

    pub(super) fn whole(&self) -> Option<&Arc<File>> {
        self.whole.as_ref()
    }

    /// The other artifact's file.
    pub(super) fn local(&self) -> io::Result<&Arc<File>> {
        self.local.as_ref().ok_or(io::ErrorKind::NotFound.into())
    }

    /// How many runs there are.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Whether a run is still in the store.
    pub(super) fn is_away(&self, run: usize) -> bool {
        matches!(self.runs.get(run), Some(Frames::Away(_)))
    }

    /// What to fetch for a run; nothing when it is here.
    pub(super) fn away(&self, run: usize) -> Option<Run> {
        match self.runs.get(run)? {
            Frames::Away(away) => Some(away.clone()),
            Frames::Here(_) => None,
        }
    }

    /// A run is here.
    pub(super) fn arrived(&mut self, run: usize, frames: Vec<Frame>) {
        if let Some(place) = self.runs.get_mut(run) {
            *place = Frames::Here(frames.into_iter().map(Some).collect());
        }
    }

    /// A frame by the number of its run, which must be here, and its number in that; none when it has been unpacked.
    pub(super) fn frame(&self, (run, number): (usize, usize)) -> io::Result<Option<Frame>> {
        match self.runs.get(run) {
            Some(Frames::Here(frames)) => Ok(frames.get(number).cloned().flatten()),
            Some(Frames::Away(_)) | None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Unpacks a frame into the file, unless it has been.
    pub(super) fn unpack(
        &mut self,
        (run, number): (usize, usize),
        file: &File,
    ) -> io::Result<Result<(), Missing>> {
        let frame = match self.runs.get_mut(run) {
            Some(Frames::Away(_)) => return Ok(Err(Missing(run))),
            Some(Frames::Here(frames)) => frames.get_mut(number).and_then(Option::take),
            None => None,
        };
        if let Some((job, stored)) = frame {
            let unpacker = match &mut self.unpacker {
                Some(unpacker) => unpacker,
                none => none.insert(Unpacker::new()?),
            };
            unpack(unpacker, (&job, &stored), file)?;
        }
        Ok(Ok(()))
    }
}

/// Unpacks a frame that is checked.
pub(super) fn unpack(
    unpacker: &mut Unpacker,
    (job, stored): (&Job, &[u8]),
    file: &File,
) -> io::Result<()> {
    let outcome = unpacker.unpack((&job.frame, stored), &job.pieces, file);
    outcome.map_err(|error| match error {
        UnpackError::Output(error) => error,
        UnpackError::Damaged(_) => io::Error::other(error),
    })
}
