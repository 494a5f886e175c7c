//! wrk, which puts load on `lambkin serve` and on what it is compared with. Where it is missing, Debian's package is taken.

use super::{Outcome, debian};
use crate::{config::Config, shell};
use std::path::PathBuf;

const HINT: &str = "`lambkin serve` is not measured; install wrk (apt-get, dnf, brew)";

/// Where the packages are unpacked.
const FOLDER: &str = "wrk-debian";

/// What wrk needs beside what every Debian has.
const PACKAGES: [&str; 2] = ["wrk", "libluajit-5.1-2"];

/// The program, and the folder of its libraries when it is not the system's.
pub(crate) fn program(config: &Config) -> Option<(PathBuf, Option<PathBuf>)> {
    // It takes `--version` for an error, and tells it.
    if shell::show(shell::command("wrk", &["--version"], &config.root)).is_ok() {
        return Some(("wrk".into(), None));
    }
    let folder = config.tool(FOLDER);
    let program = folder.join("usr/bin/wrk");
    let libraries = fs_err::read_dir(folder.join("usr/lib")).ok()?;
    let libraries = libraries.filter_map(Result::ok).map(|entry| entry.path()).next();
    program.is_file().then_some((program, libraries))
}

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if program(config).is_some() {
        return Ok(Outcome::Present("wrk".to_owned()));
    }
    if !debian::unpack(&PACKAGES, &config.tool(FOLDER))? {
        return Ok(Outcome::Missing(HINT.to_owned()));
    }
    anyhow::ensure!(program(config).is_some(), "Debian's package has no wrk");
    Ok(Outcome::Installed("by apt-get".to_owned()))
}
