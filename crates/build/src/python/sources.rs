//! Copies the app's files into the work folder: componentize-py writes where it reads, and reads all it is shown.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

/// A larger file is no part of a program; a component could not open it at run time anyway.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Folders and files that other tools keep beside the sources.
const FOREIGN: [&str; 6] = ["__pycache__", "node_modules", "target", "venv", "dist", "build"];

/// What the copy is called in the folder that componentize-py is shown. That one has nothing else in it: `CPython` lists it
/// when it starts, and what comes of an app's own files then would set its heap apart from others' from there on.
const NAME: &str = "files";

/// Native code for this machine: componentize-py would take it for a library of the component.
const NATIVE: [&str; 4] = ["so", "pyd", "dylib", "dll"];

/// The app's files, copied.
pub(super) struct Sources {
    /// The folder that has the copy in it, in another called [`NAME`].
    pub folder: PathBuf,
    original: PathBuf,
    /// Paths relative to both, sorted.
    files: Vec<PathBuf>,
}

impl Sources {
    /// Copies what may be part of the program from `original`.
    pub(super) fn collect(original: &Path, work: &Path) -> Result<Self> {
        let folder = work.join("sources");
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        let mut files = Vec::new();
        walk(original, Path::new(""), work, &mut files)?;
        files.sort();
        for file in &files {
            let copy = folder.join(NAME).join(file);
            fs_err::create_dir_all(copy.parent().context("a file without a folder")?)?;
            fs_err::copy(original.join(file), copy)?;
        }
        Ok(Self { folder, original: original.to_path_buf(), files })
    }

    /// The original files.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| self.original.join(file)).collect()
    }

    /// Names and contents of all files, in order.
    pub(super) fn contents(&self) -> Result<Vec<(String, Vec<u8>)>> {
        self.files
            .iter()
            .map(|file| {
                let copy = self.folder.join(NAME).join(file);
                Ok((file.to_string_lossy().into_owned(), fs_err::read(copy)?))
            })
            .collect()
    }
}

fn walk(root: &Path, below: &Path, work: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs_err::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = below.join(&name);
        let is_hidden = name.to_string_lossy().starts_with('.');
        if is_hidden || FOREIGN.iter().any(|foreign| name == *foreign) || entry.path() == work {
            continue;
        }
        if entry.file_type()?.is_dir() {
            if !entry.path().join("pyvenv.cfg").exists() {
                walk(root, &path, work, files)?;
            }
        } else if belongs(&path)
            && entry.path().metadata().is_ok_and(|one| one.is_file() && one.len() <= LARGEST)
        {
            files.push(path);
        }
    }
    Ok(())
}

fn belongs(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let manifest = path == Path::new("lambkin.toml");
    !manifest && extension != "md" && extension != "wasm" && !NATIVE.contains(&extension.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_the_program_and_leaves_the_rest() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            "app.py",
            "shop/items.py",
            "shop/data.json",
            "README.md",
            "lambkin.toml",
            ".git/config",
            "env/pyvenv.cfg",
            "env/lib/x.py",
            "__pycache__/app.pyc",
            "fast.so",
            ".lambkin/work/old.py",
        ];
        for name in files {
            let file = root.path().join(name);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, name).unwrap();
        }
        let work = root.path().join("work");
        fs_err::create_dir_all(work.join("sources/files")).unwrap();
        fs_err::write(work.join("sources/files/stale.py"), "").unwrap();
        let sources = Sources::collect(root.path(), &work).unwrap();
        let names: Vec<_> = sources.contents().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["app.py", "shop/data.json", "shop/items.py"]);
        assert!(!sources.folder.join("files/stale.py").exists());
        assert_eq!(sources.paths().first(), Some(&root.path().join("app.py")));
    }
}
