//! Runs outside tools: finds them, captures what they print, and turns a failure into a [`BuildFailure`].

use crate::BuildFailure;
use anyhow::{Context as _, Result};
use std::process::{Command, Stdio};

/// Runs `command` to its end and returns its standard output; a failure carries everything it printed.
///
/// `what` is what the user asked for, for example `go build`; it opens the one-line summary.
pub fn run(command: &mut Command, what: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| {
        format!("could not start {program}; `lambkin doctor` tells what is missing")
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !stdout.trim().is_empty() {
        text.push_str(&stdout);
    }
    Err(BuildFailure { output: text, summary: format!("{what} failed: {}", output.status) }.into())
}

/// The first line that `program --version` (or `arguments`) prints, or why it could not be run.
pub fn version(program: &str, arguments: &[&str]) -> Result<String, String> {
    match Command::new(program).args(arguments).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(text.lines().next().unwrap_or_default().trim().to_owned())
        }
        Ok(output) => Err(format!("{program} failed: {}", output.status)),
        Err(error) => Err(format!("{program}: {error}")),
    }
}
