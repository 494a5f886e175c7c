//! Builds the programs that users run, each by a cargo call of its own.

use crate::{config::Config, shell};

/// Builds `bootstrap` and `lambkin`.
///
/// One call for both would give the host the features that the CLI asks of the engine, the compiler among them.
pub(crate) fn programs(config: &Config) -> anyhow::Result<()> {
    for package in ["lambkin-host", "lambkin-cli"] {
        shell::say(&format!("building {package}"));
        shell::run(shell::command("cargo", &["build", "--package", package], &config.root))?;
    }
    Ok(())
}
