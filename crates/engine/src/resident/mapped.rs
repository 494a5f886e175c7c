//! Finds the linear memories of instances among all that is mapped into the process.

use std::ops::Range;

/// One line of `/proc/self/maps`.
struct Mapping {
    range: Range<u64>,
    access: Access,
    has_file: bool,
}

#[derive(PartialEq, Clone, Copy)]
enum Access {
    None,
    Private,
    Other,
}

/// The memories that begin as a snapshot: what may be written between two guards, in part a private copy of a file.
///
/// Nothing else in a process looks like that: a library's data has its code in front of it.
pub(super) fn memories(maps: &str) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    // Where the written part began, whether a file was seen in it, and where it ends so far.
    let mut open: Option<(u64, bool)> = None;
    let mut end = 0;
    for mapping in maps.lines().filter_map(parse) {
        if mapping.range.start != end {
            open = None;
        }
        match (mapping.access, open) {
            (Access::None, before) => {
                if let Some((start, true)) = before
                    && start < end
                {
                    found.push(start..end);
                }
                open = Some((mapping.range.end, false));
            }
            (Access::Private, Some((start, has_file))) => {
                open = Some((start, has_file || mapping.has_file));
            }
            _ => open = None,
        }
        end = mapping.range.end;
    }
    found
}

fn parse(line: &str) -> Option<Mapping> {
    let mut parts = line.split_ascii_whitespace();
    let (start, end) = parts.next()?.split_once('-')?;
    let access = match parts.next()? {
        "---p" => Access::None,
        "rw-p" => Access::Private,
        _ => Access::Other,
    };
    let has_file = parts.nth(2)? != "0";
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(Mapping { range: number(start)?..number(end)?, access, has_file })
}

#[cfg(test)]
mod tests {
    use super::memories;

    #[test]
    fn a_memory_lies_between_guards_and_has_a_file() {
        let maps = "\
            1000-2000 r-xp 00000000 fd:00 7 /lib/x.so\n\
            2000-3000 rw-p 00001000 fd:00 7 /lib/x.so\n\
            3000-4000 ---p 00000000 00:00 0 \n\
            4000-5000 rw-p 00000000 00:00 0 \n\
            5000-7000 rw-p 00009000 fd:00 8 /tmp/artifact\n\
            7000-9000 rw-p 00000000 00:00 0 \n\
            9000-b000 ---p 00000000 00:00 0 \n\
            b000-c000 rw-p 00000000 00:00 0 \n\
            c000-d000 ---p 00000000 00:00 0 \n\
            d000-e000 rw-p 00000000 00:01 9 /memfd:wasm-memory-image (deleted)\n\
            e000-f000 ---p 00000000 00:00 0 \n\
            f000-10000 rw-p 00000000 fd:00 8 /tmp/artifact\n\
            11000-12000 ---p 00000000 00:00 0 \n\
            12000-13000 rw-p 00000000 fd:00 8 /tmp/artifact\n";
        assert_eq!(memories(maps), [0x4000..0x9000, 0xd000..0xe000]);
        assert!(memories("not a line\n").is_empty());
    }
}
