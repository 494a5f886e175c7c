//! Installs a project's npm packages when they are declared and not there yet.

use super::entry::Entry;
use crate::{BuildFailure, Progress, Source, tools};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Lock files of other package managers: what they have not installed, npm must not install beside them.
const OTHERS: [(&str, &str); 4] =
    [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun")];

/// Runs `npm ci` or `npm install` when needed, and returns the files that decide it.
pub(super) fn install(
    source: &Source,
    entry: &Entry,
    progress: Progress<'_>,
) -> Result<Vec<PathBuf>> {
    let manifest = entry.project.join("package.json");
    if !manifest.is_file() {
        return Ok(Vec::new());
    }
    let lock = entry.project.join("package-lock.json");
    let inputs = [&manifest, &lock].into_iter().filter(|file| file.is_file()).cloned().collect();
    if !declares_dependencies(&manifest)? || is_installed(&entry.project, &manifest, &lock) {
        return Ok(inputs);
    }
    if let Some((_, manager)) = OTHERS.iter().find(|(file, _)| entry.project.join(file).is_file()) {
        let summary = format!(
            "the packages of {} are not installed: run `{manager} install` there",
            entry.project.display()
        );
        return Err(BuildFailure { output: String::new(), summary }.into());
    }
    let verb = if lock.is_file() { "ci" } else { "install" };
    progress(&format!("{}: installing npm packages (npm {verb})", source.name));
    tools::run(
        Command::new("npm")
            .args([verb, "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&entry.project),
        &format!("npm {verb}"),
    )?;
    Ok(inputs)
}

fn declares_dependencies(manifest: &Path) -> Result<bool> {
    let text = fs_err::read(manifest)?;
    let package: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| BuildFailure {
            output: format!("{}: {error}", manifest.display()),
            summary: "package.json is malformed".to_owned(),
        })?;
    let dependencies =
        package.get("dependencies").and_then(|dependencies| dependencies.as_object());
    Ok(dependencies.is_some_and(|dependencies| !dependencies.is_empty()))
}

/// Whether `node_modules` is there, here or in a folder above (npm workspaces), and as new as what it was made from.
fn is_installed(project: &Path, manifest: &Path, lock: &Path) -> bool {
    let changed =
        |path: &Path| fs_err::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let own = project.join("node_modules");
    if !own.is_dir() {
        return project.ancestors().skip(1).any(|folder| folder.join("node_modules").is_dir());
    }
    // npm notes each installation in this file; other managers do not, and are trusted.
    let Some(installed) = changed(&own.join(".package-lock.json")) else { return true };
    let wanted: Option<SystemTime> = changed(lock).into_iter().chain(changed(manifest)).max();
    wanted.is_none_or(|wanted| wanted <= installed)
}
