//! componentize-py in a virtual environment of Lambkin's own, made once from the user's Python.

use crate::{BuildFailure, Home, Progress, tools};
use anyhow::{Context as _, Result, anyhow};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release of componentize-py that components are built with; it brings `CPython` 3.14.
pub(super) const VERSION: &str = "0.25.1";

/// Interpreters to look for, first the user's own choice.
const INTERPRETERS: [&str; 6] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// componentize-py's wheel needs at least this Python.
const OLDEST: (u32, u32) = (3, 10);

/// The virtual environment with componentize-py in it.
pub(super) struct Tool {
    folder: PathBuf,
}

impl Tool {
    /// A call of the environment's Python that heeds no setting of the user's own environments.
    pub(super) fn python(&self) -> Command {
        let mut command = Command::new(interpreter_of(&self.folder));
        for name in ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_USER"] {
            command.env_remove(name);
        }
        command
    }
}

/// The Python that would be used, for `lambkin doctor`.
pub(super) fn python() -> Result<String, String> {
    interpreter().map(|(program, version)| format!("{version} ({program})"))
}

/// The installed componentize-py, for `lambkin doctor`.
pub(super) fn installed(home: &Home) -> Result<String, String> {
    let folder = folder(home);
    if interpreter_of(&folder).exists() {
        Ok(format!("componentize-py {VERSION} ({})", folder.display()))
    } else {
        Err("not installed yet".to_owned())
    }
}

/// The tool, installed on first use; two processes may race, one of them wins.
pub(super) fn find_or_install(home: &Home, progress: Progress<'_>) -> Result<Tool> {
    let folder = folder(home);
    if !interpreter_of(&folder).exists() {
        progress(&format!("installing componentize-py {VERSION}, once"));
        install(&folder)?;
    }
    Ok(Tool { folder })
}

fn install(folder: &Path) -> Result<()> {
    let (program, _) = interpreter().map_err(|problem| {
        anyhow!("{problem}; a Python component is built with Python 3.10 or newer")
    })?;
    let parent = folder.parent().context("the tools folder has no parent")?;
    fs_err::create_dir_all(parent)?;
    let fresh = tempfile::Builder::new().prefix(".componentize-py-").tempdir_in(parent)?;
    let environment = fresh.path().join("environment");
    tools::run(Command::new(program).args(["-m", "venv"]).arg(&environment), "python3 -m venv")
        .map_err(|error| hint_at_venv(error, program))?;
    let tool = Tool { folder: environment.clone() };
    let mut pip = tool.python();
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
        .arg("--no-compile")
        .arg(format!("componentize-py=={VERSION}"));
    tools::run(&mut pip, "pip install componentize-py")?;
    match fs_err::rename(&environment, folder) {
        Ok(()) => Ok(()),
        // Another process was quicker; what it installed is the same.
        Err(_) if interpreter_of(folder).exists() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn hint_at_venv(error: anyhow::Error, program: &str) -> anyhow::Error {
    match error.downcast::<BuildFailure>() {
        Ok(failure) => anyhow!(failure).context(format!(
            "{program} cannot make a virtual environment: install its venv module (Debian: python3-venv)"
        )),
        Err(error) => error,
    }
}

/// A virtual environment may be moved as long as it is called by its interpreter, never by its scripts.
fn interpreter_of(folder: &Path) -> PathBuf {
    folder.join("bin").join("python3")
}

fn folder(home: &Home) -> PathBuf {
    home.path().join("tools").join(format!("componentize-py-{VERSION}"))
}

fn interpreter() -> Result<(&'static str, String), String> {
    let mut problem = "there is no python3".to_owned();
    for program in INTERPRETERS {
        match tools::version(program, &["--version"]) {
            Ok(version) if is_recent(&version) => return Ok((program, version)),
            Ok(version) => problem = format!("{program} is {version}, which is too old"),
            Err(_) => {}
        }
    }
    Err(problem)
}

fn is_recent(version: &str) -> bool {
    let mut numbers = version.trim_start_matches("Python ").split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_recent_python_from_an_old_one() {
        assert!(is_recent("Python 3.10.0"));
        assert!(is_recent("Python 3.14.0rc1"));
        assert!(!is_recent("Python 3.9.18"));
        assert!(!is_recent("Python 2.7.18"));
        assert!(!is_recent("pyenv: python3.12: command not found"));
    }
}
