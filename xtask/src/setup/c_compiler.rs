//! clang and lld for WebAssembly: they compile the JavaScript runtime (`QuickJS`) that `lambkin` carries.

use super::Outcome;
use crate::{config::Config, shell};
use std::path::Path;

const HINT: &str =
    "JavaScript components cannot be built; install clang, lld and llvm (apt-get, dnf, brew)";

pub(super) fn install(config: &Config) -> Outcome {
    if works(&config.root) {
        return Outcome::Present("clang".to_owned());
    }
    if !shell::succeeds(shell::command("apt-get", &["--version"], &config.root)) {
        return Outcome::Missing(HINT.to_owned());
    }
    let mut command = shell::command(
        "apt-get",
        &["install", "--yes", "--quiet", "--no-install-recommends", "clang", "lld", "llvm"],
        &config.root,
    );
    command.env("DEBIAN_FRONTEND", "noninteractive");
    if shell::succeeds(command) && works(&config.root) {
        return Outcome::Installed("clang, lld and llvm by apt-get".to_owned());
    }
    Outcome::Missing(HINT.to_owned())
}

/// Whether clang has a WebAssembly back end.
fn works(folder: &Path) -> bool {
    let arguments = ["--target=wasm32-wasip1", "-x", "c", "-c", "-o", "/dev/null", "/dev/null"];
    shell::succeeds(shell::command("clang", &arguments, folder))
}
