//! cargo-deny, which `cargo xtask ci` checks licences, sources and duplicate crates with.

use super::{Outcome, cargo_tool};
use crate::{config::Config, shell};
use std::path::PathBuf;

const VERSION: &str = "0.20.2";

/// Where the program is once it is installed.
pub(crate) fn program(config: &Config) -> PathBuf {
    config.tool(&format!("cargo-deny-{VERSION}")).join("bin/cargo-deny")
}

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if shell::succeeds(shell::command(program(config), &["--version"], &config.root)) {
        return Ok(Outcome::Present(VERSION.to_owned()));
    }
    cargo_tool::install(config, "cargo-deny", VERSION, &[cargo_tool::DEBUG])?;
    Ok(Outcome::Installed(VERSION.to_owned()))
}
