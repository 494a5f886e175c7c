//! The artifact that another one shares blocks with: which it can be, where its blocks are, and what is worth taking.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::description::Base;
use super::{BLOCK, DIGEST_BYTES, Description, Frame, From, LABEL_BYTES, Label, Piece, Unpacker};
use crate::digest::hex;

/// An artifact smaller than this is not worth a second object to read from.
pub(super) const SMALLEST_BASE: usize = 2 * 1024 * 1024;
/// Artifacts that have the same bytes here have the same language engine in them: its machine code is first. What is before
/// it says where the sections are, and so how long the app's heap is.
const FAMILY: Range<usize> = BLOCK..1024 * 1024;
/// One in so many of the blocks must be in the base, of all and of each of its frames that is used.
/// And of the words of a block, for a patch.
const WORTH_IT: usize = 4;
/// What is compared for that, in bytes: a pointer of the guest.
const WORD: usize = 4;

pub(super) type Digest = [u8; DIGEST_BYTES];

/// Names those artifacts that may have much in common; none for one that is too small to share.
pub(crate) fn family(bytes: &[u8]) -> Option<String> {
    let start = bytes.get(FAMILY).filter(|_| bytes.len() >= SMALLEST_BASE)?;
    Some(hex(&Sha256::digest(start)))
}

/// A base's blocks by their digests.
#[derive(Debug)]
pub(crate) struct BaseBlocks {
    component: String,
    digest: String,
    frames: Vec<Frame>,
    places: HashMap<Digest, Place>,
    /// What its first call touches, by where it is.
    hot: BTreeMap<u64, (Place, Vec<u8>)>,
}

/// Where a block of the base is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) frame: u32,
    pub(super) skip: u32,
    pub(super) at: u64,
}

impl BaseBlocks {
    /// The blocks of the artifact of `component`, from its description, its list of blocks and its hot frames; none where
    /// these do not fit.
    pub(crate) fn new(
        component: &str,
        (label, description): (&Label, &Description),
        (list, hot_frames): (&[u8], &[u8]),
    ) -> Option<Self> {
        if description.blocks? != <Digest>::from(Sha256::digest(list)) {
            return None;
        }
        let start = (LABEL_BYTES + label.description) as u64;
        let frames =
            description.frames.iter().map(|frame| Frame { at: start + frame.at, ..frame.clone() });
        let (digests, _) = list.as_chunks::<DIGEST_BYTES>();
        let places = description.pieces.iter().flat_map(places_of);
        Some(Self {
            component: component.to_owned(),
            digest: label.artifact.digest.clone(),
            frames: frames.collect(),
            places: digests.iter().copied().zip(places).collect(),
            hot: hot_blocks(description, hot_frames)?,
        })
    }

    /// What the base has in the place of this block, if a patch of that is worth it and a first call of the base has it.
    pub(super) fn reference(&self, at: u64, block: &[u8]) -> Option<(Place, &[u8])> {
        let (place, content) = self.hot.get(&at)?;
        let words = block.chunks(WORD).zip(content.chunks(WORD));
        let same = words.filter(|(ours, theirs)| ours == theirs).count() * WORD;
        let is_worth_it = content.len() == block.len() && same * WORTH_IT >= block.len();
        is_worth_it.then_some((*place, content))
    }

    /// Which of the blocks are taken from where in the base; none when that is not worth it.
    pub(super) fn share(&self, digests: &[Digest]) -> Option<Vec<Option<Place>>> {
        let mut places: Vec<Option<Place>> =
            digests.iter().map(|digest| self.places.get(digest).copied()).collect();
        let mut used: HashMap<u32, usize> = HashMap::new();
        for place in places.iter().flatten() {
            *used.entry(place.frame).or_default() += BLOCK;
        }
        for place in &mut places {
            *place = place.filter(|place| {
                let size =
                    self.frames.get(place.frame as usize).map_or(0, |frame| frame.size as usize);
                used.get(&place.frame).is_some_and(|used| used * WORTH_IT >= size)
            });
        }
        (places.iter().flatten().count() * WORTH_IT >= digests.len()).then_some(places)
    }

    /// Whether a first call of the base fetches this, too. What it does not is not worth a whole frame of the base, which
    /// has much that this one's first call does not touch either.
    pub(super) fn is_hot(&self, place: &Place) -> bool {
        self.frames.get(place.frame as usize).is_some_and(|frame| frame.hot)
    }

    /// The base as one that has these of its frames alone, by their numbers; those of `hot` are touched by a first call.
    pub(super) fn only(&self, used: &BTreeSet<u32>, hot: &BTreeSet<u32>) -> Base {
        let frames = used.iter().filter_map(|number| {
            let frame = self.frames.get(*number as usize)?;
            Some(Frame { hot: hot.contains(number), ..frame.clone() })
        });
        let frames = frames.collect();
        Base { component: self.component.clone(), digest: self.digest.clone(), frames }
    }
}

/// The hot blocks of an artifact without a base, from its hot frames; none where these are damaged.
fn hot_blocks(
    description: &Description,
    hot_frames: &[u8],
) -> Option<BTreeMap<u64, (Place, Vec<u8>)>> {
    let mut unpacker = Unpacker::new().ok()?;
    let mut frames = Vec::new();
    for frame in description.frames.iter().take_while(|frame| frame.hot) {
        let start = usize::try_from(frame.at).ok()?;
        let stored = hot_frames.get(start..start + frame.stored as usize)?;
        frame.check(stored).ok()?;
        frames.push(unpacker.content(stored).ok()?.to_vec());
    }
    let mut blocks = BTreeMap::new();
    for piece in &description.pieces {
        for place in places_of(piece) {
            let Some(frame) = frames.get(place.frame as usize) else { continue };
            let end = (place.skip as usize + BLOCK).min((piece.skip + piece.length) as usize);
            let block = frame.get(place.skip as usize..end)?;
            blocks.insert(place.at, (place, block.to_vec()));
        }
    }
    Some(blocks)
}

/// The blocks of a piece of an artifact without a base.
fn places_of(piece: &Piece) -> impl Iterator<Item = Place> + use<> {
    let Piece { at, skip, length, from } = *piece;
    let (From::Own { frame } | From::Base { frame, .. }) = from;
    (0..length).step_by(BLOCK).map(move |offset| Place {
        frame,
        skip: skip + offset,
        at: at + u64::from(offset),
    })
}
