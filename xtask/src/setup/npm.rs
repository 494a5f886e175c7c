//! Programs from npm, each in a folder of its own.

use super::Outcome;
use crate::{config::Config, shell};

/// A program, by the name of its folder and the packages that it consists of.
pub(super) struct Program {
    folder: &'static str,
    packages: &'static [&'static str],
}

/// componentize-js as npm installs it, which a foreign component is made with; `lambkin` has one of its own. The second
/// package is one that it needs and does not name.
pub(super) const COMPONENTIZE_JS: Program = Program {
    folder: "componentize-js-cli-0.23.0",
    packages: &[
        "@bytecodealliance/componentize-js@0.23.0",
        "@bytecodealliance/preview2-shim@0.25.0",
    ],
};

/// The WebSocket client that AWS's own pages use.
pub(super) const WSCAT: Program = Program { folder: "wscat-6.1.0", packages: &["wscat@6.1.0"] };

/// What drives a browser; it brings none.
pub(super) const PLAYWRIGHT: Program =
    Program { folder: "playwright-1.64.1", packages: &["playwright-core@1.64.1"] };

/// What TypeScript programs take for AWS's events, and the compiler that judges by it.
pub(super) const EVENT_TYPES: Program = Program {
    folder: "event-types-1",
    packages: &["typescript@5.9.3", "@types/aws-lambda@8.10.164"],
};

pub(super) fn install(config: &Config, program: &Program) -> anyhow::Result<Outcome> {
    let folder = config.tool(program.folder);
    // npm writes this file last: an installation that was broken off lacks it.
    let shows = folder.join("node_modules/.package-lock.json");
    if shows.is_file() {
        return Ok(Outcome::Present(program.folder.to_owned()));
    }
    if !shell::succeeds(shell::command("npm", &["--version"], &config.root)) {
        return Ok(Outcome::Missing("install Node 20 or newer from https://nodejs.org".to_owned()));
    }
    shell::say(&format!("setup: installing {}, once", program.folder));
    fs_err::create_dir_all(&folder)?;
    let mut npm =
        shell::command("npm", &["install", "--no-audit", "--no-fund", "--prefix"], &folder);
    npm.arg(&folder).args(program.packages);
    shell::run(npm)?;
    anyhow::ensure!(shows.is_file(), "npm left no {}", shows.display());
    Ok(Outcome::Installed(program.folder.to_owned()))
}
