//! Which Rust toolchain compiles for WebAssembly: the one in use, else the linked toolchain `wasm-guest`.

use super::TARGET;
use anyhow::bail;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The name under which `cargo xtask setup` links a toolchain where `rustup target add` cannot reach its server.
const LINKED: &str = "wasm-guest";

/// A toolchain that has the standard library for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// The toolchain that plain `cargo` uses in the source's folder.
    InUse,
    /// The toolchain linked as `wasm-guest`.
    Linked,
}

impl Toolchain {
    /// A `cargo` command of this toolchain in `folder`.
    pub(super) fn cargo(self, folder: &Path) -> Command {
        self.command("cargo", folder)
    }

    fn command(self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        if self == Self::Linked {
            command.arg(format!("+{LINKED}"));
        }
        command.current_dir(folder);
        command
    }

    fn has_target(self, folder: &Path) -> bool {
        let mut command = self.command("rustc", folder);
        command.args(["--print", "target-libdir", "--target", TARGET]);
        let Ok(output) = command.stdin(Stdio::null()).output() else { return false };
        output.status.success()
            && PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => formatter.write_str("the toolchain in use"),
            Self::Linked => write!(formatter, "the toolchain {LINKED}"),
        }
    }
}

/// The toolchain to build a source in `folder` with; the folder's own `rust-toolchain.toml` counts.
pub(super) fn find(folder: &Path) -> anyhow::Result<Toolchain> {
    for toolchain in [Toolchain::InUse, Toolchain::Linked] {
        if toolchain.has_target(folder) {
            return Ok(toolchain);
        }
    }
    if Command::new("cargo").arg("--version").stdin(Stdio::null()).output().is_err() {
        bail!(
            "cargo is not installed; get Rust from https://rustup.rs, then run `rustup target add {TARGET}`"
        );
    }
    bail!("no Rust toolchain here compiles for {TARGET}; run `rustup target add {TARGET}`")
}
