//! Builds the components of an app, each in its language, and checks what they ask for.

use crate::hint::WithHint as _;
use crate::output::{Output, Step};
use crate::project::Project;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_build::{Built, Home, Source};
use lambkin_engine::Granted;
use lambkin_engine::compile::{Inspection, check_imports, inspect};
use lambkin_protocol::digest::sha256_hex;
use lambkin_protocol::manifest::{Component, Language};
use lambkin_protocol::release::World;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// A component that was built and may be published.
#[derive(Debug, Clone)]
pub(crate) struct BuiltComponent {
    pub(crate) wasm: Bytes,
    pub(crate) digest: String,
    pub(crate) world: World,
    pub(crate) imports: Vec<String>,
    /// What to watch for changes.
    pub(crate) inputs: Vec<PathBuf>,
}

/// Builds every component of the app, one after the other: each build uses all processors by itself.
pub(crate) async fn build_all(
    project: &Project,
    home: &Home,
    output: &Output,
) -> Result<BTreeMap<String, BuiltComponent>> {
    let mut built = BTreeMap::new();
    for name in project.manifest.component.keys() {
        built.insert(name.clone(), build_one(project, name, home, output).await?);
    }
    Ok(built)
}

/// Builds the component `name`.
pub(crate) async fn build_one(
    project: &Project,
    name: &str,
    home: &Home,
    output: &Output,
) -> Result<BuiltComponent> {
    let component = project
        .manifest
        .component
        .get(name)
        .with_context(|| format!("the app has no component {name:?}"))?;
    let start = Instant::now();
    // Before the build, so that a wrong name is told at once.
    project.warmup(name, component)?;
    own_build(project, name, component, output)?;
    let source = project.source(name, component)?;
    let step = Arc::new(output.step(&format!("building {name}")));
    let language = if component.build.is_some() { Language::Wasm } else { component.language };
    let (home, say) = (home.clone(), Arc::clone(&step));
    let built =
        tokio::task::spawn_blocking(move || build(language, &source, &home, &say)).await??;
    drop(step);
    let size = built.wasm.len();
    let checked = check(name, component, built, output)?;
    output.done(
        "Built",
        &format!(
            "{name} ({}, {} in {:.1} s)",
            word(component.language),
            bytes(size),
            start.elapsed().as_secs_f64()
        ),
    );
    Ok(checked)
}

/// Runs the build that the manifest gives instead of the language's own; its result is the component's source.
fn own_build(project: &Project, name: &str, component: &Component, output: &Output) -> Result<()> {
    let Some(build) = &component.build else { return Ok(()) };
    let _step = output.step(&format!("building {name}: {}", build.command));
    let mut command = Command::new("sh");
    command.args(["-c", &build.command]).current_dir(&project.root);
    lambkin_build::tools::run(&mut command, &format!("`{}` of component {name:?}", build.command))
        .map(drop)
}

fn build(language: Language, source: &Source, home: &Home, step: &Step) -> Result<Built> {
    let name = source.name.clone();
    let progress = move |what: &str| step.say(&format!("building {name}: {what}"));
    match language {
        Language::Rust => lambkin_build::rust::build(source, home, &progress),
        Language::JavaScript | Language::TypeScript => {
            lambkin_build::javascript::build(source, home, &progress)
        }
        Language::Python => lambkin_build::python::build(source, home, &progress),
        Language::Go => lambkin_build::go::build(source, home, &progress),
        Language::Wasm => lambkin_build::wasm::build(source, home, &progress),
    }
}

fn check(
    name: &str,
    component: &Component,
    built: Built,
    output: &Output,
) -> Result<BuiltComponent> {
    let inspection =
        inspect(&built.wasm).with_context(|| format!("component {name:?} cannot be served"))?;
    check_imports(&inspection, Granted { config: !component.config.is_empty() }).with_hint(
        format!("component {name:?} asks for what it is not granted"),
        "`lambkin inspect` lists a component's imports",
    )?;
    if let Some(warning) = reuse_in_vain(component, &inspection) {
        output.warn(&format!("component {name:?}: {warning}"));
    }
    Ok(BuiltComponent {
        digest: sha256_hex(&built.wasm),
        wasm: Bytes::from(built.wasm),
        world: world(inspection.world),
        imports: inspection.imports,
        inputs: built.inputs,
    })
}

/// What of a component's `reuse` will have no effect, and why.
fn reuse_in_vain(component: &Component, inspection: &Inspection) -> Option<String> {
    let reuse = component.reuse?;
    if let Some(reason) = inspection.never_reused() {
        return Some(format!("`reuse` has no effect: {reason}"));
    }
    if reuse.max_concurrent.is_some_and(|most| most > 1) && !inspection.serves_concurrently() {
        let world = inspection.world;
        return Some(format!(
            "`max_concurrent` has no effect: only components of WASI 0.3 serve several invocations at once, and it is \
             of world `{world}`"
        ));
    }
    None
}

/// The engine's and the release's word for the same thing.
pub(crate) fn world(world: lambkin_engine::World) -> World {
    match world {
        lambkin_engine::World::Http => World::Http,
        lambkin_engine::World::HttpAsync => World::HttpAsync,
        lambkin_engine::World::Function => World::Function,
        lambkin_engine::World::AsyncFunction => World::AsyncFunction,
        lambkin_engine::World::Command => World::Command,
    }
}

fn word(language: Language) -> &'static str {
    match language {
        Language::Rust => "Rust",
        Language::JavaScript => "JavaScript",
        Language::TypeScript => "TypeScript",
        Language::Python => "Python",
        Language::Go => "Go",
        Language::Wasm => "prebuilt",
    }
}

/// A size for people.
pub(crate) fn bytes(count: usize) -> String {
    indicatif::HumanBytes(count as u64).to_string()
}
