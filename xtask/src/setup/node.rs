//! Node's own Lambda client, which a test runs under our Lambda and `cargo xtask bench` compares with. npm compiles its
//! native part.

use super::Outcome;
use crate::{config::Config, shell};
use std::path::PathBuf;

const VERSION: &str = "4.0.2";

/// What the client's build needs beside npm and a C++ compiler.
const BUILD_PACKAGES: [&str; 6] =
    ["cmake", "autoconf", "automake", "libtool", "libcurl4-openssl-dev", "make"];

/// The script that starts the client, once it is installed.
pub(crate) fn client(config: &Config) -> Option<PathBuf> {
    let module = folder(config).join("node_modules/aws-lambda-ric");
    let script = module.join("index.mjs");
    let native = module.join("rapid-client.node");
    (script.is_file() && native.is_file()).then_some(script)
}

fn folder(config: &Config) -> PathBuf {
    config.tool(&format!("aws-lambda-ric-{VERSION}"))
}

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if client(config).is_some() {
        return Ok(Outcome::Present(VERSION.to_owned()));
    }
    if !shell::succeeds(shell::command("npm", &["--version"], &config.root)) {
        return Ok(Outcome::Missing("install Node 20 or newer from https://nodejs.org".to_owned()));
    }
    let mut packages = shell::command(
        "apt-get",
        &["install", "--yes", "--quiet", "--no-install-recommends"],
        &config.root,
    );
    packages.args(BUILD_PACKAGES).env("DEBIAN_FRONTEND", "noninteractive");
    // Other systems have other names for these; npm's own error says what it lacks.
    let _ = shell::succeeds(packages);
    shell::say("setup: compiling Node's Lambda client, once; this takes some minutes");
    let folder = folder(config);
    fs_err::create_dir_all(&folder)?;
    let mut npm =
        shell::command("npm", &["install", "--no-audit", "--no-fund", "--prefix"], &folder);
    npm.arg(&folder).arg(format!("aws-lambda-ric@{VERSION}"));
    if shell::succeeds(npm) && client(config).is_some() {
        return Ok(Outcome::Installed(VERSION.to_owned()));
    }
    let text = format!(
        "aws-lambda-ric {VERSION} could not be built; it needs a C++ compiler and {}",
        BUILD_PACKAGES.join(", ")
    );
    Ok(Outcome::Missing(text))
}
