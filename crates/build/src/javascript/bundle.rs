//! Runs esbuild: TypeScript and modules in, one ES module and its source map out.

use super::entry::Entry;
use crate::{BuildFailure, Source, tools};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Node's modules, which the runtime has itself, in some form.
const BUILTIN: &[&str] = &[
    "assert",
    "assert/strict",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "dns/promises",
    "domain",
    "events",
    "fs",
    "fs/promises",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "path/posix",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "readline/promises",
    "repl",
    "stream",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "string_decoder",
    "sys",
    "timers",
    "timers/promises",
    "tls",
    "tty",
    "url",
    "util",
    "util/types",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// One file with all the code of a component.
#[derive(Debug)]
pub(super) struct Bundle {
    /// The ES module.
    pub(super) code: String,
    /// Its source map, without the sources' text.
    pub(super) map: String,
    /// The names it exports.
    pub(super) exports: Vec<String>,
    /// Whether the entry is a `CommonJS` module, whose exports are those of the default export.
    pub(super) commonjs: bool,
    /// The entry as the user sees it.
    pub(super) entry: String,
    /// The modules that were left to the engine, each with the first file that imports it.
    pub(super) external: BTreeMap<String, String>,
    /// The project's own files that went in.
    pub(super) inputs: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Metafile {
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
struct Input {
    format: Option<String>,
    #[serde(default)]
    imports: Vec<Import>,
}

#[derive(Deserialize)]
struct Import {
    path: String,
    #[serde(default)]
    external: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(default)]
    exports: Vec<String>,
    entry_point: Option<String>,
}

/// Bundles for `QuickJS`: the runtime has Node's built-in modules, and packages are taken in their variant for workers
/// and browsers, which builds on the web's interfaces.
pub(super) fn quickjs(source: &Source, entry: &Entry, esbuild: &Path) -> Result<Bundle> {
    let mut options = node_modules();
    options.push("--external:lambkin/*".to_owned());
    run(source, entry, esbuild, &options)
}

/// The options that leave Node's modules to the engine.
pub(super) fn node_modules() -> Vec<String> {
    BUILTIN.iter().chain(&["node:*"]).map(|name| format!("--external:{name}")).collect()
}

/// Runs esbuild with `options` beside the common ones.
pub(super) fn run(
    source: &Source,
    entry: &Entry,
    esbuild: &Path,
    options: &[String],
) -> Result<Bundle> {
    let (code, metafile) = (source.work.join("bundle.js"), source.work.join("bundle.json"));
    let mut command = Command::new(esbuild);
    command
        .arg(&entry.file)
        .args([
            "--bundle",
            "--format=esm",
            "--platform=neutral",
            "--target=es2023",
            "--charset=utf8",
            "--legal-comments=none",
        ])
        .args(["--main-fields=browser,module,main", "--conditions=workerd,worker,browser"])
        .args([
            "--define:process.env.NODE_ENV=\"production\"",
            "--sourcemap=external",
            "--sources-content=false",
        ])
        .args(["--log-level=warning", "--color=false"])
        .args([
            format!("--outfile={}", code.display()),
            format!("--metafile={}", metafile.display()),
        ])
        .args(options)
        .current_dir(&entry.project);
    let name = entry.name(source);
    tools::run(&mut command, &format!("bundling {name}")).map_err(name_missing_package)?;
    let facts: Metafile =
        serde_json::from_slice(&fs_err::read(&metafile)?).context("esbuild's metafile")?;
    let output = facts.outputs.into_values().find(|output| output.entry_point.is_some());
    let output = output.context("esbuild's metafile names no entry point")?;
    let main = output.entry_point.as_deref().and_then(|main| facts.inputs.get(main));
    Ok(Bundle {
        code: fs_err::read_to_string(&code)?,
        map: source_map(source, &code.with_extension("js.map"))?,
        commonjs: main.is_some_and(|input| input.format.as_deref() == Some("cjs")),
        exports: output.exports,
        external: external(&facts.inputs),
        inputs: own_files(&entry.project, facts.inputs.keys()),
        entry: name,
    })
}

/// What the user is told when a module is evaluated by each invocation.
pub(super) fn deferred(source: &Source, needs: &str) -> String {
    format!("{}: loaded by each invocation, because it reads {needs}", source.name)
}

/// Says how to install the package that esbuild has not found; the rest of its output stays.
fn name_missing_package(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<BuildFailure>() {
        Ok(mut failure) => {
            if let Some(package) = missing_package(&failure.output) {
                failure.summary =
                    format!("the package {package} is not installed: run `npm install {package}`");
            }
            failure.into()
        }
        Err(other) => other,
    }
}

/// The package in esbuild's `Could not resolve "name/within"`, unless that is a path.
fn missing_package(output: &str) -> Option<String> {
    let (_, rest) = output.split_once("Could not resolve \"")?;
    let (name, _) = rest.split_once('"')?;
    let parts = if name.starts_with('@') { 2 } else { 1 };
    let package = name.split('/').take(parts).collect::<Vec<_>>().join("/");
    (!name.starts_with(['.', '/', '#']) && !name.contains(':')).then_some(package)
}

fn external(inputs: &BTreeMap<String, Input>) -> BTreeMap<String, String> {
    let mut external = BTreeMap::new();
    for (file, input) in inputs {
        for import in input.imports.iter().filter(|import| import.external) {
            external.entry(import.path.clone()).or_insert_with(|| file.clone());
        }
    }
    external
}

/// What the runtime needs of the source map: the mappings, and the sources by their names within the app.
fn source_map(source: &Source, path: &Path) -> Result<String> {
    #[derive(Deserialize, Serialize)]
    struct Map {
        sources: Vec<String>,
        mappings: String,
    }
    let mut map: Map =
        serde_json::from_slice(&fs_err::read(path)?).context("esbuild's source map")?;
    for name in &mut map.sources {
        let file = plain(&source.work.join(name.as_str()));
        let inside = file.strip_prefix(&source.root).unwrap_or(&file);
        *name = inside.to_string_lossy().into_owned();
    }
    Ok(serde_json::to_string(&map)?)
}

/// The path without `.` and `..`, by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The bundled files that the user edits: not those of installed packages.
fn own_files<'a>(project: &Path, files: impl Iterator<Item = &'a String>) -> Vec<PathBuf> {
    let own = files.filter(|file| !file.split('/').any(|part| part == "node_modules"));
    own.map(|file| plain(&project.join(file))).filter(|file| file.is_file()).collect()
}
