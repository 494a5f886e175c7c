//! Finds esbuild: the project's own, else the one of Lambkin's home, installed there once.

use crate::{Home, Progress, Source, tools};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that is installed; a project's own esbuild may be another.
const VERSION: &str = "0.28.2";

/// The esbuild to bundle `source` with.
pub(super) fn find(source: &Source, home: &Home, progress: Progress<'_>) -> Result<PathBuf> {
    let program = program()?;
    let folders = source.path.ancestors().take_while(|folder| folder.starts_with(&source.root));
    let own = folders
        .map(|folder| folder.join("node_modules").join(&program))
        .find(|program| program.is_file());
    match own {
        Some(own) => Ok(own),
        None => install(home, &program, progress),
    }
}

/// Where the home's esbuild is and its version, or that the first build installs it.
pub(super) fn installed(home: &Home) -> Result<String, String> {
    let program = program().map_err(|error| error.to_string())?;
    let path = folder(home).join("node_modules").join(program);
    if !path.is_file() {
        return Err("not installed yet".to_owned());
    }
    let path = path.to_string_lossy().into_owned();
    tools::version(&path, &["--version"]).map(|version| format!("{version} ({path})"))
}

/// Installs npm packages into a folder of Lambkin's home, whole or not at all: two processes may do it at once.
pub(super) fn install_packages(
    folder: &Path,
    packages: &[&str],
    what: &str,
    progress: Progress<'_>,
) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    progress(&format!("installing {what}, once"));
    let parent =
        folder.parent().with_context(|| format!("{} has no parent folder", folder.display()))?;
    fs_err::create_dir_all(parent)?;
    let partial = tempfile::Builder::new().prefix(".partial-").tempdir_in(parent)?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
        "--prefix",
    ]);
    tools::run(npm.arg(partial.path()).args(packages), &format!("installing {what}"))?;
    match fs_err::rename(partial.path(), folder) {
        Ok(()) => {
            // The folder has another name now; nothing is left to remove.
            let _ = partial.keep();
            Ok(())
        }
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn install(home: &Home, program: &Path, progress: Progress<'_>) -> Result<PathBuf> {
    let folder = folder(home);
    let package = format!("{}@{VERSION}", package()?);
    install_packages(&folder, &[package.as_str()], &format!("esbuild {VERSION}"), progress)?;
    Ok(folder.join("node_modules").join(program))
}

fn folder(home: &Home) -> PathBuf {
    home.path().join("tools").join(format!("esbuild-{VERSION}"))
}

/// The package that carries the program for this machine.
fn package() -> Result<String> {
    let system = match std::env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        "windows" => "win32",
        other => bail!("esbuild has no program for {other}"),
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("esbuild has no program for {other}"),
    };
    Ok(format!("@esbuild/{system}-{machine}"))
}

/// The program's path below `node_modules`.
fn program() -> Result<PathBuf> {
    let package = PathBuf::from(package()?);
    Ok(if cfg!(windows) {
        package.join("esbuild.exe")
    } else {
        package.join("bin").join("esbuild")
    })
}
