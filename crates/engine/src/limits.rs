//! The memory bound of one invocation.
//!
//! Counts what the guest's linear memories and tables take together, refuses growth beyond the bound and remembers both
//! the peak and that it refused: a guest that dies afterwards has run out of memory, whatever its own last words are.

use wasmtime::ResourceLimiter;

/// Bytes that one element of a table takes in wasmtime.
const TABLE_ELEMENT: usize = size_of::<usize>();

/// Bounds and measures the memory of one store.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u64,
    used: u64,
    peak: u64,
    refused: bool,
    new_memory: bool,
}

impl Limiter {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0, peak: 0, refused: false, new_memory: false }
    }

    /// The most that was in use at once, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    /// The bound, when growth beyond it was refused.
    pub(crate) fn refused(&self) -> Option<u64> {
        self.refused.then_some(self.limit)
    }

    /// Whether a memory was made since this was last asked.
    pub(crate) fn has_new_memory(&mut self) -> bool {
        std::mem::take(&mut self.new_memory)
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let Some(growth) = desired.checked_sub(current) else { return true };
        let used = self.used.saturating_add(growth as u64);
        if used > self.limit {
            self.refused = true;
            return false;
        }
        self.used = used;
        self.peak = self.peak.max(used);
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        // wasmtime asks for a memory's first size as for any other.
        self.new_memory |= current == 0;
        Ok(self.grow(current, desired))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(current.saturating_mul(TABLE_ELEMENT), desired.saturating_mul(TABLE_ELEMENT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_bound() {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        assert!(limiter.table_growing(0, 10, None).unwrap());
        assert_eq!((limiter.peak(), limiter.refused()), (680, None));
        assert!(!limiter.memory_growing(600, 1000, None).unwrap());
        assert_eq!((limiter.peak(), limiter.refused()), (680, Some(1000)));
    }

    #[test]
    fn growth_beyond_the_guests_own_maximum_is_not_our_refusal() {
        let mut limiter = Limiter::new(1000);
        assert!(!limiter.memory_growing(0, 600, Some(500)).unwrap());
        assert_eq!((limiter.peak(), limiter.refused()), (0, None));
    }
}
