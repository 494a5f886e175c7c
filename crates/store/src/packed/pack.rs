//! From an artifact's bytes to its stored form: what its base has is named, the rest is compressed.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::ops::Range;
use std::thread;

use sha2::{Digest as _, Sha256};
use zstd::bulk::Compressor;

use super::base::{BaseBlocks, Digest, Place, SMALLEST_BASE};
use super::description::Base;
use super::{
    BLOCK, Description, FRAME, Frame, From, LABEL_BYTES, Label, Piece, StoredArtifact, Zeros,
};
use crate::digest::hex;

/// Measured with zstd 1.5 on a compiled Python component of 35.7 MB: level 3 gives 12.4 MB in 0.35 s of CPU, 9 gives
/// 10.9 MB in 1.6 s, 15 10.7 MB in 15 s and 19 9.7 MB in 41 s. Decompression takes 0.04-0.1 s at all of them, least at
/// the low ones.
const LEVEL: i32 = 9;

/// Makes the object of an artifact; with a base, that of the same family, only if it has enough in common with it.
/// `hot` is what a first call touches, ascending.
pub(crate) fn pack(
    bytes: &[u8],
    hot: &[Range<u64>],
    base: Option<&BaseBlocks>,
) -> io::Result<(Vec<u8>, StoredArtifact)> {
    let blocks: Vec<(usize, &[u8])> =
        bytes.chunks(BLOCK).enumerate().filter(|(_, block)| !is_empty(block)).collect();
    let listed = bytes.len() >= SMALLEST_BASE;
    let digests: Vec<Digest> = if listed {
        blocks.iter().map(|(_, block)| Sha256::digest(block).into()).collect()
    } else {
        Vec::new()
    };
    let shared = base.and_then(|base| Some((base, base.share(&digests)?)));
    let places = blocks.iter().enumerate().map(|(index, (number, block))| {
        let at = (number * BLOCK) as u64;
        let shared = shared.as_ref();
        let place = shared.and_then(|(_, places)| places.get(index).copied().flatten());
        let place =
            place.filter(|place| !overlaps(hot, at) || base.is_some_and(|base| base.is_hot(place)));
        (at, *block, place)
    });
    let (hot_blocks, cold_blocks): (Vec<_>, Vec<_>) =
        places.partition(|(at, ..)| overlaps(hot, *at));
    let mut layout = Layout::default();
    layout.add_all(&hot_blocks);
    layout.end_of_hot();
    layout.add_all(&cold_blocks);
    layout.pieces.sort_unstable_by_key(|piece| piece.at);
    let stored = compress(&layout.frames)?;
    let (base, list) = match shared {
        Some((base, _)) => (Some(layout.base(base)), Vec::new()),
        None => (None, digests.concat()),
    };
    let description = Description {
        size: bytes.len() as u64,
        base,
        frames: layout.describe(&stored),
        hot_zeros: hot_zeros(bytes, hot),
        pieces: layout.pieces,
        blocks: (!list.is_empty()).then(|| Sha256::digest(&list).into()),
    };
    assemble(&description, (&stored, &list))
}

/// Whether the block that begins here has any of these bytes.
fn overlaps(hot: &[Range<u64>], at: u64) -> bool {
    let after = hot.partition_point(|range| range.end <= at);
    hot.get(after).is_some_and(|range| range.start < at + BLOCK as u64)
}

/// Those hot blocks that are all zeros.
fn hot_zeros(bytes: &[u8], hot: &[Range<u64>]) -> Vec<Zeros> {
    let mut spans: Vec<Zeros> = Vec::new();
    for (number, block) in bytes.chunks(BLOCK).enumerate() {
        let (at, length) = ((number * BLOCK) as u64, block.len() as u64);
        if !overlaps(hot, at) || !is_empty(block) {
            continue;
        }
        match spans.last_mut().filter(|last| last.at + last.length == at) {
            Some(last) => last.length += length,
            None => spans.push(Zeros { at, length }),
        }
    }
    spans
}

/// Where a block is in the artifact, the block, and its place in the base if it is there.
type Placed<'a> = (u64, &'a [u8], Option<Place>);

/// Pieces and the uncompressed frames of our own, while they are put together.
#[derive(Default)]
struct Layout {
    pieces: Vec<Piece>,
    frames: Vec<Vec<u8>>,
    /// How many of the frames are hot: the first ones.
    hot: usize,
    /// Those of the base's frames that are.
    hot_base: BTreeSet<u32>,
}

impl Layout {
    fn add_all(&mut self, blocks: &[Placed<'_>]) {
        for (at, block, place) in blocks {
            match place {
                Some(place) => self.add_shared(*at, block, *place),
                None => self.add_own(*at, block),
            }
        }
    }

    /// What was added up to here is hot; what follows is not, and goes to other frames.
    fn end_of_hot(&mut self) {
        self.hot = self.frames.len();
        self.hot_base = self.base_frames();
    }

    /// The base's frames that pieces are taken from.
    fn base_frames(&self) -> BTreeSet<u32> {
        let used = self.pieces.iter().filter_map(|piece| match piece.from {
            From::Base { frame, .. } => Some(frame),
            From::Own { .. } => None,
        });
        used.collect()
    }

    fn add_own(&mut self, at: u64, block: &[u8]) {
        let open = self.frames.get_mut(self.hot..).and_then(<[_]>::last_mut);
        let room = open.filter(|frame| frame.len() + block.len() <= FRAME);
        let skip = room.as_ref().map_or(0, |frame| frame.len());
        match room {
            Some(frame) => frame.extend_from_slice(block),
            None => self.frames.push(block.to_vec()),
        }
        let frame = narrow(self.frames.len() - 1);
        self.add(at, (skip, block.len()), From::Own { frame });
    }

    fn add_shared(&mut self, at: u64, block: &[u8], place: Place) {
        let from = From::Base { frame: place.frame, at: place.at };
        self.add(at, (place.skip as usize, block.len()), from);
    }

    /// Makes the last piece longer where the next bytes follow it on both sides.
    fn add(&mut self, at: u64, (skip, length): (usize, usize), from: From) {
        let piece = Piece { at, length: narrow(length), skip: narrow(skip), from };
        if let Some(last) = self.pieces.last_mut()
            && last.at + u64::from(last.length) == piece.at
            && last.skip + last.length == piece.skip
            && last.after() == from
        {
            last.length += piece.length;
        } else {
            self.pieces.push(piece);
        }
    }

    /// The base with only those frames that are used; the pieces name them anew.
    fn base(&mut self, base: &BaseBlocks) -> Base {
        let used = self.base_frames();
        let numbers: HashMap<u32, u32> = used.iter().copied().zip(0..).collect();
        for piece in &mut self.pieces {
            if let From::Base { frame, .. } = &mut piece.from {
                *frame = numbers.get(frame).copied().unwrap_or_default();
            }
        }
        base.only(&used, &self.hot_base)
    }

    fn describe(&self, stored: &[Vec<u8>]) -> Vec<Frame> {
        let mut at = 0;
        let frames = self.frames.iter().zip(stored).enumerate().map(|(number, (frame, stored))| {
            let described = Frame {
                at,
                stored: narrow(stored.len()),
                size: narrow(frame.len()),
                hot: number < self.hot,
                digest: Sha256::digest(stored).into(),
            };
            at += stored.len() as u64;
            described
        });
        frames.collect()
    }
}

impl Piece {
    /// Where the bytes after this piece would be taken from.
    fn after(&self) -> From {
        match self.from {
            From::Own { frame } => From::Own { frame },
            From::Base { frame, at } => From::Base { frame, at: at + u64::from(self.length) },
        }
    }
}

/// Compresses the frames, as many at once as there are processors.
fn compress(frames: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = frames.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let started: Vec<_> =
            frames.chunks(share).map(|frames| scope.spawn(|| compress_all(frames))).collect();
        let mut stored = Vec::with_capacity(frames.len());
        for worker in started {
            let done = worker.join().map_err(|_| io::Error::other("compressing panicked"))?;
            stored.extend(done?);
        }
        Ok(stored)
    })
}

fn compress_all(frames: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
    let mut compressor = Compressor::new(LEVEL)?;
    frames.iter().map(|frame| compressor.compress(frame)).collect()
}

fn assemble(
    description: &Description,
    (frames, list): (&[Vec<u8>], &[u8]),
) -> io::Result<(Vec<u8>, StoredArtifact)> {
    let text = description.to_bytes()?;
    let length = LABEL_BYTES + text.len() + frames.iter().map(Vec::len).sum::<usize>() + list.len();
    let hot = description.frames.iter().filter(|frame| frame.hot);
    let start_size =
        (LABEL_BYTES + text.len()) as u64 + hot.map(|it| u64::from(it.stored)).sum::<u64>();
    let digest = Sha256::digest(&text).into();
    let sizes = [description.size, length as u64, start_size];
    let mut object = Label::write(&digest, sizes, text.len());
    object.reserve_exact(length - object.len());
    object.extend_from_slice(&text);
    for frame in frames {
        object.extend_from_slice(frame);
    }
    object.extend_from_slice(list);
    let [size, stored_size, start_size] = sizes;
    let artifact = StoredArtifact { digest: hex(&digest), size, stored_size, start_size };
    Ok((object, artifact))
}

fn is_empty(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

/// A number below the size of a frame or the number of frames.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
