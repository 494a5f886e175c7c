//! The conformance harness: what a case is, how an app gets onto the real `bootstrap`, and how answers are compared.
//!
//! The way of one case: [`case`] is read, [`app`] is built by `lambkin publish` and served by [`cloud`], [`client`]
//! sends the requests, [`compare`] judges the answers. [`known`] holds the failures that are known about.

pub mod app;
pub mod boto3;
pub mod case;
pub mod client;
pub mod cloud;
pub mod compare;
pub mod known;
pub mod log;
pub mod origin;
pub mod programs;
pub mod template;

use std::path::{Path, PathBuf};

/// The folder `tests/conformance`.
pub fn conformance_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}
