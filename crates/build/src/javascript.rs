//! JavaScript and TypeScript components: bundle by esbuild, then snapshot on `QuickJS` or componentize on `StarlingMonkey`.
//!
//! Owns the way from a source file to a component. The runtime that `QuickJS` components are snapshots of is
//! `lang-bindings/javascript/runtime`, compiled by this crate's build script.

mod absent;
mod bundle;
mod component;
mod dependencies;
mod entry;
mod esbuild;
mod snapshot;
mod starlingmonkey;
mod wasi;

use crate::{BuildFailure, Built, Check, Home, JavascriptEngine, Kind, Progress, Source, tools};
use anyhow::Result;
use bundle::Bundle;
use snapshot::{Order, Report};

/// Builds `source` into a component.
pub fn build(source: &Source, home: &Home, progress: Progress<'_>) -> Result<Built> {
    fs_err::create_dir_all(&source.work)?;
    let entry = entry::find(source)?;
    let installed = dependencies::install(source, &entry, progress)?;
    let esbuild = esbuild::find(source, home, progress)?;
    let engine = source.engine.unwrap_or(JavascriptEngine::QuickJs);
    let wasm_and_inputs = match engine {
        JavascriptEngine::QuickJs => {
            let bundle = bundle::quickjs(source, &entry, &esbuild)?;
            (quickjs(source, &bundle, progress)?, bundle.inputs)
        }
        JavascriptEngine::StarlingMonkey => starlingmonkey::build(
            source,
            &entry,
            &esbuild,
            &starlingmonkey::Tools { home, progress },
        )?,
    };
    let (wasm, mut inputs) = wasm_and_inputs;
    inputs.extend(installed);
    inputs.sort();
    inputs.dedup();
    Ok(Built { wasm, inputs })
}

/// The tools that this language needs.
pub fn check(home: &Home) -> Vec<Check> {
    vec![
        Check {
            tool: "javascript runtime",
            found: snapshot::available().map(|()| "built in".to_owned()),
            remedy: "install clang, lld and Rust's target wasm32-wasip1, then build lambkin again".to_owned(),
        },
        Check {
            tool: "esbuild",
            found: esbuild::installed(home),
            remedy: "installed by the first build, which needs npm for it".to_owned(),
        },
        Check {
            tool: "npm",
            found: tools::version("npm", &["--version"]),
            remedy: "install Node.js; only a project's dependencies and the first installation of esbuild need it".to_owned(),
        },
        Check {
            tool: "node",
            found: tools::version("node", &["--version"]),
            remedy: "install Node.js 20 or later; only engine = \"starlingmonkey\" needs it".to_owned(),
        },
    ]
}

/// Takes the snapshot; a module whose top level needs what only an invocation has is evaluated by the invocation.
fn quickjs(source: &Source, bundle: &Bundle, progress: Progress<'_>) -> Result<Vec<u8>> {
    let handler = source.handler.as_deref();
    let order = Order { source: &bundle.code, map: &bundle.map, handler, deferred: false };
    let first = snapshot::take(&order)?;
    if first.report.needs.is_empty() {
        let kind = kind(source, bundle, &first)?;
        return component::encode(&first.module, kind, &bundle.external);
    }
    progress(&bundle::deferred(source, &first.report.needs.join(", ")));
    let kind = if first.report.error.is_some() {
        kind_by_exports(source, bundle)?
    } else {
        kind(source, bundle, &first)?
    };
    let second = snapshot::take(&Order { deferred: true, ..order })?;
    if second.report.error.is_some() {
        return Err(load_failure(source, &second).into());
    }
    component::encode(&second.module, kind, &bundle.external)
}

/// What the handler is: by its shape, checked against the manifest.
fn kind(source: &Source, bundle: &Bundle, taken: &snapshot::Snapshot) -> Result<Kind> {
    let Report { kind, exports, error, .. } = &taken.report;
    if error.is_some() {
        return Err(load_failure(source, taken).into());
    }
    let found = match kind.as_deref() {
        Some("http") => Kind::Http,
        Some("function") => Kind::Function,
        _ => return Err(no_handler(source, bundle, exports).into()),
    };
    match source.kind {
        Some(wanted) if wanted != found => {
            let (wanted, found) = (word(wanted), word(found));
            let summary = format!(
                "{} exports a handler of kind {found}, and the manifest says {wanted}",
                bundle.entry
            );
            Err(BuildFailure { output: String::new(), summary }.into())
        }
        _ => Ok(found),
    }
}

/// What the handler is when the module cannot be evaluated at build time: by the manifest, else by the names exported.
fn kind_by_exports(source: &Source, bundle: &Bundle) -> Result<Kind> {
    let handler = source.handler_export();
    match source.kind {
        Some(kind @ (Kind::Function | Kind::Http)) => Ok(kind),
        _ if bundle.exports.iter().any(|name| name == handler) || bundle.commonjs => {
            Ok(Kind::Function)
        }
        _ if bundle.exports.iter().any(|name| name == "default" || name == "fetch") => {
            Ok(Kind::Http)
        }
        _ => Err(no_handler(source, bundle, &bundle.exports).into()),
    }
}

fn no_handler(source: &Source, bundle: &Bundle, exports: &[String]) -> BuildFailure {
    let handler = source.handler_export();
    let exports = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
    let summary = format!(
        "{} exports no function `{handler}` and no default export with a `fetch` method; it exports {exports}",
        bundle.entry
    );
    BuildFailure { output: String::new(), summary }
}

fn load_failure(source: &Source, taken: &snapshot::Snapshot) -> BuildFailure {
    let (name, message, frames) = taken.report.error.clone().unwrap_or_default();
    let mut output = taken.output.clone();
    for line in std::iter::once(format!("{name}: {message}"))
        .chain(frames.iter().map(|frame| format!("    {frame}")))
    {
        output.push_str(&line);
        output.push('\n');
    }
    BuildFailure { output, summary: format!("loading {} failed: {name}: {message}", source.name) }
}

impl Source {
    /// The export that is the handler: the last part of `file.export`, as Lambda's own setting has it.
    fn handler_export(&self) -> &str {
        self.handler.as_deref().and_then(|name| name.rsplit('.').next()).unwrap_or("handler")
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Function => "function",
        Kind::Http => "http",
        Kind::Command => "command",
    }
}
