//! Systems that do not tell which pages were written: there are no gaps to close.

use std::io;
use std::ops::Range;

pub(super) fn close_gaps(_bring: impl Fn(&Range<u64>) -> io::Result<bool>) -> io::Result<bool> {
    Ok(true)
}
