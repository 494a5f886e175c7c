//! The main job in one command: the polyglot example on the local cloud.

use crate::{ci::build, config::Config, setup, shell};
use std::process::{ExitCode, Stdio};

/// Sets up, builds the host and the CLI, and runs `lambkin dev` on `examples/polyglot` with `arguments` added.
pub(crate) fn run(config: &Config, arguments: &[String]) -> anyhow::Result<ExitCode> {
    setup::for_building(config)?;
    build::programs(config, build::Targets::Programs)?;
    let example = config.root.join("examples/polyglot");
    let mut command = shell::command(config.program("lambkin"), &["dev"], &example);
    command.args(arguments).stdin(Stdio::inherit());
    shell::run(command)?;
    Ok(ExitCode::SUCCESS)
}
