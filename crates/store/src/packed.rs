//! The stored form of an artifact: a label, a description, frames, and for a base the digests of its blocks.
//!
//! | part | content |
//! |---|---|
//! | label, 68 bytes | [`MAGIC`]; SHA-256 of the description; the artifact's size, the object's, that of its start, the description's, as `u64`, `u64`, `u64`, `u32` in little-endian order |
//! | description | which frames there are, and which bytes of them go where ([`Description`], in postcard's form) |
//! | frames | zstd frames of at most [`FRAME`] uncompressed bytes each |
//! | blocks | only where there is no base: SHA-256 of each block of [`BLOCK`] bytes that is not all zeros |
//!
//! An artifact's digest is that of its description, which has the digests of all frames: each frame is checked when it
//! arrives, in any order, before anything of the artifact gets a name. Blocks of zeros are in no frame. What an artifact
//! has in common with another one, its base, is in the base's frames alone: a language's engine is stored once. What is
//! nearly the same as what the base has in its place is in a patch: a frame whose dictionary that is.

mod base;
mod description;
mod layout;
mod pack;
mod unpack;

use std::io;

use crate::digest::hex;

pub(crate) use base::{BaseBlocks, family};
pub(crate) use description::{Description, Frame, From, Piece, Zeros};
pub(crate) use pack::pack;
pub(crate) use unpack::Unpacker;

/// The first bytes of an artifact of this form; the last of them is its version.
const MAGIC: [u8; 8] = *b"LAMBKIN\x04";
const DIGEST_BYTES: usize = 32;
/// The length of the label.
pub(crate) const LABEL_BYTES: usize = 8 + DIGEST_BYTES + 8 + 8 + 8 + 4;

/// What is compared with a base, left out where it is empty, and a page on every processor that artifacts are for.
const BLOCK: usize = 4096;
/// The most bytes in one frame. A Python artifact of 33.5 MB without its empty blocks takes 9.5 MB in frames of 1 MiB,
/// 9.8 MB at this size, 10.4 MB at 64 KiB; smaller frames let more of them be shared and unpacked side by side.
const FRAME: usize = 256 * 1024;
/// So many zeros come before a patch's dictionary, which zstd would take for one of its own form if it began with a
/// certain number.
const NO_MAGIC: usize = 8;

/// What identifies an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArtifactDigest {
    /// SHA-256 of its description, lower-case hex.
    pub digest: String,
    /// The number of uncompressed bytes.
    pub size: u64,
}

/// An artifact as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredArtifact {
    /// SHA-256 of its description, lower-case hex.
    pub digest: String,
    /// The number of uncompressed bytes.
    pub size: u64,
    /// The number of bytes of the stored object; what it shares with its base is in that one's.
    pub stored_size: u64,
    /// The number of bytes at the start of the stored object that a first call needs; up to the frames where it is not
    /// known what it touches.
    pub start_size: u64,
}

impl StoredArtifact {
    /// The part of it that a release names.
    pub fn expected(&self) -> ArtifactDigest {
        ArtifactDigest { digest: self.digest.clone(), size: self.size }
    }
}

/// The start of a stored artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) artifact: StoredArtifact,
    /// The number of the description's bytes.
    pub(crate) description: usize,
}

impl Label {
    /// Reads the label at the start of a stored artifact; none when there is no whole one.
    pub(crate) fn read(object: &[u8]) -> Option<Self> {
        let (digest, rest) = object.strip_prefix(&MAGIC)?.split_first_chunk::<DIGEST_BYTES>()?;
        let (size, rest) = rest.split_first_chunk()?;
        let (stored_size, rest) = rest.split_first_chunk()?;
        let (start_size, rest) = rest.split_first_chunk()?;
        let (description, _) = rest.split_first_chunk()?;
        let artifact = StoredArtifact {
            digest: hex(digest),
            size: u64::from_le_bytes(*size),
            stored_size: u64::from_le_bytes(*stored_size),
            start_size: u64::from_le_bytes(*start_size),
        };
        Some(Self { artifact, description: u32::from_le_bytes(*description) as usize })
    }

    fn write(digest: &[u8; DIGEST_BYTES], sizes: [u64; 3], description: usize) -> Vec<u8> {
        // A description of 4 GiB would be of an artifact that nothing could run.
        let description = u32::try_from(description).unwrap_or(u32::MAX);
        let [size, stored_size, start_size] = sizes.map(u64::to_le_bytes);
        let description = description.to_le_bytes();
        [&MAGIC[..], digest, &size, &stored_size, &start_size, &description].concat()
    }
}

/// Why a stored artifact does not unpack to what was expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// The bytes that came are not the artifact; says what they are.
    #[error("{0}")]
    Damaged(String),
    /// What they should have been written to failed.
    #[error(transparent)]
    Output(#[from] io::Error),
}

#[cfg(test)]
mod tests;
