//! Programs that cargo compiles once, each version in a folder of its own in the cache.

use crate::{config::Config, shell};
use std::path::PathBuf;

/// A program that is run now and then is compiled quickly.
pub(super) const DEBUG: &str = "--debug";

/// Compiles the program of the crate `name` unless it is there, and returns the folder of its binary. The options are
/// those of `cargo install`.
pub(crate) fn install(
    config: &Config,
    name: &str,
    version: &str,
    options: &[&str],
) -> anyhow::Result<PathBuf> {
    let folder = config.tool(&format!("{name}-{version}"));
    if folder.join("bin").is_dir() {
        return Ok(folder.join("bin"));
    }
    shell::say(&format!("setup: compiling {name} {version}, once; this takes some minutes"));
    let mut command = shell::command("cargo", &["install", "--quiet", "--locked"], &config.cache);
    command.args(options).arg(format!("{name}@{version}")).arg("--root").arg(&folder);
    command.env_remove("CARGO_TARGET_DIR");
    shell::run(command)?;
    Ok(folder.join("bin"))
}
