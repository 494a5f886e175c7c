//! Writing a file that is mostly zeros: a heap's snapshot has more empty pages than full ones.

use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;

use fs_err::File;

/// What is left out: a page, on every processor that artifacts are for.
const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];

/// Writes to a new file that has its final length already. Pages of zeros are not written: they stay holes, which read
/// as zeros, and cost neither time nor space.
pub(super) struct Sparse {
    file: File,
    position: u64,
}

impl Sparse {
    /// Begins at the file's start.
    pub(super) fn new(file: File) -> Self {
        Self { file, position: 0 }
    }

    /// The file, with all that was written.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// The number of bytes up to the end of the page that the position is in.
    fn to_boundary(&self) -> usize {
        let within = usize::try_from(self.position % PAGE as u64).unwrap_or_default();
        PAGE - within
    }

    fn write_here(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.file().write_all_at(bytes, self.position)?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (head, pages) = bytes.split_at(self.to_boundary().min(bytes.len()) % PAGE);
        self.write_here(head)?;
        let mut rest = pages;
        while !rest.is_empty() {
            let empty = leading(rest, is_empty);
            self.position += empty as u64;
            rest = rest.get(empty..).unwrap_or_default();
            let full = leading(rest, |page| !is_empty(page));
            let (full, after) = rest.split_at(full);
            self.write_here(full)?;
            rest = after;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The length of the pages at the start of `bytes` that are all `such`.
fn leading(bytes: &[u8], such: impl Fn(&[u8]) -> bool) -> usize {
    bytes.chunks(PAGE).take_while(|page| such(page)).map(<[u8]>::len).sum()
}

fn is_empty(page: &[u8]) -> bool {
    ZEROS.starts_with(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    /// Pages: full, empty x 100, half full, empty, and a tail.
    fn content() -> Vec<u8> {
        let mut content = vec![7; PAGE];
        content.extend(vec![0; 100 * PAGE]);
        content.extend(vec![8; PAGE / 2]);
        content.extend(vec![0; PAGE / 2 + PAGE]);
        content.extend(b"tail\0\0");
        content
    }

    #[test]
    fn what_is_read_is_what_was_written_in_pieces_of_any_size() {
        for piece in [1, 3, 4095, 4096, 4097, 100_000, 1_000_000] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            let file = File::create(&path).unwrap();
            file.set_len(content().len() as u64).unwrap();
            let mut sparse = Sparse::new(file);
            for bytes in content().chunks(piece) {
                sparse.write_all(bytes).unwrap();
            }
            drop(sparse.into_file());
            assert_eq!(fs_err::read(&path).unwrap(), content(), "in pieces of {piece}");
            if piece == 100_000 {
                // 512-byte blocks; a file system without holes would have over 800.
                assert!(fs_err::metadata(&path).unwrap().blocks() < 200);
            }
        }
    }
}
