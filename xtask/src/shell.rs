//! Runs commands and tells the person at the terminal what goes on. The only module that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to whoever runs it")]

use anyhow::{Context as _, bail};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Prints a line of progress.
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Prints an error and its causes.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// What cargo tells the programs it runs about their package. Handed on to another cargo, it makes build scripts that
/// look at these (ring's does) run again, and all that depends on them be compiled again.
const OF_THIS_PACKAGE: [&str; 8] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// A command that runs in `folder`.
pub(crate) fn command(
    program: impl AsRef<std::ffi::OsStr>,
    arguments: &[&str],
    folder: &Path,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for name in OF_THIS_PACKAGE {
        command.env_remove(name);
    }
    command
}

/// Whether `command` can be run and succeeds; what it prints is dropped.
pub(crate) fn succeeds(mut command: Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs `command` and lets it print.
pub(crate) fn run(mut command: Command) -> anyhow::Result<()> {
    let text = describe(&command);
    let status = command.status().with_context(|| format!("could not start {text}"))?;
    if !status.success() {
        bail!("{text} failed: {status}");
    }
    Ok(())
}

/// Runs `command` and returns what it wrote on standard output.
pub(crate) fn output(mut command: Command) -> anyhow::Result<String> {
    let text = describe(&command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start {text}"))?;
    if !output.status.success() {
        bail!("{text} failed: {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("the output of {text}"))
}

/// What a command did whose output is both shown and kept.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Whether it ended with status 0.
    pub(crate) success: bool,
    /// Its standard output.
    pub(crate) text: String,
}

/// Runs `command`, printing each line of its standard output as it comes.
pub(crate) fn show(mut command: Command) -> anyhow::Result<Shown> {
    let name = describe(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start {name}"))?;
    let mut text = String::new();
    if let Some(pipe) = child.stdout.take() {
        for line in BufReader::new(pipe).split(b'\n') {
            let line = line.with_context(|| format!("reading the output of {name}"))?;
            let line = String::from_utf8_lossy(&line);
            say(&line);
            text.push_str(&line);
            text.push('\n');
        }
    }
    let status = child.wait().with_context(|| format!("waiting for {name}"))?;
    Ok(Shown { success: status.success(), text })
}

fn describe(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// What `command` writes on standard output, if it can be run and succeeds; what it writes on standard error is dropped.
pub(crate) fn output_of(mut command: Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
