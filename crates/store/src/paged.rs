//! An artifact in memory of which only some is fetched and unpacked: the rest when somebody asks for it.
//!
//! A guest begins with what a first call touches. Who maps the file and asks for what is touched beyond that is the
//! engine; see its `Pages`.

mod holes;
mod kept;
mod source;

use std::fs::File as StdFile;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_err::File;

use crate::error::ReadError;
use crate::fetch::{Copy, Run};
use crate::packed::{Description, Unpacker};
pub(crate) use holes::file_of_holes;
use kept::{Kept, Missing, unpack};
pub(crate) use source::Source;

/// What is brought around a page that is asked for, where that costs no unpacking: what the kernel maps around a page.
const AROUND: u64 = 64 << 10;

/// An artifact in a file with holes, and what belongs into them.
#[derive(Debug)]
pub struct PagedArtifact {
    file: Arc<File>,
    description: Description,
    /// What is not all zeros, ascending.
    places: Vec<Place>,
    kept: Mutex<Kept>,
    source: Mutex<Source>,
}

/// Bytes of the artifact, and where they are.
#[derive(Debug)]
struct Place {
    at: u64,
    length: u64,
    from: From,
}

impl Place {
    fn end(&self) -> u64 {
        self.at + self.length
    }
}

#[derive(Clone, Copy, Debug)]
enum From {
    /// In the file since the start.
    There,
    /// A frame, by the number of its run and its number in that.
    Frame { run: usize, number: usize },
    /// Another artifact's file, from here on.
    Local(u64),
}

impl PagedArtifact {
    /// Of a file that has what a first call touches. What is left: frames that are not fetched, and what the other
    /// artifact's file has.
    pub(crate) fn new(
        (file, local): (Arc<File>, Option<Arc<File>>),
        description: Description,
        (source, runs, copies): (Source, Vec<Run>, Vec<Copy>),
    ) -> io::Result<Self> {
        for zeros in &description.hot_zeros {
            holes::fill(&file, zeros.at, zeros.length)?;
        }
        let mut places = later(&runs, copies);
        let left: Vec<u64> = places.iter().map(|place| place.at).collect();
        for piece in &description.pieces {
            if left.binary_search(&piece.at).is_err() {
                let (at, length) = (piece.at, piece.length.into());
                places.push(Place { at, length, from: From::There });
            }
        }
        places.sort_unstable_by_key(|place| place.at);
        let kept = Mutex::new(Kept::new(runs, local));
        Ok(Self { file, description, places, kept, source: Mutex::new(source) })
    }

    /// Whether what begins here has been in the file since the start.
    pub(crate) fn is_there(&self, at: u64) -> bool {
        let place = self.places.binary_search_by_key(&at, |place| place.at);
        let place = place.ok().and_then(|place| self.places.get(place));
        place.is_some_and(|place| matches!(place.from, From::There))
    }

    /// The file with holes.
    pub(crate) fn shared_file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// What the artifact says of itself.
    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// The file with holes, opened once more.
    ///
    /// # Errors
    /// When this process may open no more files.
    pub fn file(&self) -> io::Result<StdFile> {
        self.file.file().try_clone()
    }

    /// Has these bytes in the file, zeros too: none of them is a hole afterwards. Waits for the store where they are
    /// still there.
    ///
    /// # Errors
    /// When there is no memory left, another artifact's file cannot be read, or the store does not give what is missing.
    pub fn bring(&self, range: Range<u64>) -> io::Result<()> {
        while let Err(Missing(run)) = self.bring_what_is_here(&range)? {
            self.fetch(run).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Whether all of these bytes are on this machine.
    pub fn is_at_hand(&self, range: &Range<u64>) -> bool {
        let kept = self.kept();
        let first = self.places.partition_point(|place| place.end() <= range.start);
        let mut places = self.places.iter().skip(first).take_while(|place| place.at < range.end);
        places.all(|place| match place.from {
            From::Frame { run, .. } => !kept.is_away(run),
            From::There | From::Local(_) => true,
        })
    }

    /// Fetches what is still in the store, so that nobody has to wait for that.
    ///
    /// # Errors
    /// When the store does not give it; what came until then stays.
    pub fn fetch_rest(&self) -> Result<(), ReadError> {
        let runs = self.kept().runs();
        (0..runs).try_for_each(|run| self.fetch(run))?;
        self.source.lock().unwrap_or_else(PoisonError::into_inner).close();
        Ok(())
    }

    fn bring_what_is_here(&self, range: &Range<u64>) -> io::Result<Result<(), Missing>> {
        let mut kept = self.kept();
        if let Some(whole) = kept.whole() {
            let (start, end) = (range.start - range.start % AROUND, self.around(range.end));
            copy((whole, start), (&self.file, start), end - start)?;
            return Ok(Ok(()));
        }
        let first = self.places.partition_point(|place| place.end() <= range.start);
        let before = first.checked_sub(1).and_then(|before| self.places.get(before));
        let mut at = before.map_or(0, Place::end).max(range.start - range.start % AROUND);
        for place in self.places.iter().skip(first) {
            self.clear(at..place.at.min(self.around(range.end)))?;
            if place.at >= range.end {
                return Ok(Ok(()));
            }
            if let Err(missing) = self.bring_from(place, range, &mut kept)? {
                return Ok(Err(missing));
            }
            at = place.end();
        }
        self.clear(at..self.around(range.end))?;
        Ok(Ok(()))
    }

    /// Where what is brought around the page before `end` ends.
    fn around(&self, end: u64) -> u64 {
        end.next_multiple_of(AROUND).min(self.description.size)
    }

    /// Makes pages of zeros where there are holes; what is there stays.
    fn clear(&self, range: Range<u64>) -> io::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let length = range.end - range.start;
        holes::fill(&self.file, range.start, length)
    }

    fn bring_from(
        &self,
        place: &Place,
        range: &Range<u64>,
        kept: &mut Kept,
    ) -> io::Result<Result<(), Missing>> {
        match place.from {
            From::There => {}
            From::Frame { run, number } => return kept.unpack((run, number), &self.file),
            From::Local(from) => {
                let start = place.at.max(range.start - range.start % AROUND);
                let end = place.end().min(self.around(range.end));
                copy((kept.local()?, from + (start - place.at)), (&self.file, start), end - start)?;
            }
        }
        Ok(Ok(()))
    }

    /// Fetches a run of frames, unless it is here. One at a time: who comes meanwhile may want the same.
    fn fetch(&self, run: usize) -> Result<(), ReadError> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(away) = self.kept().away(run) else { return Ok(()) };
        let frames = source.frames(away)?;
        self.kept().arrived(run, frames);
        Ok(())
    }

    /// Writes the whole artifact to a new file that has its length already. Nothing of it is in the store any more; see
    /// [`PagedArtifact::fetch_rest`].
    pub(crate) fn write_to(&self, whole: &File) -> io::Result<()> {
        let mut unpacker = Unpacker::new()?;
        for place in &self.places {
            match place.from {
                From::Frame { run, number } => {
                    let frame = self.kept().frame((run, number))?;
                    match frame {
                        // All pieces of the frame at once, with the first of them.
                        Some((job, stored)) => {
                            if job.pieces.first().is_some_and(|piece| piece.at == place.at) {
                                unpack(&mut unpacker, (&job, &stored), whole)?;
                            }
                        }
                        // It has been unpacked.
                        None => copy((&self.file, place.at), (whole, place.at), place.length)?,
                    }
                }
                From::Local(from) => {
                    let local = Arc::clone(self.kept().local()?);
                    copy((&local, from), (whole, place.at), place.length)?;
                }
                From::There => copy((&self.file, place.at), (whole, place.at), place.length)?,
            }
        }
        Ok(())
    }

    /// Takes what is missing from here on from the whole artifact's file, and lets go of all else.
    pub(crate) fn read_from(&self, whole: Arc<File>) {
        *self.kept() = Kept::all_in(whole);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes later, ascending.
fn later(runs: &[Run], copies: Vec<Copy>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for copy in copies {
        places.push(Place { at: copy.to, length: copy.length, from: From::Local(copy.from) });
    }
    for (run, jobs) in runs.iter().map(|run| &run.jobs).enumerate() {
        for (number, job) in jobs.iter().enumerate() {
            let from = From::Frame { run, number };
            let pieces = job.pieces.iter();
            places.extend(pieces.map(|it| Place { at: it.at, length: it.length.into(), from }));
        }
    }
    places.sort_unstable_by_key(|place| place.at);
    places
}

fn copy((from, start): (&File, u64), (to, at): (&File, u64), length: u64) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(length.min(AROUND)).map_err(io::Error::other)?];
    let mut done = 0;
    while done < length {
        let chunk = usize::try_from(length - done).unwrap_or(usize::MAX).min(buffer.len());
        let (chunk, _) = buffer.split_at_mut(chunk);
        from.file().read_exact_at(chunk, start + done)?;
        to.file().write_all_at(chunk, at + done)?;
        done += chunk.len() as u64;
    }
    Ok(())
}
