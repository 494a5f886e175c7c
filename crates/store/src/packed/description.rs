//! What a stored artifact says of itself: its frames, its base, and where each piece of it comes from.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{DIGEST_BYTES, FRAME, LABEL_BYTES, Label, UnpackError};
use crate::digest::hex;

/// All of an artifact but the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    /// The number of uncompressed bytes.
    pub(crate) size: u64,
    /// The artifact that some of the frames belong to.
    pub(crate) base: Option<Base>,
    /// The frames of this object, in their order in it.
    pub(crate) frames: Vec<Frame>,
    /// What is not all zeros, in ascending order.
    pub(crate) pieces: Vec<Piece>,
    /// What the base has in the places that patches go to, in ascending order: it must be there before them.
    pub(crate) references: Vec<Piece>,
    /// What is all zeros and touched by a first call, in ascending order.
    pub(crate) hot_zeros: Vec<Zeros>,
    /// SHA-256 of the list of blocks; none where there is no list.
    pub(super) blocks: Option<[u8; DIGEST_BYTES]>,
}

/// The artifact, of the same engine and target, that an artifact has frames in common with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    /// The digest of the component that it was compiled from, which its key ends with.
    pub(crate) component: String,
    /// Its own digest.
    pub(crate) digest: String,
    /// Those of its frames that are needed, in their order in its object.
    pub(crate) frames: Vec<Frame>,
}

/// A zstd frame in an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Where it begins: in this object behind the description, in the base's at its start.
    pub(crate) at: u64,
    /// Its compressed size in bytes.
    pub(crate) stored: u32,
    /// Its uncompressed size in bytes.
    pub(crate) size: u32,
    /// Whether a first call touches some of it: what it touches is in frames of its own.
    pub(crate) hot: bool,
    /// Whether it is a patch: its dictionary is what the [references](Description::references) put into its places.
    pub(crate) patch: bool,
    /// SHA-256 of its compressed bytes.
    pub(super) digest: [u8; DIGEST_BYTES],
}

/// Some bytes of the artifact, and where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// Where they are in the artifact.
    pub(crate) at: u64,
    /// How many they are.
    pub(crate) length: u32,
    /// Where in the uncompressed frame they begin.
    pub(crate) skip: u32,
    pub(crate) from: From,
}

/// Some bytes of the artifact that are all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Zeros {
    pub(crate) at: u64,
    pub(crate) length: u64,
}

/// What a piece is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum From {
    /// A frame of this object, by its number.
    Own { frame: u32 },
    /// A frame of the base, by its number in [`Base::frames`]; `at` is where the bytes are in the base itself.
    Base { frame: u32, at: u64 },
}

impl Description {
    /// Reads the description that follows the label, and checks it: what it says can be relied on.
    pub(crate) fn read(label: &Label, bytes: &[u8]) -> Result<Self, UnpackError> {
        let found = hex(&Sha256::digest(bytes));
        if found != label.artifact.digest {
            return Err(UnpackError::Damaged(format!("a description {found}")));
        }
        let description: Self = postcard::from_bytes(bytes)
            .map_err(|error| UnpackError::Damaged(format!("no description ({error})")))?;
        match description.flaw() {
            None => Ok(description),
            Some(flaw) => Err(UnpackError::Damaged(format!("a description with {flaw}"))),
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, std::io::Error> {
        postcard::to_allocvec(self).map_err(std::io::Error::other)
    }

    /// All frames that it is made of, those of its base among them.
    pub(crate) fn all_frames(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().chain(self.base.iter().flat_map(|base| &base.frames))
    }

    /// Whether others may have it as their base.
    pub(crate) fn can_be_base(&self) -> bool {
        self.blocks.is_some()
    }

    /// Where the list of blocks is in the object of this label, none where there is no list.
    pub(crate) fn list(&self, label: &Label) -> Option<Range<u64>> {
        self.blocks?;
        let frames: u64 = self.frames.iter().map(|frame| u64::from(frame.stored)).sum();
        let start = (LABEL_BYTES + label.description) as u64 + frames;
        Some(start..label.artifact.stored_size)
    }

    /// What makes no sense in it.
    fn flaw(&self) -> Option<&'static str> {
        let base: &[Frame] = self.base.as_ref().map_or(&[], |base| &base.frames);
        if !are_in_order(&self.frames) || !are_in_order(base) {
            return Some("frames that overlap");
        }
        if self.all_frames().any(|frame| frame.size as usize > FRAME) {
            return Some("an oversized frame");
        }
        for pieces in [&self.pieces, &self.references] {
            if let Some(flaw) = flaw_of((&self.frames, base), pieces) {
                return Some(flaw);
            }
        }
        if !self.are_patches_on_references() {
            return Some("a patch of nothing");
        }
        let pieces = self.pieces.iter().chain(&self.references).map(Piece::end);
        let zeros = self.hot_zeros.iter().map(|span| span.at.saturating_add(span.length));
        (pieces.chain(zeros).max() > Some(self.size)).then_some("a piece beyond the end")
    }

    /// Whether the references fill all places of patches, and come from the base, both with what a first call touches: the
    /// rest comes in any order.
    fn are_patches_on_references(&self) -> bool {
        let is_patch = |piece: &&Piece| match piece.from {
            From::Own { frame } => self.frames.get(frame as usize).is_some_and(|it| it.patch),
            From::Base { .. } => false,
        };
        let mut references = self.references.iter().map(|it| it.at..it.end());
        let mut filled = 0..0;
        let are_there = self.pieces.iter().filter(is_patch).all(|patch| {
            let mut at = patch.at;
            while at < patch.end() {
                if !filled.contains(&at) {
                    filled = references.find(|it| it.end > at).unwrap_or_default();
                }
                if !filled.contains(&at) {
                    return false;
                }
                at = filled.end;
            }
            true
        });
        let base = self.base.as_ref().map_or(&[][..], |base| &base.frames);
        let is_hot = |reference: &Piece| match reference.from {
            From::Base { frame, .. } => base.get(frame as usize).is_some_and(|it| it.hot),
            From::Own { .. } => false,
        };
        are_there
            && self.references.iter().all(is_hot)
            && self.all_frames().all(|frame| frame.hot || !frame.patch)
    }
}

impl Piece {
    /// Where it ends in the artifact.
    fn end(&self) -> u64 {
        self.at.saturating_add(self.length.into())
    }
}

/// What makes no sense in pieces of frames of this object and the base's.
fn flaw_of((own, base): (&[Frame], &[Frame]), pieces: &[Piece]) -> Option<&'static str> {
    let mut end = 0;
    for piece in pieces {
        let frame = match piece.from {
            From::Own { frame } => own.get(frame as usize),
            From::Base { frame, .. } => base.get(frame as usize),
        };
        let Some(frame) = frame else { return Some("a piece of no frame") };
        if u64::from(piece.skip) + u64::from(piece.length) > u64::from(frame.size) {
            return Some("a piece beyond its frame");
        }
        if piece.at < end {
            return Some("pieces that overlap");
        }
        end = piece.end();
    }
    None
}

fn are_in_order(frames: &[Frame]) -> bool {
    let end = |frame: &Frame| frame.at.checked_add(frame.stored.into());
    frames.iter().is_sorted_by(|frame, next| end(frame).is_some_and(|end| end <= next.at))
        && frames.last().is_none_or(|last| end(last).is_some())
}
