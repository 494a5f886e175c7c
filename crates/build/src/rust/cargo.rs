//! Runs cargo, passes its progress on, and turns a failure into cargo's own output with one line under it.

use super::failure;
use crate::Progress;
use anyhow::Context as _;
use std::io::{BufReader, Read as _};
use std::process::{Command, Stdio};

/// Runs a `cargo build` to its end and returns the JSON messages of its standard output.
pub(super) fn run(command: &mut Command, progress: Progress<'_>) -> anyhow::Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().context("could not start cargo; `lambkin doctor` tells what is missing")?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let (messages, rendered) = std::thread::scope(|scope| {
        let rendered = scope.spawn(|| stderr.map(|pipe| follow(BufReader::new(pipe), progress)));
        let mut messages = String::new();
        let read = stdout.map(|mut pipe| pipe.read_to_string(&mut messages));
        (read.transpose().map(|_| messages), rendered.join())
    });
    let status = child.wait().context("could not wait for cargo")?;
    if !status.success() {
        let rendered = rendered.ok().flatten().unwrap_or_default();
        return Err(failure::of(&rendered, status).into());
    }
    messages.context("could not read cargo's messages")
}

/// Collects what cargo prints for people, reporting each crate as its turn comes.
fn follow(pipe: impl std::io::BufRead, progress: Progress<'_>) -> String {
    let mut text = String::new();
    for line in pipe.lines().map_while(Result::ok) {
        let trimmed = line.trim_start();
        if trimmed.starts_with("Compiling ") || trimmed.starts_with("Downloaded ") {
            progress(trimmed);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}
