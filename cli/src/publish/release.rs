//! Brings a release and everything it names into a store: blobs and artifacts first, the release last.

use super::BuiltComponent;
use super::compile;
use super::components::bytes as size;
use super::files;
use super::rehearsal;
use crate::output::Output;
use crate::project::Project;
use anyhow::{Context as _, Result};
use lambkin_build::Home;
use lambkin_engine::Target;
use lambkin_protocol::manifest;
use lambkin_protocol::release::{self, Artifact, Authorizer, Component, Limits, Release, Reuse};
use lambkin_store::{Put, Store, StoredArtifact};
use std::collections::BTreeMap;

/// Where a release goes.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) store: &'a Store,
    pub(crate) targets: &'a [Target],
    pub(crate) home: &'a Home,
    pub(crate) rehearsal: Rehearsal,
}

impl<'a> Destination<'a> {
    /// A store on this machine.
    pub(crate) fn local(store: &'a Store, targets: &'a [Target], home: &'a Home) -> Self {
        Self { store, targets, home, rehearsal: Rehearsal::None }
    }
}

/// Whether components are called, to learn what a first call touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rehearsal {
    /// As a first call would.
    FirstCall,
    /// Not at all: whoever loads them has all of them at hand.
    None,
}

/// A release that is in the store.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) id: String,
    /// What had to be uploaded for it.
    pub(crate) objects: usize,
    pub(crate) bytes: u64,
}

/// Publishes built components as a release of the app; no alias is moved.
pub(crate) async fn publish(
    project: &Project,
    built: &BTreeMap<String, BuiltComponent>,
    to: Destination<'_>,
    output: &Output,
) -> Result<Published> {
    let Destination { store, targets, home, .. } = to;
    let mut published = Published { id: String::new(), objects: 0, bytes: 0 };
    let mut components = BTreeMap::new();
    for (name, component) in built {
        let manifest = project
            .manifest
            .component
            .get(name)
            .with_context(|| format!("the app has no component {name:?}"))?;
        let put = store.put_blob(&component.digest, component.wasm.clone()).await;
        published.add(
            put.with_context(|| format!("component {name:?} cannot be uploaded"))?,
            component.wasm.len() as u64,
        );
        let mut artifacts = BTreeMap::new();
        for target in targets {
            let (stored, uploaded) =
                artifact((name, component), (*target, project), to, output).await?;
            if uploaded {
                published.add(Put::Stored, stored.stored_size);
            }
            let artifact = Artifact {
                digest: stored.digest,
                size: stored.size,
                stored_size: stored.stored_size,
                start_size: stored.start_size,
            };
            artifacts.insert(target.to_string(), artifact);
        }
        let warmup = project.warmup(name, manifest)?;
        components
            .insert(name.clone(), Component { warmup, ..entry(manifest, component, artifacts) });
    }
    let (indexes, uploads) = files::publish(project, (store, home)).await?;
    for (put, bytes) in uploads {
        published.add(put, bytes);
    }
    let release = Release {
        lambkin_release: release::VERSION,
        app: project.manifest.app.name.clone(),
        components,
        authorizers: authorizers(&project.manifest),
        routes: project.manifest.route.clone(),
        websocket: project.manifest.websocket.clone(),
        files: indexes,
        triggers: project.manifest.trigger.clone(),
    };
    published.id = release.id();
    let bytes = release.to_bytes();
    let length = bytes.len() as u64;
    let put = store.put_release(&release.app, &published.id, bytes.into()).await;
    published
        .add(put.with_context(|| format!("release {} cannot be uploaded", published.id))?, length);
    if published.objects > 0 {
        let bytes = size(usize::try_from(published.bytes).unwrap_or(usize::MAX));
        output.done("Uploaded", &format!("{} objects, {bytes}", published.objects));
    }
    Ok(published)
}

/// What the host has to know of the app's authorizers.
fn authorizers(manifest: &manifest::Manifest) -> BTreeMap<String, Authorizer> {
    let entry = |authorizer: &manifest::Authorizer| Authorizer {
        kind: authorizer.kind,
        component: authorizer.component.clone(),
    };
    let authorizers = manifest.authorizer.iter();
    authorizers.map(|(name, authorizer)| (name.clone(), entry(authorizer))).collect()
}

/// The artifact that the store holds for a component and target, and whether it was put there now.
async fn artifact(
    (name, component): (&str, &BuiltComponent),
    (target, project): (Target, &Project),
    to: Destination<'_>,
    output: &Output,
) -> Result<(StoredArtifact, bool)> {
    let Destination { store, home, rehearsal, .. } = to;
    let engine = lambkin_engine::fingerprint();
    let word = target.to_string();
    let found = store.find_artifact(&engine, &word, &component.digest).await;
    if let Some(stored) = found.context("the store cannot be asked what it has")? {
        return Ok((stored, false));
    }
    let bytes = compile::compile(name, component, (target, home), output).await?;
    let _step = output.step(&format!("uploading {name} for {target}"));
    let touched = match rehearsal {
        Rehearsal::FirstCall => Box::pin(rehearsal::touched(name, (&bytes, target), project)).await,
        Rehearsal::None => Ok(Vec::new()),
    };
    let touched = touched.with_context(|| format!("component {name:?} cannot be rehearsed"))?;
    let put = store.put_artifact(&engine, &word, &component.digest, (bytes, touched)).await;
    Ok((
        put.with_context(|| format!("the artifact of {name:?} for {target} cannot be uploaded"))?,
        true,
    ))
}

fn entry(
    manifest: &manifest::Component,
    built: &BuiltComponent,
    artifacts: BTreeMap<String, Artifact>,
) -> Component {
    Component {
        digest: built.digest.clone(),
        size: built.wasm.len() as u64,
        world: built.world,
        environment: manifest.environment.clone(),
        config: manifest.config.clone(),
        grants: manifest.grants.clone(),
        limits: Limits {
            memory_mb: manifest.limits.memory_mb.unwrap_or(manifest::DEFAULT_MEMORY_MB),
            timeout_seconds: manifest.limits.timeout_seconds,
        },
        reuse: manifest.reuse.map(|reuse| Reuse {
            max_invocations: reuse.max_invocations.unwrap_or(manifest::DEFAULT_REUSE_INVOCATIONS),
            max_age_seconds: reuse.max_age_seconds.unwrap_or(manifest::DEFAULT_REUSE_AGE_SECONDS),
            max_concurrent: reuse.max_concurrent.unwrap_or(manifest::DEFAULT_REUSE_CONCURRENT),
        }),
        warmup: None,
        imports: built.imports.clone(),
        engine: lambkin_engine::fingerprint(),
        artifacts,
    }
}

impl Published {
    fn add(&mut self, put: Put, bytes: u64) {
        if put == Put::Stored {
            self.objects += 1;
            self.bytes += bytes;
        }
    }
}
