//! From a frame's compressed bytes to the pieces of a file.

use std::os::unix::fs::FileExt as _;
use std::{fmt, io};

use fs_err::File;
use sha2::{Digest as _, Sha256};
use zstd::bulk::Decompressor;

use super::{FRAME, Frame, Piece, UnpackError};
use crate::digest::hex;

impl Frame {
    /// Whether these are its compressed bytes.
    pub(crate) fn check(&self, stored: &[u8]) -> Result<(), UnpackError> {
        let found = Sha256::digest(stored);
        if found.as_slice() == self.digest {
            return Ok(());
        }
        Err(UnpackError::Damaged(format!("a frame {}", hex(&found))))
    }
}

/// What one thread needs to unpack frames; one is worth keeping for many frames.
pub(crate) struct Unpacker {
    decompressor: Decompressor<'static>,
    buffer: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { decompressor: Decompressor::new()?, buffer: Vec::with_capacity(FRAME) })
    }

    /// Unpacks a frame that is checked, and writes those of its pieces that are given to their places.
    pub(crate) fn unpack(
        &mut self,
        stored: &[u8],
        pieces: impl Iterator<Item = Piece>,
        output: &File,
    ) -> Result<(), UnpackError> {
        let no_frame = |why: String| UnpackError::Damaged(format!("no zstd frame ({why})"));
        self.buffer.clear();
        let length = self
            .decompressor
            .decompress_to_buffer(stored, &mut self.buffer)
            .map_err(|error| no_frame(error.to_string()))?;
        for piece in pieces {
            let (from, to) = (piece.skip as usize, (piece.skip + piece.length) as usize);
            let bytes = self.buffer.get(from..to);
            let bytes = bytes.ok_or_else(|| no_frame(format!("of only {length} bytes")))?;
            output.file().write_all_at(bytes, piece.at)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}
