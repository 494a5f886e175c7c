//! `userfaultfd` as far as paging needs it; the numbers are those of Linux's `include/uapi/linux/userfaultfd.h`.
#![expect(unsafe_code, reason = "the kernel's interface is one of addresses")]

use super::mappings::Mapping;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::OwnedFd;
use rustix::ioctl::{Setter, Updater, ioctl, opcode};
use rustix::mm::{UserfaultfdFlags, userfaultfd};
use std::io;
use std::ops::Range;

/// The group of its requests.
const GROUP: u8 = 0xAA;
const API: u64 = 0xAA;
/// Pages of anonymous files can be watched.
const FEATURE_MISSING_SHMEM: u64 = 1 << 5;
/// What is asked for: pages that are not there.
const MODE_MISSING: u64 = 1;
/// An event of its kind, and where the address is in it.
const EVENT_PAGEFAULT: u8 = 0x12;
const EVENT: usize = 32;
const ADDRESS: Range<usize> = 16..24;
/// Pages that are touched by the kernel for the process are not watched: for that, Linux asks for a privilege.
const USER_MODE_ONLY: UserfaultfdFlags = UserfaultfdFlags::from_bits_retain(1);

#[repr(C)]
struct UffdApi {
    api: u64,
    features: u64,
    ioctls: u64,
}

#[repr(C)]
struct UffdRange {
    start: u64,
    length: u64,
}

#[repr(C)]
struct UffdRegister {
    range: UffdRange,
    mode: u64,
    ioctls: u64,
}

const UFFDIO_API: u32 = opcode::read_write::<UffdApi>(GROUP, 0x3F);
const UFFDIO_REGISTER: u32 = opcode::read_write::<UffdRegister>(GROUP, 0);
const UFFDIO_WAKE: u32 = opcode::read::<UffdRange>(GROUP, 2);

/// Where the kernel says which pages were touched.
pub(super) struct Faults(OwnedFd);

impl Faults {
    pub(super) fn new() -> io::Result<Self> {
        let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK | USER_MODE_ONLY;
        // SAFETY: it is used for mappings of files of ours alone, whose holes are filled with what belongs there.
        let faults = unsafe { userfaultfd(flags)? };
        let mut api = UffdApi { api: API, features: FEATURE_MISSING_SHMEM, ioctls: 0 };
        // SAFETY: the structure is the one that this request reads and writes.
        unsafe { ioctl(&faults, Updater::<UFFDIO_API, _>::new(&mut api))? };
        Ok(Self(faults))
    }

    /// Watches a mapping, which may be watched already.
    pub(super) fn watch(&self, mapping: &Mapping) -> io::Result<()> {
        let mut register =
            UffdRegister { range: range(&mapping.addresses), mode: MODE_MISSING, ioctls: 0 };
        // SAFETY: as above.
        unsafe { ioctl(&self.0, Updater::<UFFDIO_REGISTER, _>::new(&mut register))? };
        Ok(())
    }

    /// Lets those go on who wait for these pages.
    pub(super) fn resume(&self, pages: Range<u64>) -> io::Result<()> {
        // SAFETY: as above.
        unsafe { ioctl(&self.0, Setter::<UFFDIO_WAKE, _>::new(range(&pages)))? };
        Ok(())
    }

    /// Calls `fill` with each address that was touched, until it is stopped or fails.
    pub(super) fn each(
        &self,
        stop: &Stop,
        mut fill: impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let mut waited =
                [PollFd::new(&self.0, PollFlags::IN), PollFd::new(&stop.0, PollFlags::IN)];
            match poll(&mut waited, None) {
                Err(rustix::io::Errno::INTR) => continue,
                outcome => outcome?,
            };
            let [_, stopped] = waited;
            if stopped.revents().contains(PollFlags::IN) {
                return Ok(());
            }
            while let Some(address) = self.next()? {
                fill(address)?;
            }
        }
    }

    /// The next address that was touched, if any was.
    fn next(&self) -> io::Result<Option<u64>> {
        let mut event = [0; EVENT];
        match rustix::io::read(&self.0, &mut event) {
            Err(rustix::io::Errno::AGAIN) => return Ok(None),
            outcome => outcome?,
        };
        let address = event.get(ADDRESS).and_then(|bytes| bytes.try_into().ok());
        match (event.first(), address) {
            (Some(&EVENT_PAGEFAULT), Some(address)) => Ok(Some(u64::from_ne_bytes(address))),
            // Others are told only to who asks for them.
            _ => Err(io::Error::other(format!("an event of another kind: {event:?}"))),
        }
    }
}

/// Ends the wait for the next fault.
pub(super) struct Stop(OwnedFd);

impl Stop {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC)?))
    }

    pub(super) fn now(&self) {
        // It fails only when it is full, and then it has been said often enough.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

fn range(addresses: &Range<u64>) -> UffdRange {
    UffdRange { start: addresses.start, length: addresses.end - addresses.start }
}
