//! From sources to a release in a store: build, compile ahead of time, upload what is missing, move the alias.
//!
//! Everything but the alias is immutable and content-addressed, so that a publish that stops anywhere leaves the old
//! release live and whole, and a second try uploads only the rest.

mod alias;
mod compile;
mod components;
mod upload;

pub use alias::{Move, move_alias};
pub use compile::Compiled;
pub use components::{
    BuiltComponent, build_all, build_one, bytes as size, world as component_world,
};
pub use upload::{Uploaded, upload};

use crate::output::Output;
use crate::project::Project;
use anyhow::Result;
use lambkin_build::Home;
use lambkin_engine::Target;
use lambkin_protocol::release::{self, Release};
use std::collections::BTreeMap;

/// The memory a component may use when the manifest says nothing, in MiB: Lambda's own default.
const DEFAULT_MEMORY_MB: u32 = 128;

/// A release with everything that has to be in the store for it.
#[derive(Debug)]
pub struct Prepared {
    pub release: Release,
    pub components: BTreeMap<String, (BuiltComponent, Vec<Compiled>)>,
}

/// Compiles built components for `targets` and writes their release.
pub async fn prepare(
    project: &Project,
    built: BTreeMap<String, BuiltComponent>,
    (targets, home): (&[Target], &Home),
    output: &Output,
) -> Result<Prepared> {
    let mut components = BTreeMap::new();
    for (name, component) in built {
        let compiled = compile::compile(&name, &component, (targets, home), output).await?;
        components.insert(name, (component, compiled));
    }
    let entries = components.iter().filter_map(|(name, (built, compiled))| {
        let manifest = project.manifest.component.get(name)?;
        Some((name.clone(), entry(manifest, built, compiled)))
    });
    let routes = project.manifest.route.iter().map(|route| release::Route {
        path: route.path.clone(),
        methods: route.methods.clone(),
        component: route.component.clone(),
    });
    let release =
        Release::new(project.manifest.app.name.clone(), entries.collect(), routes.collect());
    Ok(Prepared { release, components })
}

fn entry(
    manifest: &lambkin_protocol::manifest::Component,
    built: &BuiltComponent,
    compiled: &[Compiled],
) -> release::Component {
    release::Component {
        digest: built.digest.clone(),
        size: built.wasm.len() as u64,
        world: built.world,
        environment: manifest.environment.clone(),
        config: manifest.config.clone(),
        grants: release::Grants { http: manifest.grants.http.clone(), tmp: manifest.grants.tmp },
        limits: release::Limits {
            memory_mb: manifest.limits.memory_mb.unwrap_or(DEFAULT_MEMORY_MB),
            timeout_seconds: manifest.limits.timeout_seconds,
        },
        imports: built.imports.clone(),
        engine: lambkin_engine::fingerprint(),
        artifacts: compiled
            .iter()
            .map(|one| (one.target.to_string(), one.artifact.clone()))
            .collect(),
    }
}
