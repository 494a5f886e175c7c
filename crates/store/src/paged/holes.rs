//! Files in memory with holes, which Linux has. Elsewhere nothing is paged.

use std::io;

use fs_err::File;

/// A file of so many bytes in memory, all of it a hole.
#[cfg(target_os = "linux")]
pub(crate) fn file_of_holes(length: u64) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};

    let file = std::fs::File::from(memfd_create("artifact", MemfdFlags::CLOEXEC)?);
    file.set_len(length)?;
    Ok(File::from_parts(file, "an artifact in memory"))
}

/// Makes pages of zeros where there are holes; what is there stays.
#[cfg(target_os = "linux")]
pub(super) fn fill(file: &File, at: u64, length: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};

    Ok(fallocate(file.file(), FallocateFlags::empty(), at, length)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn file_of_holes(_length: u64) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn fill(_file: &File, _at: u64, _length: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
