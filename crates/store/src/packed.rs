//! The stored form of an artifact: a label with the digest and size, then one zstd frame.
//!
//! The digest is that of the frame: it is checked while the frame arrives, before anything of the artifact gets a
//! name, and a quarter of the bytes are hashed. The label is a zstd skippable frame (RFC 8878 section 3.1.2), so
//! `zstd -d` reads the object as it is, and a publisher learns from the first bytes what another one compiled.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};
use zstd::stream::write::Decoder;

use crate::digest::hex;

/// Measured with zstd 1.5 on a compiled Python component of 35.7 MB: level 3 gives 12.4 MB in 0.35 s of CPU, 9 gives
/// 10.9 MB in 1.6 s, 15 10.7 MB in 15 s and 19 9.7 MB in 41 s. Decompression takes 0.04-0.1 s at all of them, least at
/// the low ones.
const LEVEL: i32 = 9;
const LABEL_MAGIC: [u8; 4] = 0x184D_2A5C_u32.to_le_bytes();
const DIGEST_BYTES: usize = 32;
const LABEL_CONTENT: usize = DIGEST_BYTES + 8;
/// The length of the label with its own header.
pub(crate) const LABEL_BYTES: usize = 8 + LABEL_CONTENT;

/// What identifies an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArtifactDigest {
    /// SHA-256 of its zstd frame, lower-case hex.
    pub digest: String,
    /// The number of uncompressed bytes.
    pub size: u64,
}

/// An artifact as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredArtifact {
    /// SHA-256 of its zstd frame, lower-case hex.
    pub digest: String,
    /// The number of uncompressed bytes.
    pub size: u64,
    /// The number of bytes of the stored object: label and frame.
    pub stored_size: u64,
}

impl StoredArtifact {
    /// The part of it that a release names.
    pub fn expected(&self) -> ArtifactDigest {
        ArtifactDigest { digest: self.digest.clone(), size: self.size }
    }
}

/// Compresses an artifact and puts its label in front.
pub(crate) fn pack(bytes: &[u8]) -> io::Result<(Vec<u8>, ArtifactDigest)> {
    let size = bytes.len() as u64;
    let mut object = vec![0; LABEL_BYTES];
    object.reserve(bytes.len() / 3);
    zstd::stream::copy_encode(bytes, &mut object, LEVEL)?;
    let (label, frame) = object.split_at_mut(LABEL_BYTES);
    let digest = Sha256::digest(&*frame);
    let content = u32::try_from(LABEL_CONTENT).unwrap_or_default();
    let mut label = label;
    label.write_all(&LABEL_MAGIC)?;
    label.write_all(&content.to_le_bytes())?;
    label.write_all(&digest)?;
    label.write_all(&size.to_le_bytes())?;
    Ok((object, ArtifactDigest { digest: hex(&digest), size }))
}

/// Reads the label at the start of a stored artifact; none when there is no whole one.
pub(crate) fn label(object: &[u8]) -> Option<ArtifactDigest> {
    let content = object.strip_prefix(&LABEL_MAGIC)?.get(4..4 + LABEL_CONTENT)?;
    let (digest, size) = content.split_at_checked(DIGEST_BYTES)?;
    Some(ArtifactDigest { digest: hex(digest), size: u64::from_le_bytes(size.try_into().ok()?) })
}

/// Why a stored artifact does not unpack to what was expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// The bytes that came are not the artifact; says what they are.
    #[error("{0}")]
    Damaged(String),
    /// What they should have been written to failed.
    #[error(transparent)]
    Output(io::Error),
}

/// Takes a stored artifact piece by piece and writes the artifact itself to `W`.
pub(crate) struct Unpack<W: Write> {
    decoder: Decoder<'static, Bounded<W>>,
    expected: ArtifactDigest,
    hash: Sha256,
    /// How much of the label is still to come.
    label: usize,
}

impl<W: Write> Unpack<W> {
    pub(crate) fn new(output: W, expected: ArtifactDigest) -> io::Result<Self> {
        let output = Bounded { output, written: 0, bound: expected.size, failure: None };
        let decoder = Decoder::new(output)?;
        Ok(Self { decoder, expected, hash: Sha256::new(), label: LABEL_BYTES })
    }

    /// Takes the next bytes of the stored object.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        let (label, frame) = bytes.split_at(self.label.min(bytes.len()));
        self.label -= label.len();
        self.hash.update(frame);
        let result = self.decoder.write_all(frame);
        self.judge(result)
    }

    /// Checks that all that came is the expected artifact, and gives the output back.
    pub(crate) fn finish(mut self) -> Result<W, UnpackError> {
        let result = self.decoder.flush();
        self.judge(result)?;
        let Bounded { output, written, .. } = self.decoder.into_inner();
        let found = hex(&self.hash.finalize());
        if found == self.expected.digest && written == self.expected.size {
            return Ok(output);
        }
        Err(UnpackError::Damaged(format!("{found} ({written} bytes)")))
    }

    fn judge(&mut self, result: io::Result<()>) -> Result<(), UnpackError> {
        let Err(error) = result else { return Ok(()) };
        let bounded = self.decoder.get_mut();
        Err(match bounded.failure.take() {
            Some(failure) => UnpackError::Output(failure),
            None if bounded.written > bounded.bound => {
                UnpackError::Damaged(format!("more than {} bytes", bounded.bound))
            }
            None => UnpackError::Damaged(format!("no zstd frame ({error})")),
        })
    }
}

/// Counts what it passes on, stops when there is more than there should be, and remembers whether it was the output
/// that failed.
struct Bounded<W> {
    output: W,
    written: u64,
    bound: u64,
    failure: Option<io::Error>,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written += bytes.len() as u64;
        if self.written > self.bound {
            return Err(io::Error::other("too long"));
        }
        if let Err(error) = self.output.write_all(bytes) {
            let seen = io::Error::new(error.kind(), error.to_string());
            self.failure = Some(error);
            return Err(seen);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(object: &[u8], expected: &ArtifactDigest) -> Result<Vec<u8>, UnpackError> {
        let mut unpack = Unpack::new(Vec::new(), expected.clone()).unwrap();
        for piece in object.chunks(7) {
            unpack.push(piece)?;
        }
        unpack.finish()
    }

    fn sample() -> Vec<u8> {
        (0..200_000_u32).flat_map(|n| (n % 251 * n).to_le_bytes()).collect()
    }

    #[test]
    fn comes_back_as_it_was_in_pieces_of_any_size() {
        for bytes in [Vec::new(), b"x".to_vec(), sample()] {
            let (object, digest) = pack(&bytes).unwrap();
            assert_eq!(unpack(&object, &digest).unwrap(), bytes);
            assert_eq!(digest.size, bytes.len() as u64);
        }
    }

    #[test]
    fn the_label_tells_what_is_inside_and_is_skipped_by_zstd() {
        let (object, digest) = pack(&sample()).unwrap();
        assert_eq!(label(&object[..LABEL_BYTES]), Some(digest));
        assert_eq!(label(&object[..LABEL_BYTES - 1]), None);
        assert_eq!(label(b"not an artifact, but long enough to be one, surely"), None);
        assert_eq!(zstd::decode_all(&object[..]).unwrap(), sample());
    }

    #[test]
    fn truncated_altered_and_oversized_objects_are_damaged() {
        let (object, digest) = pack(&sample()).unwrap();
        let mut altered = object.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        let shorter = ArtifactDigest { size: digest.size - 1, ..digest.clone() };
        for (object, expected) in [
            (&object[..object.len() - 1], &digest),
            (&altered[..], &digest),
            (b"\0\0\0", &digest),
            (&object, &shorter),
        ] {
            assert!(matches!(unpack(object, expected), Err(UnpackError::Damaged(_))));
        }
    }

    #[test]
    fn a_failing_output_is_not_called_damage() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (object, digest) = pack(&sample()).unwrap();
        let mut unpack = Unpack::new(Full, digest).unwrap();
        let result = unpack.push(&object).and_then(|()| unpack.finish().map(|_| ()));
        assert!(
            matches!(result, Err(UnpackError::Output(error)) if error.kind() == io::ErrorKind::StorageFull)
        );
    }
}
