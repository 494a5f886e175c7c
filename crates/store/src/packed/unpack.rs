//! From a frame's compressed bytes to the pieces of a file.

use std::os::unix::fs::FileExt as _;
use std::{fmt, io};

use fs_err::File;
use sha2::{Digest as _, Sha256};
use zstd::bulk::Decompressor;

use super::{FRAME, Frame, NO_MAGIC, Piece, UnpackError};
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

    /// Unpacks a frame that is checked, and writes those of its pieces that are given to their places. Those of a patch are
    /// all of them, in their order in the frame, and what it is of is in their places.
    pub(crate) fn unpack(
        &mut self,
        (frame, stored): (&Frame, &[u8]),
        pieces: &[Piece],
        output: &File,
    ) -> Result<(), UnpackError> {
        if frame.patch {
            let mut dictionary = vec![0; NO_MAGIC];
            for piece in pieces {
                let start = dictionary.len();
                dictionary.resize(start + piece.length as usize, 0);
                let place = dictionary.get_mut(start..).unwrap_or_default();
                output.file().read_exact_at(place, piece.at)?;
            }
            let mut decompressor = Decompressor::with_dictionary(&dictionary)?;
            decompress(&mut decompressor, stored, &mut self.buffer)?;
        } else {
            decompress(&mut self.decompressor, stored, &mut self.buffer)?;
        }
        for piece in pieces {
            let (from, to) = (piece.skip as usize, (piece.skip + piece.length) as usize);
            let bytes = self.buffer.get(from..to);
            let bytes =
                bytes.ok_or_else(|| no_frame(&format!("of only {} bytes", self.buffer.len())))?;
            output.file().write_all_at(bytes, piece.at)?;
        }
        Ok(())
    }

    /// The bytes of a frame that is checked, and no patch.
    pub(super) fn content(&mut self, stored: &[u8]) -> Result<&[u8], UnpackError> {
        decompress(&mut self.decompressor, stored, &mut self.buffer)?;
        Ok(&self.buffer)
    }
}

fn decompress(
    decompressor: &mut Decompressor<'_>,
    stored: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<(), UnpackError> {
    buffer.clear();
    decompressor
        .decompress_to_buffer(stored, buffer)
        .map_err(|error| no_frame(&error.to_string()))?;
    Ok(())
}

fn no_frame(why: &str) -> UnpackError {
    UnpackError::Damaged(format!("no zstd frame ({why})"))
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}
