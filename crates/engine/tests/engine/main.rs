//! The engine on real components: each world, the limits, the grants, and artifacts that do not fit.
//!
//! The guests are in `tests/guests` and are built by the first test that needs one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

mod ahead;
mod artifacts;
mod commands;
mod functions;
mod http;
mod limits;
mod outbound;
mod paging;
mod resident;
mod reuse;
mod sharing;
mod support;
mod teardown;
