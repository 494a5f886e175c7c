//! Uploads what a release needs and the store does not have yet: blobs and artifacts first, the release last.

use super::Prepared;
use super::components::bytes as size;
use crate::output::Output;
use anyhow::{Context as _, Result};
use lambkin_store::{Put, Store};

/// What an upload came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Uploaded {
    pub objects: usize,
    pub bytes: usize,
}

/// Puts everything but the alias; objects that are there already are left alone.
pub async fn upload(store: &Store, prepared: &Prepared, output: &Output) -> Result<Uploaded> {
    let mut total = Uploaded::default();
    let engine = lambkin_engine::fingerprint();
    for (name, (built, compiled)) in &prepared.components {
        let step = output.step(&format!("uploading {name}"));
        let put = store.put_blob(&built.digest, built.wasm.clone()).await;
        total.add(put.with_context(|| format!("component {name:?} cannot be uploaded"))?);
        for one in compiled {
            step.say(&format!("uploading {name} for {}", one.target));
            let target = one.target.to_string();
            let put = store
                .put_artifact(
                    &engine,
                    &target,
                    (&built.digest, &one.artifact.digest),
                    one.bytes.clone(),
                )
                .await;
            total.add(put.with_context(|| {
                format!("the artifact of {name:?} for {target} cannot be uploaded")
            })?);
        }
    }
    let release = &prepared.release;
    let put = store.put_release(&release.app, &release.id(), release.to_bytes().into()).await;
    total.add(put.with_context(|| format!("release {} cannot be uploaded", release.id()))?);
    if total.objects > 0 {
        output.done("Uploaded", &format!("{} objects, {}", total.objects, size(total.bytes)));
    }
    Ok(total)
}

impl Uploaded {
    fn add(&mut self, put: Put) {
        if let Put::Stored { bytes } = put {
            self.objects += 1;
            self.bytes += usize::try_from(bytes).unwrap_or(usize::MAX);
        }
    }
}
