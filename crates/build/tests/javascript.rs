//! JavaScript and TypeScript components: small apps are bundled and snapshotted by the real tools and called on the
//! engine. The packages that they use come from npm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "javascript/bad_input.rs"]
mod bad_input;
#[path = "javascript/echo.rs"]
mod echo;
#[path = "javascript/function.rs"]
mod function;
mod rig;
#[path = "rig/origin.rs"]
mod server;
#[path = "javascript/starlingmonkey.rs"]
mod starlingmonkey;
#[path = "javascript/web.rs"]
mod web;

use lambkin_build::javascript;
use rig::Language;
use std::time::Duration;

const JAVASCRIPT: Language = Language { name: "javascript", build: javascript::build };

/// After this time a JavaScript clock, which counts milliseconds, shows another one.
const CLOCK_STEP: Duration = Duration::from_millis(2);

/// The line of a fixture's file that contains `text`, for a stack frame that names it.
fn line_of(file: &str, text: &str) -> usize {
    file.lines().position(|line| line.contains(text)).unwrap() + 1
}
