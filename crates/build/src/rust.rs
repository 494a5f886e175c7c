//! Rust components: `cargo build --release --target wasm32-wasip2` in the source's folder.
//!
//! Owns the choice of the toolchain, of the target folder and of the artifact. The SDK's sources travel inside this
//! crate, so that `lambkin-sdk = "0.1"` in an app's `Cargo.toml` needs no checkout and no registry.

mod artifact;
mod cargo;
mod failure;
mod project;
mod sdk;
mod toolchain;

use crate::{Built, Check, Home, Progress, Source, tools};
use lambkin_protocol::digest::sha256_hex;
use project::Project;
use std::path::PathBuf;

/// The target that makes components of Rust programs.
const TARGET: &str = "wasm32-wasip2";

/// Builds `source`, a folder with a `Cargo.toml`, into a component.
///
/// Fails with a [`crate::BuildFailure`] when cargo does, with cargo's own output.
pub fn build(source: &Source, home: &Home, progress: Progress<'_>) -> anyhow::Result<Built> {
    project::require_crate(&source.path)?;
    let toolchain = toolchain::find(&source.path)?;
    let project = Project::read(&source.path, toolchain)?;
    let sdk = project.uses_sdk().then(|| sdk::unpack(home)).transpose()?;
    let mut command = toolchain.cargo(&source.path);
    command.args(["build", "--release", "--target", TARGET]);
    command.arg("--message-format=json-render-diagnostics");
    command.arg("--target-dir").arg(project.target_folder(&source.work));
    if let Some(sdk) = &sdk {
        command.arg("--config").arg(sdk::patch(sdk));
    }
    progress("compiling Rust");
    let mut build = || {
        let messages = cargo::run(&mut command, progress)?;
        let artifact = artifact::choose(&messages, source.handler.as_deref())?;
        let wasm = fs_err::read(&artifact.path)?;
        anyhow::Ok((artifact, wasm))
    };
    let (mut artifact, mut wasm) = build()?;
    let record = Record(source.work.join("component.sha256"));
    if artifact.fresh && !record.is_of(&wasm) {
        let mut clean = toolchain.cargo(&source.path);
        clean.args(["clean", "--release", "--target", TARGET, "--package", &artifact.package]);
        clean.arg("--target-dir").arg(project.target_folder(&source.work));
        if let Some(sdk) = &sdk {
            clean.arg("--config").arg(sdk::patch(sdk));
        }
        cargo::run(&mut clean, &|_| {})?;
        (artifact, wasm) = build()?;
    }
    record.write(&wasm)?;
    Ok(Built { wasm, inputs: project.inputs(&artifact.path, sdk.as_deref()) })
}

/// The digest of what was built last.
///
/// Crates of one name that share a target folder, two checkouts of an app for instance, share the file of the component
/// too, since a `cdylib` has no hash in its name: what cargo calls fresh may be the other one's.
struct Record(PathBuf);

impl Record {
    fn is_of(&self, wasm: &[u8]) -> bool {
        fs_err::read_to_string(&self.0).is_ok_and(|text| text == sha256_hex(wasm))
    }

    fn write(&self, wasm: &[u8]) -> std::io::Result<()> {
        if let Some(folder) = self.0.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(&self.0, sha256_hex(wasm))
    }
}

/// The tools that this language needs.
pub fn check(_home: &Home) -> Vec<Check> {
    let target = match toolchain::find(&std::env::temp_dir()) {
        Ok(toolchain) => Ok(format!("in {toolchain}")),
        Err(error) => Err(error.to_string()),
    };
    vec![
        Check {
            tool: "cargo",
            found: tools::version("cargo", &["--version"]),
            remedy: "install Rust from https://rustup.rs".to_owned(),
        },
        Check { tool: TARGET, found: target, remedy: format!("rustup target add {TARGET}") },
    ]
}
