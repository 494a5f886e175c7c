//! Linux: which pages of the instances' memories were written, and making more of them private.

use super::{mapped, plan};
use crate::config::KEEP_RESIDENT;
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use rustix::mm::{Advice, madvise};
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::sync::OnceLock;

/// Runs that are left: wasmtime sets 32 back (`MAX_REGIONS` in its `sys/unix/pagemap.rs`), and a call may write elsewhere, too.
const RUNS_LEFT: usize = 28;

/// Runs that are looked at in one memory.
const RUNS_SEEN: usize = 4096;

/// Bytes of one page of the host's memory, on both processors that artifacts are made for.
const PAGE: u64 = 4096;

/// Closes gaps in all memories that instances have at the moment, or had and are still mapped. `bring` has the addresses
/// of each filled first, since Linux itself waits for no page that is paged in, or says that it cannot now; then the answer
/// is false.
pub(super) fn close_gaps(
    bring: impl Fn(&Range<u64>) -> std::io::Result<bool>,
) -> std::io::Result<bool> {
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    let Some(pagemap) =
        PAGEMAP.get_or_init(|| fs_err::File::open("/proc/self/pagemap").ok().map(Into::into))
    else {
        return Ok(true);
    };
    let mut are_closed = true;
    let maps = fs_err::read_to_string("/proc/self/maps")?;
    let most = KEEP_RESIDENT as u64 / PAGE;
    for memory in mapped::memories(&maps) {
        let runs = written(pagemap, &memory)?;
        if runs.len() > RUNS_LEFT {
            for gap in plan::gaps(&runs, RUNS_LEFT, most) {
                let addresses = gap.start * PAGE..gap.end * PAGE;
                if bring(&addresses)? {
                    keep(&addresses);
                } else {
                    are_closed = false;
                }
            }
        }
    }
    Ok(are_closed)
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Debug, Default)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Debug, Clone, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

const WRITTEN: u64 = 1 << 1;
const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const ZERO: u64 = 1 << 5;

/// The written pages of `memory`, as pages from its first address on: those that wasmtime looks for to set them back.
fn written(pagemap: &File, memory: &Range<u64>) -> std::io::Result<Vec<Range<u64>>> {
    const PAGEMAP_SCAN: Opcode = opcode::read_write::<Scan>(b'f', 16);
    let mut regions = vec![Region::default(); RUNS_SEEN];
    let mut scan = Scan {
        size: size_of::<Scan>() as u64,
        start: memory.start,
        end: memory.end,
        vec: regions.as_mut_ptr().expose_provenance() as u64,
        vec_len: RUNS_SEEN as u64,
        category_inverted: ZERO | FILE,
        category_mask: WRITTEN | PRESENT | ZERO | FILE,
        ..Scan::default()
    };
    // SAFETY: the opcode belongs to the structure; Linux writes that, and to `vec` no more than `vec_len` regions.
    #[expect(unsafe_code, reason = "no safe interface has this ioctl")]
    unsafe {
        ioctl(pagemap.as_fd(), Updater::<PAGEMAP_SCAN, Scan>::new(&mut scan))?;
    }
    let found = regions.into_iter().take_while(|region| region.end > region.start);
    Ok(found.map(|region| region.start / PAGE..region.end / PAGE).collect())
}

/// Makes pages private copies of what they show. Where that cannot be, they stay what they are.
fn keep(addresses: &Range<u64>) {
    let (start, length) = (addresses.start, addresses.end - addresses.start);
    let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(length)) else { return };
    // SAFETY: it changes the content of no page, whatever is mapped there by now; what is not mapped is refused.
    #[expect(unsafe_code, reason = "addresses of memory that wasmtime owns")]
    let _ = unsafe {
        madvise(std::ptr::with_exposed_provenance_mut(start), length, Advice::LinuxPopulateWrite)
    };
}
