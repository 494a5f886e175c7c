//! Which bytes of an artifact wasmtime reads when it loads it, and which only guests touch: an artifact is an ELF file
//! whose sections tell.

use super::{PAGE, PagedFile};
use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::{Endianness, ReadCache};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// What memories begin with.
const IMAGES: &[u8] = b".rodata.wasm";

/// Machine code.
const TEXT: &[u8] = b".text";

/// Machine code, where it traps and catches and what its functions are called, which is read when it does, and what
/// memories begin with.
const OF_GUESTS: [&[u8]; 5] =
    [TEXT, b".wasmtime.traps", b".wasmtime.exceptions", b".name.wasm", IMAGES];

/// The whole pages outside the sections that only guests touch, ascending. What is read for that is brought.
pub(crate) fn not_guest_data(paged: &PagedFile) -> io::Result<Vec<Range<u64>>> {
    let size = paged.file.metadata()?.len();
    let mut of_guests = sections(paged, &OF_GUESTS)?;
    of_guests.sort_unstable_by_key(|range| range.start);
    let mut rest = Vec::new();
    let mut from = 0;
    for range in of_guests {
        // A page that a guest shares with others is among theirs.
        let (start, end) = (range.start.next_multiple_of(PAGE), range.end - range.end % PAGE);
        if start < end {
            rest.push(from..start);
            from = end;
        }
    }
    rest.push(from..size.next_multiple_of(PAGE));
    rest.retain(|range| !range.is_empty());
    Ok(rest)
}

/// Where what memories begin with is.
#[cfg(feature = "compile")]
pub(super) fn images(paged: &PagedFile) -> io::Result<Vec<Range<u64>>> {
    sections(paged, &[IMAGES])
}

/// Where machine code is.
#[cfg(feature = "compile")]
pub(super) fn text(paged: &PagedFile) -> io::Result<Vec<Range<u64>>> {
    sections(paged, &[TEXT])
}

fn sections(paged: &PagedFile, names: &[&[u8]]) -> io::Result<Vec<Range<u64>>> {
    let artifact = ReadCache::new(Brought { paged, at: 0 });
    let artifact = &artifact;
    let header = FileHeader64::<Endianness>::parse(artifact).map_err(io::Error::other)?;
    let endian = header.endian().map_err(io::Error::other)?;
    let sections = header.sections(endian, artifact).map_err(io::Error::other)?;
    let mut ranges = Vec::new();
    for section in sections.iter() {
        let name = sections.section_name(endian, section).map_err(io::Error::other)?;
        if names.contains(&name)
            && let Some((start, length)) = section.file_range(endian)
        {
            ranges.push(start..start.saturating_add(length));
        }
    }
    Ok(ranges)
}

/// Reads the file, and has it filled where it does.
struct Brought<'a> {
    paged: &'a PagedFile,
    at: u64,
}

impl Read for Brought<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let PagedFile { file, pages } = self.paged;
        let end = self.at.saturating_add(buffer.len() as u64).min(length(file)?);
        if self.at >= end {
            return Ok(0);
        }
        pages.bring(self.at - self.at % PAGE..end.next_multiple_of(PAGE))?;
        let read = file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Brought<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |start: u64, by| {
            start.checked_add_signed(by).ok_or(io::Error::from(io::ErrorKind::InvalidInput))
        };
        self.at = match to {
            SeekFrom::Start(at) => Ok(at),
            SeekFrom::End(by) => from(length(&self.paged.file)?, by),
            SeekFrom::Current(by) => from(self.at, by),
        }?;
        Ok(self.at)
    }
}

fn length(file: &Arc<File>) -> io::Result<u64> {
    Ok(file.metadata()?.len())
}
