//! From an artifact's bytes to its stored form: what its base has is named, the rest is compressed.

use std::io;
use std::ops::Range;
use std::thread;

use sha2::{Digest as _, Sha256};
use zstd::bulk::Compressor;

use super::base::{BaseBlocks, Digest, SMALLEST_BASE};
use super::layout::{Contents, Layout};
use super::{BLOCK, Description, LABEL_BYTES, Label, NO_MAGIC, StoredArtifact, Zeros};
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
    let mut layout = Layout::default();
    let mut cold = Vec::new();
    let mut patched = Vec::new();
    for (index, (number, block)) in blocks.iter().enumerate() {
        let at = (number * BLOCK) as u64;
        let place = shared.as_ref().and_then(|(_, places)| places.get(index).copied().flatten());
        let base = shared.as_ref().map(|(base, _)| *base);
        if !overlaps(hot, at) {
            cold.push((at, *block, place));
            continue;
        }
        let place = place.filter(|place| base.is_some_and(|base| base.is_hot(place)));
        match base.filter(|_| place.is_none()).and_then(|base| base.reference(at, block)) {
            Some(reference) => patched.push((at, *block, reference)),
            None => layout.add(at, block, place),
        }
    }
    layout.end_of_frame();
    for (at, block, reference) in patched {
        layout.add_patched(at, block, reference);
    }
    layout.end_of_hot();
    for (at, block, place) in cold {
        layout.add(at, block, place);
    }
    let stored = compress(&layout.frames)?;
    let (base, list) = match shared {
        Some((base, _)) => (Some(layout.base(base)), Vec::new()),
        None => (None, digests.concat()),
    };
    let frames = layout.describe(&stored);
    let (pieces, references) = layout.pieces();
    let description = Description {
        size: bytes.len() as u64,
        base,
        frames,
        hot_zeros: hot_zeros(bytes, hot),
        pieces,
        references,
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

/// Compresses the frames, as many at once as there are processors.
fn compress(frames: &[Contents<'_>]) -> io::Result<Vec<Vec<u8>>> {
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

fn compress_all(frames: &[Contents<'_>]) -> io::Result<Vec<Vec<u8>>> {
    let mut compressor = Compressor::new(LEVEL)?;
    let compressed = frames.iter().map(|frame| {
        let Some(dictionary) = &frame.dictionary else { return compressor.compress(&frame.bytes) };
        let dictionary = [&[0; NO_MAGIC][..], &dictionary.concat()].concat();
        let mut patching = Compressor::with_dictionary(LEVEL, &dictionary)?;
        // What the dictionary was is not in the frame's digest.
        patching.include_checksum(true)?;
        patching.compress(&frame.bytes)
    });
    compressed.collect()
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
