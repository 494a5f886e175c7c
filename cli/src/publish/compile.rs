//! Compiles components ahead of time, and keeps what was compiled by the digests of engine and component.

use super::BuiltComponent;
use super::components::bytes as size;
use crate::output::Output;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_build::Home;
use lambkin_engine::Target;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Compiles a component for a target, or takes what an earlier run compiled.
pub(crate) async fn compile(
    name: &str,
    component: &BuiltComponent,
    (target, home): (Target, &Home),
    output: &Output,
) -> Result<Bytes> {
    let start = Instant::now();
    let step = output.step(&format!("compiling {name} for {target}"));
    let (wasm, digest, home) =
        (component.wasm.clone(), component.digest.clone(), home.path().to_owned());
    let (bytes, fresh) =
        tokio::task::spawn_blocking(move || artifact(&wasm, &digest, target, &home))
            .await?
            .with_context(|| format!("component {name:?} cannot be compiled for {target}"))?;
    drop(step);
    if fresh {
        let took = start.elapsed().as_secs_f64();
        output.done(
            "Compiled",
            &format!("{name} for {target} ({} in {took:.1} s)", size(bytes.len())),
        );
    }
    Ok(bytes)
}

/// The compiled bytes, and whether they were compiled now.
fn artifact(wasm: &[u8], digest: &str, target: Target, home: &Path) -> Result<(Bytes, bool)> {
    let path = kept(digest, target, home);
    if let Ok(bytes) = fs_err::read(&path) {
        return Ok((bytes.into(), false));
    }
    let bytes = lambkin_engine::compile::compile(wasm, target, Some(&home.join("compile-cache")))?;
    keep(&path, &bytes)?;
    Ok((bytes.into(), true))
}

fn kept(digest: &str, target: Target, home: &Path) -> PathBuf {
    home.join("artifacts")
        .join(lambkin_engine::fingerprint())
        .join(target.to_string())
        .join(format!("{digest}.cwasm"))
}

/// Writes beside the place and renames, so that two builds at once cannot leave half a file.
fn keep(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a path inside the home folder")?;
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
