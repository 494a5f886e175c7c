//! Where things are on this machine. The only module that reads the environment.

use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// The folders that the chores work in.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// What is kept between runs and shared by checkouts: `$XDG_CACHE_HOME/lambkin`, else `~/.cache/lambkin`.
    pub(crate) cache: PathBuf,
    /// Cargo's target folder for the workspace.
    pub(crate) target: PathBuf,
}

impl Config {
    /// Reads `XDG_CACHE_HOME`, `HOME`, `CARGO_TARGET_DIR` and cargo's `CARGO_MANIFEST_DIR`.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        // Cargo says it at run time too, and is right where checkouts that share a target folder share this program.
        let own = variable("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_owned());
        let root = own.parent().context("xtask has no parent folder")?;
        let cache = match variable("XDG_CACHE_HOME") {
            Some(folder) => folder,
            None => {
                variable("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?.join(".cache")
            }
        };
        let target = variable("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        Ok(Self { root: root.to_owned(), cache: cache.join("lambkin"), target })
    }

    /// The folder of the tool `name`, in a version of its own.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.cache.join("tools").join(name)
    }

    /// A program that the debug build of the workspace makes.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
