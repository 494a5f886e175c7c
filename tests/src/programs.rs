//! The programs under test, `bootstrap` and `lambkin`, beside the test's own executable; and those that guests are made with.

use anyhow::{Context as _, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs of one build.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The host.
    pub bootstrap: PathBuf,
    /// The command.
    pub lambkin: PathBuf,
}

impl Programs {
    /// Finds them in the folder that cargo builds into.
    pub fn find() -> anyhow::Result<Self> {
        let test = std::env::current_exe()?;
        let folder = test
            .parent()
            .and_then(Path::parent)
            .context("the test is not in cargo's target folder")?;
        let programs =
            Self { bootstrap: folder.join("bootstrap"), lambkin: folder.join("lambkin") };
        for (program, package) in
            [(&programs.bootstrap, "lambkin-host"), (&programs.lambkin, "lambkin-cli")]
        {
            ensure!(
                program.is_file(),
                "{} is missing; run `cargo build -p {package}`",
                program.display()
            );
        }
        Ok(programs)
    }
}

/// Runs `command` to its end; a failure carries everything it printed.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("could not start {name}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{name} failed: {}\n{stdout}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(stdout)
}

/// Cargo of the toolchain in use if it has the standard library for `target`, else of the linked one.
pub fn cargo_for(target: &str) -> Command {
    let mut command = Command::new("cargo");
    if !has_target(target) {
        command.arg("+wasm-guest");
    }
    command
}

fn has_target(target: &str) -> bool {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", target]).stdin(Stdio::null());
    let Ok(output) = command.output() else { return false };
    Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
}

/// A program that `cargo xtask setup` installs into the cache that all checkouts share, named by its path in there; `*`
/// stands for one folder name.
pub fn tool(path: &str) -> anyhow::Result<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    let tools = cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("lambkin/tools");
    let tool = match path.split_once("*/") {
        None => Some(tools.join(path)),
        Some((before, after)) => fs_err::read_dir(tools.join(before))
            .ok()
            .and_then(|mut entries| Some(entries.next()?.ok()?.path().join(after))),
    };
    tool.filter(|tool| tool.exists())
        .with_context(|| format!("{}/{path} is missing; run `cargo xtask setup`", tools.display()))
}
