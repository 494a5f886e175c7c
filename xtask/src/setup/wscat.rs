//! wscat, the WebSocket client that AWS's own pages use, from npm.

use super::Outcome;
use crate::{config::Config, shell};

const FOLDER: &str = "wscat-6.1.0";
const PACKAGE: &str = "wscat@6.1.0";

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
    npm.arg(&folder).arg(PACKAGE);
    shell::run(npm)?;
    anyhow::ensure!(shows.is_file(), "npm left no {}", shows.display());
    Ok(Outcome::Installed(FOLDER.to_owned()))
}
