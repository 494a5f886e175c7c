//! The house rules that no compiler knows: layering, file sizes, module docs, words.

mod layers;
mod sources;
mod words;

use crate::shell;
use std::path::Path;
use std::process::ExitCode;

/// What a rule found.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// The rule is broken.
    Broken(String),
    /// The rule is close to being broken.
    Close(String),
}

/// Checks every rule, prints what is broken, and says so by the exit code.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let files = sources::files(root)?;
    let mut findings = layers::check(&layers::packages(root)?);
    findings.extend(sources::check(&files));
    findings.extend(words::check(&files));
    let mut broken = 0;
    for finding in &findings {
        match finding {
            Finding::Broken(text) => {
                broken += 1;
                shell::say(&format!("tidy: error: {text}"));
            }
            Finding::Close(text) => shell::say(&format!("tidy: warning: {text}")),
        }
    }
    shell::say(&format!("tidy: {} files, {broken} errors", files.len()));
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
