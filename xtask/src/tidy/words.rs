//! Words: no paths of one machine, no module that is named for nothing, no to-do without an issue.

use super::Finding;
use super::sources::File;

/// Folders that exist on somebody's machine only. Written in parts, so that this file does not break its own rule.
const MACHINE_PATHS: [&str; 3] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// Names that say nothing of what a module is about.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "manager", "misc"];

/// Words with one meaning in the glossary of ARCHITECTURE.md, and what they must not be called instead.
const GLOSSARY: [(&str, &str); 4] = [
    ("cwasm", "artifact"),
    ("deployment id", "release"),
    ("sandboxed module", "component"),
    ("wasm module cache", "component cache"),
];

/// Checks every text file.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let written = files.iter().filter(|file| !is_foreign(file));
    written
        .flat_map(|file| {
            paths(file).into_iter().chain(name(file)).chain(glossary(file)).chain(todos(file))
        })
        .collect()
}

/// Lock files, recorded fixtures and generated files say what their makers say.
fn is_foreign(file: &File) -> bool {
    file.is("lock") || file.is("sum") || file.path.contains("/fixtures/") || file.is_generated()
}

fn paths(file: &File) -> Vec<Finding> {
    let found = MACHINE_PATHS
        .iter()
        .filter(|path| file.text.match_indices(**path).any(|(at, _)| begins(&file.text, at)));
    found
        .map(|path| Finding::Broken(format!("{} names a path of one machine: {path}", file.path)))
        .collect()
}

/// Whether a path that is found `at` begins there, rather than being the end of another one.
fn begins(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    before.is_none_or(|character| !(character.is_alphanumeric() || "._-}~*".contains(character)))
}

fn name(file: &File) -> Option<Finding> {
    let path = file.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
    let name = path.rsplit('/').next().unwrap_or(path);
    let empty = EMPTY_NAMES.contains(&name) || name.ends_with("_impl");
    (file.is("rs") && empty)
        .then(|| Finding::Broken(format!("{}: name it for what it does", file.path)))
}

fn glossary(file: &File) -> Vec<Finding> {
    if !file.is("md") {
        return Vec::new();
    }
    let text = file.text.to_lowercase();
    let found = GLOSSARY.iter().filter(|(wrong, _)| text.contains(wrong));
    found
        .map(|(wrong, right)| {
            Finding::Broken(format!("{} says {wrong}; the word is {right}", file.path))
        })
        .collect()
}

fn todos(file: &File) -> Vec<Finding> {
    let mark = concat!("TO", "DO");
    let bare = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains(mark) && !line.contains("(#"));
    let comment =
        bare.filter(|(_, line)| line.contains("//") || line.trim_start().starts_with('#'));
    comment
        .map(|(number, _)| {
            Finding::Broken(format!("{}:{}: a {mark} needs its issue", file.path, number + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::sources::File;

    fn findings(path: &str, text: &str) -> usize {
        check(&[File { path: path.to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        assert_eq!(findings("README.md", concat!("see /ro", "ot/.cache")), 1);
        assert_eq!(findings("README.md", "see ~/.cache"), 0);
        assert_eq!(findings("README.md", concat!("see source/wo", "rk/target")), 0);
    }

    #[test]
    fn modules_are_named_for_what_they_do() {
        assert_eq!(findings("host/src/utils.rs", "//! A."), 1);
        assert_eq!(findings("host/src/common/mod.rs", "//! A."), 1);
        assert_eq!(findings("host/src/routes.rs", "//! A."), 0);
    }

    #[test]
    fn a_todo_names_its_issue() {
        assert_eq!(findings("host/src/a.rs", concat!("//! A.\n// TO", "DO later")), 1);
        assert_eq!(findings("host/src/a.rs", concat!("//! A.\n// TO", "DO(#12) later")), 0);
    }
}
