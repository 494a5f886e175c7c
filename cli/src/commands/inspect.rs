//! `lambkin inspect`: routes, grants, imports, sizes and targets of a release, a component or a file.

use super::alias;
use crate::args;
use crate::hint::hinted;
use crate::output::Output;
use crate::project::Project;
use crate::publish::{self, component_world, size};
use crate::settings;
use anyhow::{Context as _, Result};
use lambkin_engine::compile::inspect;
use lambkin_protocol::digest::sha256_hex;
use lambkin_protocol::release::{Component, Release};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

#[derive(Serialize)]
struct File {
    digest: String,
    size: usize,
    world: lambkin_protocol::release::World,
    imports: Vec<String>,
    exports: Vec<String>,
}

pub(crate) async fn run(arguments: &args::Inspect, output: &Output) -> Result<()> {
    let what = arguments.what.as_str();
    if Path::new(what).is_file() {
        return file(&fs_err::read(what)?, output);
    }
    if let Ok(project) = Project::load(&arguments.app.source.project)
        && project.manifest.component.contains_key(what)
    {
        let built = publish::build_one(&project, what, &settings::home()?, output).await?;
        return file(&built.wasm, output);
    }
    if arguments.store.store.is_none() {
        return Err(hinted(
            format!("{what:?} is neither a file nor a component of the app here"),
            "to inspect a release or an alias, name its store with --store",
        ));
    }
    let store = settings::store(&arguments.store)?;
    let app = settings::app(&arguments.app)?;
    let id = if store.list_aliases(&app).await?.iter().any(|name| name == what) {
        alias::read(&store, &app, what).await?.only().unwrap_or_default().to_owned()
    } else {
        alias::find_release(&store, &app, what).await?
    };
    let bytes = store.release(&app, &id).await?;
    let release = Release::parse(&bytes).with_context(|| format!("release {id} cannot be read"))?;
    output.result(&release, || release_text(&id, &release))
}

fn file(wasm: &[u8], output: &Output) -> Result<()> {
    let found = inspect(wasm)?;
    let report = File {
        digest: sha256_hex(wasm),
        size: wasm.len(),
        world: component_world(found.world),
        imports: found.imports,
        exports: found.exports,
    };
    output.result(&report, || {
        let mut text = format!(
            "digest  {}\nsize    {}\nworld   {:?}\n",
            report.digest,
            size(report.size),
            report.world
        );
        for name in &report.imports {
            let _ = writeln!(text, "import  {name}");
        }
        for name in &report.exports {
            let _ = writeln!(text, "export  {name}");
        }
        text
    })
}

fn release_text(id: &str, release: &Release) -> String {
    let mut text = format!("release {id} of {}\n", release.app);
    for route in &release.routes {
        let methods =
            route.methods.as_ref().map_or_else(|| "ANY".to_owned(), |methods| methods.join(","));
        let target = match &route.files {
            Some(files) => format!("the files of {}", files.folder()),
            None => route.component.clone(),
        };
        let _ = writeln!(text, "route     {methods:<8} {} -> {target}", route.path);
    }
    for trigger in &release.triggers {
        let _ = writeln!(text, "trigger   {:<8} -> {}", trigger.kind.as_str(), trigger.component);
    }
    for (folder, index) in &release.files {
        let bytes = size(usize::try_from(index.size).unwrap_or(usize::MAX));
        let _ = writeln!(text, "files {folder} ({}, {bytes})", index.files);
    }
    for route in release.websocket.iter().flat_map(|api| &api.route) {
        let _ = writeln!(text, "websocket {} -> {}", route.key, route.component);
    }
    for (name, component) in &release.components {
        text.push_str(&component_text(name, component));
    }
    text
}

fn component_text(name: &str, component: &Component) -> String {
    let bytes = |count: u64| size(usize::try_from(count).unwrap_or(usize::MAX));
    let mut text = format!(
        "component {name} ({:?}, {}, {} MiB memory)\n",
        component.world,
        bytes(component.size),
        component.limits.memory_mb
    );
    let _ = writeln!(text, "  digest  {}", component.digest);
    for (target, artifact) in &component.artifacts {
        let _ =
            writeln!(text, "  target  {target}: {} for {}", bytes(artifact.size), component.engine);
    }
    for host in &component.grants.http {
        let _ = writeln!(text, "  grant   http {host}");
    }
    if component.grants.tmp {
        text.push_str("  grant   tmp\n");
    }
    for import in &component.imports {
        let _ = writeln!(text, "  import  {import}");
    }
    text
}
