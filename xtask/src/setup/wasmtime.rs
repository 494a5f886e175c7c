//! wasmtime's own command, whose `wasmtime serve` the benches compare `lambkin serve` with: of the version that the engine
//! is made of, and built as the host is.

use super::{Outcome, cargo_tool};
use crate::config::Config;
use std::path::PathBuf;

const VERSION: &str = "48.0.8";

/// What `wasmtime compile` and `wasmtime serve` need, and nothing that would slow them.
const FEATURES: &str = "run,serve,compile,parallel-compilation,pooling-allocator,component-model,component-model-async";

/// Where the program is once it is installed.
pub(crate) fn program(config: &Config) -> PathBuf {
    config.tool(&format!("wasmtime-cli-{VERSION}")).join("bin/wasmtime")
}

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if program(config).is_file() {
        return Ok(Outcome::Present(VERSION.to_owned()));
    }
    let options = [
        "--config=profile.release.lto=\"fat\"",
        "--config=profile.release.codegen-units=1",
        "--no-default-features",
        "--features",
        FEATURES,
    ];
    cargo_tool::install(config, "wasmtime-cli", VERSION, &options)?;
    Ok(Outcome::Installed(VERSION.to_owned()))
}
