//! Java's own Lambda client, which `cargo xtask bench` compares with, by Maven.

use super::Outcome;
use crate::{config::Config, shell};
use std::path::PathBuf;

/// The same as in `benches/native/java/pom.xml`.
const VERSION: &str = "2.9.0";

/// The folder of the client's jars, once they are there.
pub(crate) fn client(config: &Config) -> Option<PathBuf> {
    let folder = config.tool(&format!("aws-lambda-java-ric-{VERSION}"));
    let jar = format!("aws-lambda-java-runtime-interface-client-{VERSION}.jar");
    folder.join(jar).is_file().then_some(folder)
}

pub(super) fn install(config: &Config) -> anyhow::Result<Outcome> {
    if client(config).is_some() {
        return Ok(Outcome::Present(VERSION.to_owned()));
    }
    let works = |program: &str, option: &str| {
        shell::succeeds(shell::command(program, &[option], &config.root))
    };
    if !works("javac", "-version") || !works("mvn", "--version") {
        let text = "Java is not measured; install a JDK of 17 or newer, and Maven";
        return Ok(Outcome::Missing(text.to_owned()));
    }
    // Maven writes below a name of its own first: a folder that was left half-made is not taken for the client.
    let folder = config.tool(&format!("aws-lambda-java-ric-{VERSION}"));
    let unfinished = folder.with_extension("unfinished");
    let project = config.root.join("benches/native/java");
    let arguments = ["--batch-mode", "--quiet", "dependency:copy-dependencies"];
    let mut maven = shell::command("mvn", &arguments, &project);
    maven.arg(format!("-DoutputDirectory={}", unfinished.display()));
    shell::run(maven)?;
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::rename(&unfinished, &folder)?;
    anyhow::ensure!(client(config).is_some(), "Maven left no client in {}", folder.display());
    Ok(Outcome::Installed(VERSION.to_owned()))
}
