//! The unit tests of the language bindings, in each language's own test runner.

use super::{Counting, Step};
use crate::{config::Config, setup::python, shell};
use std::path::{Path, PathBuf};

/// A step for each binding that has tests.
pub(super) fn tests(config: &Config) -> Vec<Step> {
    let bindings = config.root.join("lang-bindings");
    [
        python(config, &bindings.join("python")),
        go(&bindings.join("go")),
        javascript(&bindings.join("javascript")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn python(config: &Config, folder: &Path) -> Option<Step> {
    if !has_file(folder, |name| name.starts_with("test_")) {
        return None;
    }
    let program = python::PYTEST.find(config).unwrap_or_else(|| PathBuf::from("pytest"));
    let mut command = shell::command(program, &["--color=no", "-p", "no:cacheprovider"], folder);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Some(Step { name: "tests, the Python binding".to_owned(), command, counting: Counting::Pytest })
}

fn go(folder: &Path) -> Option<Step> {
    if !has_file(folder, |name| name.contains("_test.go")) {
        return None;
    }
    let command = shell::command("go", &["test", "-v", "./..."], folder);
    Some(Step { name: "tests, the Go binding".to_owned(), command, counting: Counting::Go })
}

fn javascript(folder: &Path) -> Option<Step> {
    if !has_file(folder, |name| name.contains(".test.")) {
        return None;
    }
    let command = shell::command("node", &["--test", "--test-reporter=tap"], folder);
    Some(Step {
        name: "tests, the JavaScript binding".to_owned(),
        command,
        counting: Counting::Tap,
    })
}

/// Whether a file below `folder` has a name that `matches`; installed dependencies are not looked into.
fn has_file(folder: &Path, matches: fn(&str) -> bool) -> bool {
    let Ok(entries) = fs_err::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if path.is_dir() {
            name != "node_modules" && has_file(&path, matches)
        } else {
            matches(&name)
        }
    })
}
