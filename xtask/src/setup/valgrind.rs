//! valgrind, whose callgrind counts the host's instructions. Where it is missing, Debian's package is unpacked into
//! the cache, which needs no root.
//!
//! Of the tools in the package only memcheck needs the C library's debug symbols (`libc6-dbg`).

use super::Outcome;
use crate::{config::Config, shell};
use std::process::Command;

const HINT: &str = "the host's instructions are not counted; install valgrind (apt-get, dnf)";

/// A command that runs callgrind, once it is installed.
pub(crate) fn callgrind(config: &Config) -> Option<Command> {
    let tool = "--tool=callgrind";
    let works = || shell::command("valgrind", &[tool, "--version"], &config.root);
    if shell::succeeds(works()) {
        return Some(shell::command("valgrind", &[tool], &config.root));
    }
    let folder = config.tool(FOLDER);
    // The package's `valgrind` is a script that runs this one at the place where Debian installs it.
    let program = folder.join("usr/bin/valgrind.bin");
    program.is_file().then(|| {
        let mut command = shell::command(program, &[tool], &config.root);
        command.env("VALGRIND_LIB", folder.join("usr/libexec/valgrind"));
        command
    })
}

/// Where the package is unpacked.
const FOLDER: &str = "valgrind-debian";

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if callgrind(config).is_some() {
        return Ok(Outcome::Present("callgrind".to_owned()));
    }
    let folder = config.tool(FOLDER);
    // Unpacked beside its place first: a folder that was left half-made is not taken for valgrind.
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs_err::remove_dir_all(&unfinished)?;
    }
    fs_err::create_dir_all(&unfinished)?;
    if !shell::succeeds(shell::command("apt-get", &["download", "valgrind"], &unfinished)) {
        return Ok(Outcome::Missing(HINT.to_owned()));
    }
    for entry in fs_err::read_dir(&unfinished)? {
        let package = entry?.path();
        let mut unpack = shell::command("dpkg-deb", &["--extract"], &unfinished);
        unpack.arg(&package).arg(&unfinished);
        shell::run(unpack)?;
        fs_err::remove_file(&package)?;
    }
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::rename(&unfinished, &folder)?;
    anyhow::ensure!(
        callgrind(config).is_some(),
        "Debian's package has no valgrind in {}",
        folder.display()
    );
    Ok(Outcome::Installed("callgrind by apt-get".to_owned()))
}
