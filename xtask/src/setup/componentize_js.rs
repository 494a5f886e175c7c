//! componentize-js as npm installs it, which a foreign component is made with; `lambkin` has one of its own.

use super::Outcome;
use crate::{config::Config, shell};

const FOLDER: &str = "componentize-js-cli-0.23.0";

/// The command, and the package that it needs and does not name.
const PACKAGES: [&str; 2] =
    ["@bytecodealliance/componentize-js@0.23.0", "@bytecodealliance/preview2-shim@0.25.0"];

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    let folder = config.tool(FOLDER);
    // npm writes this file last: an installation that was broken off lacks it.
    let shows = folder.join("node_modules/.package-lock.json");
    if shows.is_file() {
        return Ok(Outcome::Present(FOLDER.to_owned()));
    }
    if !shell::succeeds(shell::command("npm", &["--version"], &config.root)) {
        return Ok(Outcome::Missing("install Node 20 or newer from https://nodejs.org".to_owned()));
    }
    shell::say(&format!("setup: installing {FOLDER}, once"));
    fs_err::create_dir_all(&folder)?;
    let mut npm =
        shell::command("npm", &["install", "--no-audit", "--no-fund", "--prefix"], &folder);
    npm.arg(&folder).args(PACKAGES);
    shell::run(npm)?;
    anyhow::ensure!(shows.is_file(), "npm left no {}", shows.display());
    Ok(Outcome::Installed(FOLDER.to_owned()))
}
