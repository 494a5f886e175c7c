//! Compiles components ahead of time, and keeps what was compiled by the digests of engine and component.

use super::BuiltComponent;
use super::components::bytes as size;
use super::kept::Kept;
use crate::output::Output;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_build::Home;
use lambkin_engine::Target;
use std::path::Path;
use std::time::Instant;

/// The most that artifacts of earlier runs may take, in bytes. A Python component has 33 MiB for each of its edits.
const MAX_KEPT_BYTES: u64 = 4 << 30;

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
    let kept = Kept::new(home.join("artifacts"), MAX_KEPT_BYTES);
    let name = format!("{}/{target}/{digest}.cwasm", lambkin_engine::fingerprint());
    if let Some(bytes) = kept.get(&name) {
        return Ok((bytes.into(), false));
    }
    let bytes = lambkin_engine::compile::compile(wasm, target, Some(&home.join("compile-cache")))?;
    kept.put(&name, &bytes)?;
    Ok((bytes.into(), true))
}
