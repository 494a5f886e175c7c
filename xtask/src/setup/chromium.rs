//! A browser for the tests of pages. Where there is none, Debian's is installed, which takes root.

use super::Outcome;
use crate::{config::Config, shell};

/// Names of the program, on Debian, other systems and as Google gives it.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if let Some(program) = find(config) {
        return Ok(Outcome::Present(program.to_owned()));
    }
    let install = ["install", "--yes", "--no-install-recommends", "chromium"];
    let get = |arguments: &[&str]| {
        let mut command = shell::command("apt-get", arguments, &config.root);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        shell::succeeds(command)
    };
    // The lists of packages may be missing or older than the packages.
    let installed = get(&install) || get(&["update"]) && get(&install);
    if !installed {
        let hint =
            "pages are not tested; install Chromium or Chrome (as root: apt-get install chromium)";
        return Ok(Outcome::Missing(hint.to_owned()));
    }
    anyhow::ensure!(
        find(config).is_some(),
        "Debian's package chromium has no program of that name"
    );
    Ok(Outcome::Installed("chromium by apt-get".to_owned()))
}

fn find(config: &Config) -> Option<&'static str> {
    let works = |name: &&str| shell::succeeds(shell::command(name, &["--version"], &config.root));
    PROGRAMS.into_iter().find(works)
}
