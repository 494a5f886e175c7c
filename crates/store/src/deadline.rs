//! The time an operation may take, all its attempts together.

use std::time::Duration;

use tokio::time::Instant;

/// A point in time after which nothing is tried again, and the span it was derived from (for error messages).
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    within: Duration,
}

impl Deadline {
    /// The deadline that ends `within` from now.
    pub fn after(within: Duration) -> Self {
        Self { at: Instant::now() + within, within }
    }

    /// The time left; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The whole span the operation was given.
    pub fn within(&self) -> Duration {
        self.within
    }
}
