//! Many apps without many builds: copies of a published app, each with an artifact of its own.
//!
//! A copy differs from its model in the digits of one text in the component's data, so that its Wasm, its artifact and
//! its answers are its own. What is written goes through the store as `lambkin publish` writes it.

use crate::call::DOMAIN;
use crate::lambkin::{Cloud, STORE};
use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use futures::stream::{self, TryStreamExt as _};
use lambkin_protocol::alias::Alias;
use lambkin_protocol::digest::sha256_hex;
use lambkin_protocol::domain::{Domain, Mapping};
use lambkin_protocol::release::{Artifact, Component, Release};
use lambkin_store::{ArtifactDigest, ArtifactKey, Deadline, Expect, Pointer, Store};
use std::time::Duration;

/// The alias that everything is published under.
const ALIAS: &str = "live";

/// The text whose digits tell the copies apart.
const MARK: &[u8] = b"bench-variant-00000000";

/// Copies that are written at once.
const PARALLEL: usize = 4;

/// A published app with one component, read back from its store.
pub(crate) struct Model {
    /// Its release.
    pub(crate) release: Release,
    name: String,
    component: Component,
    target: String,
    wasm: Bytes,
    artifact: Bytes,
}

impl Model {
    /// Publishes the bench's `app` and reads it back.
    pub(crate) fn read(cloud: &Cloud, app: &str) -> anyhow::Result<Self> {
        cloud.publish(app)?;
        let store = cloud.store(STORE)?;
        cloud.block_on(Self::read_from(&store, &format!("bench-{app}")))
    }

    /// Reads an app that is published in `store`.
    pub(crate) async fn read_from(store: &Store, app: &str) -> anyhow::Result<Self> {
        let Pointer::Changed { bytes, .. } = store.alias(app, ALIAS, None).await? else {
            bail!("{app}@{ALIAS} is not in the store");
        };
        let alias = Alias::parse(&bytes)?;
        let id = alias.only().context("the alias points to several releases")?;
        let release = Release::parse(&store.release(app, id).await?)?;
        ensure!(release.components.len() == 1, "{app} has more components than one");
        let (name, component) = release.components.first_key_value().context("no component")?;
        let (target, artifact) = component.artifacts.first_key_value().context("no artifact")?;
        let key = ArtifactKey {
            engine: component.engine.clone(),
            target: target.clone(),
            component: component.digest.clone(),
            expected: ArtifactDigest { digest: artifact.digest.clone(), size: artifact.size },
            stored_size: artifact.stored_size,
            start_size: artifact.start_size,
        };
        Ok(Self {
            wasm: store.blob(&component.digest).await?,
            artifact: store.artifact(&key).await?,
            name: name.clone(),
            target: target.clone(),
            component: component.clone(),
            release,
        })
    }

    /// The size of the artifact in bytes, as it is mapped.
    pub(crate) fn artifact_size(&self) -> u64 {
        self.artifact.len() as u64
    }

    /// Publishes `count` copies to `store`, and maps each to the base path of its name under the events' domain.
    pub(crate) async fn publish_copies(&self, store: &Store, count: u32) -> anyhow::Result<()> {
        stream::iter((0..count).map(Ok))
            .try_for_each_concurrent(PARALLEL, |number| async move {
                let text = copy_text(number);
                let pair = (marked(&self.wasm, &text)?, marked(&self.artifact, &text)?);
                self.put(store, &copy_name(number), pair).await
            })
            .await?;
        let names = (0..count).map(copy_name);
        map_domain(store, names.map(|name| (name.clone(), name))).await
    }

    async fn put(
        &self,
        store: &Store,
        app: &str,
        (wasm, artifact): (Bytes, Bytes),
    ) -> anyhow::Result<()> {
        let digest = sha256_hex(&wasm);
        let stored = store
            .put_artifact(&self.component.engine, &self.target, &digest, (artifact, Vec::new()))
            .await?;
        let mut component = Component { digest, ..self.component.clone() };
        let artifact = Artifact {
            digest: stored.digest,
            size: stored.size,
            stored_size: stored.stored_size,
            start_size: stored.start_size,
        };
        component.artifacts.insert(self.target.clone(), artifact);
        let mut release = Release { app: app.to_owned(), ..self.release.clone() };
        release.components.insert(self.name.clone(), component);
        put_release(store, app, &release).await
    }
}

/// Writes a release and points the alias of `app` to it.
pub(crate) async fn put_release(store: &Store, app: &str, release: &Release) -> anyhow::Result<()> {
    let (id, document) = (release.id(), release.to_bytes());
    let mut alias = Alias::single(&id);
    alias.carry(&id, &document);
    store.put_release(app, &id, document.into()).await?;
    store.put_alias(app, ALIAS, alias.to_bytes().into(), Expect::Any).await?;
    Ok(())
}

/// Maps base paths to apps under the events' domain, and nothing else.
pub(crate) async fn map_domain(
    store: &Store,
    apps: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<()> {
    let mut domain = Domain::empty();
    domain.mappings =
        apps.map(|(base, app)| (base, Mapping { app, alias: ALIAS.to_owned() })).collect();
    store.put_domain(DOMAIN, domain.to_bytes().into(), Expect::Any).await?;
    Ok(())
}

/// The name and base path of a copy.
pub(crate) fn copy_name(number: u32) -> String {
    format!("app-{number:04}")
}

/// The text that a copy answers with.
pub(crate) fn copy_text(number: u32) -> String {
    format!("bench-variant-{number:08}")
}

/// The keys and sizes in bytes of what the store below `prefix` of the bucket holds of artifacts: everything but blobs,
/// apps and domains. `bucket` is the whole bucket.
pub(crate) async fn stored_artifacts(
    bucket: &Store,
    prefix: &str,
) -> anyhow::Result<Vec<(String, u64)>> {
    let objects = bucket.objects();
    let deadline = || Deadline::after(Duration::from_secs(10));
    let mut found = Vec::new();
    let mut folders = objects.children(prefix, deadline()).await?;
    folders.retain(|name| !["apps", "blobs", "domains"].contains(&name.as_str()));
    let mut keys: Vec<String> = folders.iter().map(|name| format!("{prefix}/{name}")).collect();
    while let Some(key) = keys.pop() {
        if let Some(size) = objects.size(&key, deadline()).await? {
            found.push((key, size));
            continue;
        }
        let below = objects.children(&key, deadline()).await?;
        keys.extend(below.iter().map(|name| format!("{key}/{name}")));
    }
    Ok(found)
}

/// `bytes` with another text in place of the mark.
fn marked(bytes: &[u8], text: &str) -> anyhow::Result<Bytes> {
    ensure!(text.len() == MARK.len(), "{text} is not as long as the mark");
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = bytes
        .windows(MARK.len())
        .enumerate()
        .filter_map(|(at, window)| (window == MARK).then_some(at))
        .collect();
    ensure!(!places.is_empty(), "the component does not hold its mark as one text");
    for place in places {
        if let Some(window) = bytes.get_mut(place..place + text.len()) {
            window.copy_from_slice(text.as_bytes());
        }
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::{copy_text, marked};

    #[test]
    fn a_copy_differs_in_its_mark_alone() {
        let text = copy_text(12);
        let copy = marked(b"before bench-variant-00000000 after", &text).unwrap();
        assert_eq!(&copy[..], b"before bench-variant-00000012 after");
        assert!(marked(b"no mark in here", &text).is_err());
    }
}
