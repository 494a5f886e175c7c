//! How an artifact's blocks are put together to frames and pieces.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};

use super::base::{BaseBlocks, Place};
use super::description::Base;
use super::{FRAME, Frame, From, Piece};

/// A frame of our own, uncompressed, while it is put together.
#[derive(Default)]
pub(super) struct Contents<'a> {
    pub(super) bytes: Vec<u8>,
    /// For a patch, what the base has in the places of its blocks, in their order.
    pub(super) dictionary: Option<Vec<&'a [u8]>>,
}

/// Pieces and frames, while they are put together.
#[derive(Default)]
pub(super) struct Layout<'a> {
    pub(super) frames: Vec<Contents<'a>>,
    pieces: Vec<Piece>,
    references: Vec<Piece>,
    /// So many of the frames take nothing more.
    ended: usize,
    /// How many of the frames are hot: the first ones.
    hot: usize,
    /// Those of the base's frames that are.
    hot_base: BTreeSet<u32>,
}

impl<'a> Layout<'a> {
    /// Adds a block, which is the base's if it has a place there.
    pub(super) fn add(&mut self, at: u64, block: &[u8], place: Option<Place>) {
        let length = block.len();
        match place {
            Some(place) => push(&mut self.pieces, shared(at, length, place)),
            None => self.add_own(at, block, None),
        }
    }

    /// Adds a block that is a patch of what the base has in its place.
    pub(super) fn add_patched(&mut self, at: u64, block: &[u8], reference: (Place, &'a [u8])) {
        let (place, content) = reference;
        push(&mut self.references, shared(at, block.len(), place));
        self.add_own(at, block, Some(content));
    }

    /// What follows goes to other frames.
    pub(super) fn end_of_frame(&mut self) {
        self.ended = self.frames.len();
    }

    /// What was added up to here is hot; what follows is not, and goes to other frames.
    pub(super) fn end_of_hot(&mut self) {
        self.end_of_frame();
        self.hot = self.frames.len();
        self.hot_base = self.base_frames();
    }

    /// The pieces and the references, in ascending order.
    pub(super) fn pieces(mut self) -> (Vec<Piece>, Vec<Piece>) {
        self.pieces.sort_unstable_by_key(|piece| piece.at);
        (self.pieces, self.references)
    }

    /// The base's frames that pieces or references are taken from.
    fn base_frames(&self) -> BTreeSet<u32> {
        let used = self.pieces.iter().chain(&self.references).filter_map(|it| match it.from {
            From::Base { frame, .. } => Some(frame),
            From::Own { .. } => None,
        });
        used.collect()
    }

    fn add_own(&mut self, at: u64, block: &[u8], reference: Option<&'a [u8]>) {
        let open = self.frames.get(self.ended..).and_then(<[_]>::last);
        if open.is_none_or(|frame| frame.bytes.len() + block.len() > FRAME) {
            self.frames.push(Contents::default());
        }
        let number = narrow(self.frames.len() - 1);
        let Some(frame) = self.frames.last_mut() else { return };
        let (skip, length) = (narrow(frame.bytes.len()), narrow(block.len()));
        frame.bytes.extend_from_slice(block);
        if let Some(reference) = reference {
            frame.dictionary.get_or_insert_default().push(reference);
        }
        push(&mut self.pieces, Piece { at, length, skip, from: From::Own { frame: number } });
    }

    /// The base with only those frames that are used; the pieces name them anew.
    pub(super) fn base(&mut self, base: &BaseBlocks) -> Base {
        let used = self.base_frames();
        let numbers: HashMap<u32, u32> = used.iter().copied().zip(0..).collect();
        for piece in self.pieces.iter_mut().chain(&mut self.references) {
            if let From::Base { frame, .. } = &mut piece.from {
                *frame = numbers.get(frame).copied().unwrap_or_default();
            }
        }
        base.only(&used, &self.hot_base)
    }

    /// The frames by their compressed bytes.
    pub(super) fn describe(&self, stored: &[Vec<u8>]) -> Vec<Frame> {
        let mut at = 0;
        let frames = self.frames.iter().zip(stored).enumerate().map(|(number, (frame, stored))| {
            let described = Frame {
                at,
                stored: narrow(stored.len()),
                size: narrow(frame.bytes.len()),
                hot: number < self.hot,
                patch: frame.dictionary.is_some(),
                digest: Sha256::digest(stored).into(),
            };
            at += stored.len() as u64;
            described
        });
        frames.collect()
    }
}

fn shared(at: u64, length: usize, place: Place) -> Piece {
    let from = From::Base { frame: place.frame, at: place.at };
    Piece { at, length: narrow(length), skip: place.skip, from }
}

/// Adds a piece, or makes the last one longer where the next bytes follow it on both sides.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if let Some(last) = pieces.last_mut()
        && last.at + u64::from(last.length) == piece.at
        && last.skip + last.length == piece.skip
        && last.after() == piece.from
    {
        last.length += piece.length;
    } else {
        pieces.push(piece);
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

/// A number below the size of a frame or the number of frames.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
