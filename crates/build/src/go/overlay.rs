//! Files that a build adds to the user's module without writing into it: Go's own `-overlay`.
//!
//! `go help build` describes the option: a JSON file maps paths to the files that stand in for them.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The module that a package belongs to.
#[derive(Debug)]
pub(super) struct Root {
    /// Where its `go.mod` is, or would be.
    pub(super) go_mod: PathBuf,
    /// Its `go.mod`; a package without one gets a module of its own.
    text: String,
    /// Whether `go.mod` is a file.
    pub(super) written: bool,
}

impl Root {
    /// Finds the module of the package in `folder`, as `go` does.
    pub(super) fn find(folder: &Path) -> Result<Self> {
        for ancestor in folder.ancestors() {
            let go_mod = ancestor.join("go.mod");
            if go_mod.is_file() {
                let text = fs_err::read_to_string(&go_mod)?;
                return Ok(Self { go_mod, text, written: true });
            }
        }
        let text = "module app\n\ngo 1.24\n".to_owned();
        Ok(Self { go_mod: folder.join("go.mod"), text, written: false })
    }

    /// Whether the module carries its dependencies in a folder `vendor`.
    pub(super) fn is_vendored(&self) -> bool {
        self.go_mod.with_file_name("vendor").join("modules.txt").is_file()
    }
}

/// Lines that a build adds to `go.mod`, and files that it adds to the package.
#[derive(Debug, Default)]
pub(super) struct Additions {
    directives: Vec<String>,
    files: BTreeMap<PathBuf, String>,
}

impl Additions {
    /// Replaces `module` at `version` by a folder.
    pub(super) fn replace(&mut self, module: &str, version: &str, folder: &Path) {
        let folder = folder.display().to_string();
        self.directives.push(format!("replace {module} {version} => {folder:?}\n"));
    }

    /// Requires `module` and takes it from a folder.
    pub(super) fn require(&mut self, module: &str, folder: &Path) {
        self.directives.push(format!("require {module} v0.0.0\n"));
        self.replace(module, "v0.0.0", folder);
    }

    /// Adds a file at `path`, which does not exist.
    pub(super) fn file(&mut self, path: PathBuf, text: String) {
        self.files.insert(path, text);
    }

    /// Writes the stand-ins and their index into `work` and returns the index's path.
    pub(super) fn write(&self, root: &Root, work: &Path) -> Result<PathBuf> {
        fs_err::create_dir_all(work)?;
        let go_mod = work.join("go.mod.overlay");
        write_if_changed(&go_mod, &format!("{}\n{}", root.text, self.directives.concat()))?;
        let mut replace = BTreeMap::from([(root.go_mod.clone(), go_mod)]);
        for (index, (path, text)) in self.files.iter().enumerate() {
            let stand_in = work.join(format!("added-{index}.go.overlay"));
            write_if_changed(&stand_in, text)?;
            replace.insert(path.clone(), stand_in);
        }
        let index = work.join("overlay.json");
        let text = serde_json::to_string_pretty(&serde_json::json!({ "Replace": replace }))
            .context("a path is not UTF-8")?;
        write_if_changed(&index, &text)?;
        Ok(index)
    }
}

fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs_err::read_to_string(path).is_ok_and(|current| current == text) {
        return Ok(());
    }
    Ok(fs_err::write(path, text)?)
}
