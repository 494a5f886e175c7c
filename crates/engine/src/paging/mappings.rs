//! Where a file is mapped in this process, from `/proc/self/maps`
//! (<https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html>).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;

/// One mapping of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) addresses: Range<u64>,
    /// Where in the file it begins.
    pub(super) offset: u64,
}

/// The mappings of one file, as they were when they were looked for.
pub(super) struct Mappings {
    maps: File,
    /// What `/proc` calls the file: its device and inode.
    name: String,
    text: String,
    found: Vec<Mapping>,
}

impl Mappings {
    /// None are known yet.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let stat = rustix::fs::fstat(file)?;
        let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
        let name = format!(" {major:02x}:{minor:02x} {} ", stat.st_ino);
        let maps = File::open("/proc/self/maps")?;
        Ok(Self { maps, name, text: String::new(), found: Vec::new() })
    }

    /// Looks where the file is mapped now.
    pub(super) fn look(&mut self) -> io::Result<()> {
        self.text.clear();
        self.maps.rewind()?;
        self.maps.read_to_string(&mut self.text)?;
        let lines = self.text.lines().filter(|line| line.contains(&self.name));
        self.found = lines
            .map(|line| parse(line).ok_or_else(|| io::Error::other(format!("a mapping {line:?}"))))
            .collect::<io::Result<_>>()?;
        Ok(())
    }

    pub(super) fn each(&self, visit: impl FnMut(&Mapping) -> io::Result<()>) -> io::Result<()> {
        self.found.iter().try_for_each(visit)
    }

    /// The mapping that has this address.
    pub(super) fn at(&self, address: u64) -> Option<Mapping> {
        self.found.iter().find(|mapping| mapping.addresses.contains(&address)).cloned()
    }
}

/// Addresses and offset of a line such as `7f00-7f10 rw-p 00001000 00:01 42 /memfd:artifact (deleted)`.
fn parse(line: &str) -> Option<Mapping> {
    let mut words = line.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    let hex = |word| u64::from_str_radix(word, 16).ok();
    let offset = hex(words.nth(1)?)?;
    Some(Mapping { addresses: hex(start)?..hex(end)?, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_addresses_and_offset() {
        let line = "7f3a00000000-7f3a00002000 r-xp 00001000 00:01 42 /memfd:artifact (deleted)";
        let mapping = Mapping { addresses: 0x7f3a_0000_0000..0x7f3a_0000_2000, offset: 0x1000 };
        assert_eq!(parse(line), Some(mapping));
        assert_eq!(parse("no mapping"), None);
    }

    #[test]
    fn a_mapping_of_this_process_is_found() {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        let mut mappings = Mappings::of(&file).unwrap();
        mappings.look().unwrap();
        let code = a_mapping_of_this_process_is_found as fn() as usize as u64;
        let mapping = mappings.at(code).unwrap();
        assert!(mapping.addresses.contains(&code));
        assert_eq!(mappings.at(1), None);
    }
}
