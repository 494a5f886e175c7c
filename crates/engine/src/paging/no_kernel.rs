//! Systems whose kernel lets no process page its own memory: nothing is paged there.

use super::mappings::Mapping;
use std::io;
use std::ops::Range;

/// There is none; see the module of the same name for Linux.
pub(super) enum Faults {}

impl Faults {
    pub(super) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn watch(&self, _mapping: &Mapping) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn resume(&self, _pages: Range<u64>) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn each(
        &self,
        _stop: &Stop,
        _fill: impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<()> {
        match *self {}
    }
}

/// There is nothing to end.
pub(super) enum Stop {}

impl Stop {
    pub(super) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn now(&self) {
        match *self {}
    }
}
