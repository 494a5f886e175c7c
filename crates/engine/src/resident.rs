//! Keeps the pages that a guest writes in place from one instance to the next.
//!
//! The pool sets a memory back page by page, but no more than 32 runs of written pages of it; what lies behind them is
//! given back to Linux, read or written, and the next instance pays a page fault for each page that it touches there, which
//! costs twenty times what setting it back does. An interpreter writes to a hundred runs and more. So after some
//! calls of a component the smallest gaps between its runs are closed: the pages there become private copies as well, with
//! the content that they have, until the runs are few enough. The guest sees no difference, and the pool sets
//! those pages back like all others.
//!
//! Only where Linux tells which pages were written, and where the pool asks for it: see `config.rs`.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
#[path = "resident/no_linux.rs"]
mod linux;
#[cfg(target_os = "linux")]
mod mapped;
#[cfg(target_os = "linux")]
mod plan;

use crate::paging::Pager;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// After this many calls a component's memory is looked at, then after twice as many, and so on.
const FIRST_LOOK: u32 = 3;

/// Smaller memories, in pages of 64 KiB, have a stack and a little data, and are written in few runs: a Rust component
/// begins with 17, `QuickJS` with 36.
const WORTH_A_LOOK: u64 = 24;

/// The most calls from one look to the next: what a component writes changes with what it is asked.
const LONGEST_REST: u32 = 1024;

/// How many calls later to look once more for what was not there yet.
const SOON: u32 = 16;

/// When to look at the memories of one component's instances.
#[derive(Debug)]
pub(crate) struct Resident {
    is_worth_it: bool,
    calls: AtomicU32,
    /// Whether the last look found gaps that could not be closed yet.
    is_unfinished: AtomicBool,
}

impl Resident {
    /// For a component of an engine with the pool, or without, whose largest memory has so many of WebAssembly's pages at
    /// first.
    pub(crate) fn new(is_pooled: bool, largest_memory: u64) -> Self {
        Self {
            is_worth_it: is_pooled && largest_memory >= WORTH_A_LOOK,
            calls: AtomicU32::new(0),
            is_unfinished: AtomicBool::new(false),
        }
    }

    /// To be called at the end of a call, while its instance lives and unless it will serve once more. `pager` has what
    /// is not there yet of the component's artifact.
    pub(crate) fn settle(&self, pager: Option<&Pager>) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let again = calls.is_multiple_of(SOON) && self.is_unfinished.load(Ordering::Relaxed);
        if self.is_worth_it && (again || is_due(calls)) {
            // What cannot be looked at, or not be kept, costs time and nothing else.
            let closed =
                linux::close_gaps(|gap| pager.map_or(Ok(true), |it| it.bring_at_hand(gap)));
            self.is_unfinished.store(matches!(closed, Ok(false)), Ordering::Relaxed);
        }
    }
}

/// Whether the call of this number is one after which to look.
fn is_due(call: u32) -> bool {
    call.is_multiple_of(LONGEST_REST)
        || call < LONGEST_REST
            && call.is_multiple_of(FIRST_LOOK)
            && (call / FIRST_LOOK).is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rare() {
        let due: Vec<u32> = (1..5000).filter(|call| is_due(*call)).collect();
        assert_eq!(due, [3, 6, 12, 24, 48, 96, 192, 384, 768, 1024, 2048, 3072, 4096]);
    }
}
