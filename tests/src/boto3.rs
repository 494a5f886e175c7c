//! boto3, a client of AWS that nobody here wrote, for the tests that need one.

use crate::programs;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release that the local cloud's own tests use, in the folder that they install it to.
const PACKAGES: [&str; 2] = ["boto3==1.44.5", "awslambdaric==4.2.2"];
const FOLDER: &str = ".cache/lambkin/tools/local-cloud-test-clients-1";

/// Runs a Python script with boto3 at hand, and gives what it prints.
pub fn run(script: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let packages = install()?;
    let mut command = Command::new("python3");
    programs::run(command.env("PYTHONPATH", packages).arg(script).args(arguments))
}

fn install() -> anyhow::Result<PathBuf> {
    let packages = std::env::home_dir().context("there is no home folder")?.join(FOLDER);
    if !packages.exists() {
        let tools = packages.parent().context("a folder inside the home folder")?;
        fs_err::create_dir_all(tools)?;
        let unfinished = tempfile::tempdir_in(tools)?;
        let target = unfinished.path().join("packages");
        let mut command = Command::new("python3");
        command.args(["-m", "pip", "install", "-q", "--target"]).arg(&target).args(PACKAGES);
        programs::run(&mut command)?;
        // Another test run may have been quicker, which is as good.
        drop(fs_err::rename(&target, &packages));
    }
    Ok(packages)
}
