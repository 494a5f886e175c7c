//! wit-bindgen's command: for the SDK's bindings in Rust, and for a foreign component in Go.

use super::{Outcome, cargo_tool};
use crate::config::Config;
use std::path::PathBuf;

/// That of the runtime which `wasip2` uses, so that a guest has one runtime.
const VERSION: &str = "0.57.1";

/// The program, compiled first when it is missing.
pub(crate) fn program(config: &Config) -> anyhow::Result<PathBuf> {
    let options = [cargo_tool::DEBUG, "--no-default-features", "--features", "rust,go"];
    let folder = cargo_tool::install(config, "wit-bindgen-cli", VERSION, &options)?;
    Ok(folder.join("wit-bindgen"))
}

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    let was_there = config.tool(&format!("wit-bindgen-cli-{VERSION}")).join("bin").is_dir();
    program(config)?;
    let version = VERSION.to_owned();
    Ok(if was_there { Outcome::Present(version) } else { Outcome::Installed(version) })
}
