//! valgrind, whose callgrind counts the host's instructions. Where it is missing, Debian's package is taken.
//!
//! Of the tools in the package only memcheck needs the C library's debug symbols (`libc6-dbg`).

use super::{Outcome, debian};
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
    if !debian::unpack(&["valgrind"], &folder)? {
        return Ok(Outcome::Missing(HINT.to_owned()));
    }
    anyhow::ensure!(
        callgrind(config).is_some(),
        "Debian's package has no valgrind in {}",
        folder.display()
    );
    Ok(Outcome::Installed("callgrind by apt-get".to_owned()))
}
