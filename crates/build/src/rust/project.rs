//! What cargo knows of the crate: where it builds, whether it uses the SDK, which files it is made of.

use super::{cargo, toolchain::Toolchain};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// `cargo metadata --no-deps`, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    path: Option<PathBuf>,
}

impl Project {
    /// Asks cargo about the crate in `folder`.
    pub(super) fn read(folder: &Path, toolchain: Toolchain) -> anyhow::Result<Self> {
        let mut command = toolchain.cargo(folder);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = cargo::run(&mut command, &|_| {})?;
        let mut project: Self =
            serde_json::from_str(&metadata).context("could not read what cargo metadata said")?;
        folder.clone_into(&mut project.folder);
        Ok(project)
    }

    /// Whether a crate of the workspace asks the registry for the SDK, and so gets the one inside `lambkin`.
    pub(super) fn uses_sdk(&self) -> bool {
        let mut dependencies = self.packages.iter().flat_map(|package| &package.dependencies);
        dependencies.any(|dependency| dependency.name == "lambkin-sdk" && dependency.path.is_none())
    }

    /// The user's own target folder when one is set (`CARGO_TARGET_DIR`, cargo's config), else one in `work`.
    pub(super) fn target_folder(&self, work: &Path) -> PathBuf {
        if self.target_directory == self.workspace_root.join("target") {
            work.join("target")
        } else {
            self.target_directory.clone()
        }
    }

    /// What to watch: the crate's sources, its manifest, and what the compiler read elsewhere (path dependencies).
    ///
    /// `artifact` has a makefile beside it that lists what the compiler read; the SDK and generated files are left out.
    pub(super) fn inputs(&self, artifact: &Path, sdk: Option<&Path>) -> Vec<PathBuf> {
        let sources = self.folder.join("src");
        let mut inputs = vec![sources.clone(), self.folder.join("Cargo.toml")];
        let read = fs_err::read_to_string(artifact.with_extension("d")).unwrap_or_default();
        let outside = prerequisites(&read).into_iter().filter(|path| {
            let ours = sdk.is_some_and(|sdk| path.starts_with(sdk));
            let generated =
                artifact.ancestors().nth(3).is_some_and(|target| path.starts_with(target));
            !ours && !generated && !path.starts_with(&sources)
        });
        inputs.extend(outside);
        inputs
    }
}

/// Says what is wrong with a source that is not the folder of a crate.
pub(super) fn require_crate(folder: &Path) -> anyhow::Result<()> {
    if !folder.join("Cargo.toml").is_file() {
        bail!(
            "{} has no Cargo.toml; a Rust component's source is the folder of its crate",
            folder.display()
        );
    }
    Ok(())
}

/// The files to the right of the colon in a makefile rule, whose spaces are escaped with a backslash.
fn prerequisites(makefile: &str) -> Vec<PathBuf> {
    let Some((_, list)) = makefile.lines().next().and_then(|rule| rule.split_once(": ")) else {
        return Vec::new();
    };
    let list = list.replace("\\ ", "\0");
    list.split_whitespace().map(|path| PathBuf::from(path.replace('\0', " "))).collect()
}

#[cfg(test)]
mod tests {
    use super::prerequisites;
    use std::path::PathBuf;

    #[test]
    fn reads_escaped_spaces_in_a_makefile() {
        let found = prerequisites("/t/shop.wasm: /a/my\\ shop/src/lib.rs /a/shared.rs\n");
        assert_eq!(found, [PathBuf::from("/a/my shop/src/lib.rs"), PathBuf::from("/a/shared.rs")]);
        assert!(prerequisites("").is_empty());
    }
}
