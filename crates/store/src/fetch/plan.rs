//! What is fetched, from where, in which requests; what is copied from a file that is there.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::packed::{Description, Frame, From, Piece};

/// The most bytes of one request after the first.
pub(super) const RUN: u64 = 2 << 20;
/// The most bytes of a request that a guest waits for: it wants a page of them.
pub(super) const LATER: u64 = 256 << 10;
/// Bytes that nobody needs are fetched along when they are fewer than this: a request costs more.
const GAP: u64 = 64 << 10;

/// Bytes of a base, and where a file has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where they are in the base.
    pub(crate) base: u64,
    /// Where they are in the file.
    pub(crate) at: u64,
    pub(crate) length: u64,
}

impl Span {
    /// What the file of an artifact has of its base; of itself, where it has none.
    pub(crate) fn of(description: &Description) -> Vec<Self> {
        Self::of_those(description, |_| true)
    }

    /// The same of those pieces alone that are wanted, by where they begin.
    pub(crate) fn of_those(description: &Description, wanted: impl Fn(u64) -> bool) -> Vec<Self> {
        let alone = description.base.is_none();
        let pieces = description.pieces.iter().filter(|piece| wanted(piece.at));
        let spans = pieces.filter_map(|piece| {
            let base = match piece.from {
                From::Base { at, .. } => at,
                From::Own { .. } if alone => piece.at,
                From::Own { .. } => return None,
            };
            Some(Self { base, at: piece.at, length: piece.length.into() })
        });
        let mut spans: Vec<Self> = spans.collect();
        spans.sort_unstable_by_key(|span| span.base);
        spans.dedup_by(|next, span| {
            let follows = span.base + span.length == next.base && span.at + span.length == next.at;
            if follows {
                span.length += next.length;
            }
            follows
        });
        spans
    }
}

/// A frame to be fetched, its place in its object, and the pieces to be made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) at: u64,
    pub(crate) frame: Frame,
    pub(crate) pieces: Vec<Piece>,
}

impl Job {
    pub(crate) fn end(&self) -> u64 {
        self.at + u64::from(self.frame.stored)
    }

    /// The frame in the bytes of its object from `start` on; less of it where they end before.
    pub(crate) fn stored(&self, bytes: &Bytes, start: u64) -> Bytes {
        let place = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX).min(bytes.len());
        bytes.slice(place(self.at)..place(self.end()))
    }
}

/// A piece that a file has at `from`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) length: u64,
    /// Whether a first call touches some of it.
    pub(crate) hot: bool,
}

/// Everything there is to do.
#[derive(Debug)]
pub(super) struct Plan {
    /// In their order in the artifact's own object.
    pub(super) own: Vec<Job>,
    /// In their order in the base's object.
    pub(super) base: Vec<Job>,
    pub(super) copies: Vec<Copy>,
}

impl Plan {
    /// Plans for an object whose frames begin at `header`, with what a file has.
    pub(super) fn new(description: &Description, header: u64, spans: &[Span]) -> Self {
        let job = |at, frame: &Frame| Job { at, frame: frame.clone(), pieces: Vec::new() };
        let frames = description.frames.iter();
        let mut own: Vec<Job> = frames.map(|frame| job(header + frame.at, frame)).collect();
        let frames = description.base.iter().flat_map(|base| &base.frames);
        let mut base: Vec<Job> = frames.map(|frame| job(frame.at, frame)).collect();
        let mut copies = Vec::new();
        for piece in description.pieces.iter().chain(&description.references) {
            let job = match piece.from {
                From::Own { frame } => own.get_mut(frame as usize),
                From::Base { frame, at } => match place(spans, at, piece.length.into()) {
                    Some(from) => {
                        let (to, length) = (piece.at, piece.length.into());
                        let hot = base.get(frame as usize).is_some_and(|job| job.frame.hot);
                        copies.push(Copy { from, to, length, hot });
                        None
                    }
                    None => base.get_mut(frame as usize),
                },
            };
            if let Some(job) = job {
                job.pieces.push(*piece);
            }
        }
        base.retain(|job| !job.pieces.is_empty());
        Self { own, base, copies }
    }
}

/// Where a file has these bytes of the base.
fn place(spans: &[Span], at: u64, length: u64) -> Option<u64> {
    let after = spans.partition_point(|span| span.base <= at);
    let span = spans.get(after.checked_sub(1)?)?;
    let offset = at - span.base;
    (offset + length <= span.length).then_some(span.at + offset)
}

/// One request, and what is made of its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) object: Arc<str>,
    pub(crate) range: Range<u64>,
    pub(crate) jobs: Vec<Job>,
}

/// Puts frames that lie together into one request, of at most so many bytes.
pub(super) fn runs(object: &Arc<str>, jobs: Vec<Job>, most: u64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for job in jobs {
        let (at, end) = (job.at, job.end());
        match runs.last_mut() {
            Some(run) if at - run.range.end <= GAP && end - run.range.start <= most => {
                run.range.end = end;
                run.jobs.push(job);
            }
            _ => runs.push(Run { object: Arc::clone(object), range: at..end, jobs: vec![job] }),
        }
    }
    runs
}
