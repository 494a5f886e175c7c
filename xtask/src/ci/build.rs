//! Builds the programs that users run: the host by a cargo call of its own, the rest together.
//!
//! One call for both would give the host the features that the CLI asks of the engine, the compiler among them. The
//! rest is built in one call, always the same, so that no crate is compiled twice for different sets of features.

use crate::{config::Config, shell};

/// Cargo's arguments for everything but the host.
pub(crate) const ALL_BUT_THE_HOST: [&str; 3] = ["--workspace", "--exclude", "lambkin-host"];

/// Builds `bootstrap` and `lambkin`, and the tests when `targets` says so.
pub(crate) fn programs(config: &Config, targets: Targets) -> anyhow::Result<()> {
    shell::say("building the host");
    shell::run(shell::command("cargo", &["build", "--package", "lambkin-host"], &config.root))?;
    shell::say("building everything else");
    let mut rest = shell::command("cargo", &["build"], &config.root);
    rest.args(ALL_BUT_THE_HOST);
    if targets == Targets::All {
        rest.arg("--all-targets");
    }
    shell::run(rest)
}

/// What to build beside libraries and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Targets {
    /// Nothing.
    Programs,
    /// Tests and examples too.
    All,
}
