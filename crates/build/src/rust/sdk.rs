//! The SDK inside `lambkin`: unpacked once into the home, and put in the place of the registry's at build time.

use crate::Home;
use anyhow::Context as _;
use include_dir::{Dir, include_dir};
use lambkin_protocol::digest::sha256_hex;
use std::path::{Path, PathBuf};

static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sdk");

/// The workspace's manifest: the SDK's own manifests inherit versions and lints from it.
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");

/// Unpacks the SDK into `home` unless it is there, and returns the folder of its workspace.
pub(super) fn unpack(home: &Home) -> anyhow::Result<PathBuf> {
    let tools = home.path().join("tools");
    let folder = tools.join(format!("sdk-{}", digest()?));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs_err::create_dir_all(&tools)?;
    let staging = tempfile::tempdir_in(&tools)?;
    fs_err::create_dir(staging.path().join("sdk"))?;
    SDK.extract(staging.path().join("sdk")).context("could not unpack the SDK")?;
    fs_err::write(staging.path().join("Cargo.toml"), workspace()?)?;
    let staging = staging.keep();
    match fs_err::rename(&staging, &folder) {
        Ok(()) => Ok(folder),
        // Another process was quicker, with the same content.
        Err(_) if folder.is_dir() => {
            fs_err::remove_dir_all(staging)?;
            Ok(folder)
        }
        Err(error) => Err(error.into()),
    }
}

/// Cargo's `--config` that puts the unpacked SDK in the place of the registry's.
pub(super) fn patch(workspace: &Path) -> String {
    let path = toml::Value::from(workspace.join("sdk").to_string_lossy().into_owned());
    format!("patch.crates-io.lambkin-sdk.path={path}")
}

fn digest() -> anyhow::Result<String> {
    let mut lines = vec![workspace()?];
    describe(&SDK, &mut lines);
    Ok(sha256_hex(lines.join("\n")).chars().take(16).collect())
}

/// Appends each file's path and digest.
fn describe(folder: &Dir<'_>, lines: &mut Vec<String>) {
    for file in folder.files() {
        lines.push(format!("{} {}", file.path().display(), sha256_hex(file.contents())));
    }
    for folder in folder.dirs() {
        describe(folder, lines);
    }
}

/// The workspace's manifest, cut to what the SDK's crates inherit.
fn workspace() -> anyhow::Result<String> {
    let mut manifest: toml::Table = WORKSPACE.parse().context("the embedded workspace manifest")?;
    manifest.retain(|key, _| key == "workspace");
    if let Some(workspace) = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut) {
        workspace.remove("exclude");
        workspace.insert("members".to_owned(), vec!["sdk", "sdk/macros"].into());
        if let Some(dependencies) =
            workspace.get_mut("dependencies").and_then(toml::Value::as_table_mut)
        {
            dependencies.retain(|_, value| of_the_sdk(value));
        }
    }
    Ok(manifest.to_string())
}

/// Whether a dependency comes from the registry or is a crate of the SDK.
fn of_the_sdk(dependency: &toml::Value) -> bool {
    let path = dependency.get("path").and_then(toml::Value::as_str);
    path.is_none_or(|path| path.starts_with("sdk"))
}

#[cfg(test)]
mod tests {
    use super::{patch, unpack, workspace};
    use crate::Home;
    use std::path::Path;

    #[test]
    fn unpacks_once_a_workspace_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let first = unpack(&home).unwrap();
        assert!(first.join("sdk/src/lib.rs").is_file());
        assert!(first.join("sdk/macros/Cargo.toml").is_file());
        assert_eq!(unpack(&home).unwrap(), first);
        assert_eq!(
            fs_err::read_dir(home.path().join("tools")).unwrap().count(),
            1,
            "no staging folder is left"
        );
    }

    #[test]
    fn the_workspace_names_no_other_crate_of_the_repository() {
        let manifest = workspace().unwrap();
        assert!(manifest.contains("lambkin-sdk-macros"), "{manifest}");
        assert!(!manifest.contains("lambkin-engine"), "{manifest}");
    }

    #[test]
    fn a_path_is_quoted_for_cargo() {
        let config = patch(Path::new("/home/a b"));
        assert_eq!(config, r#"patch.crates-io.lambkin-sdk.path="/home/a b/sdk""#);
    }
}
