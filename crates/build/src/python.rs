//! Python components: a Lambda handler, or a WSGI or ASGI app, on `CPython` 3.14 by componentize-py.
//!
//! The steps are: find the handler, install dependencies, copy the sources beside the adapter of `lang-bindings/python`,
//! and let componentize-py run them all once and take the snapshot. What happens inside `CPython` meanwhile is the
//! adapter's work (`lambkin/prepare.py`); it leaves a report that is read back here.

mod adapter;
mod componentize;
mod definitions;
mod dependencies;
mod fuse;
mod hash_seed;
mod immortal;
mod project;
mod sources;
mod tool;

use crate::{Built, Check, Home, Progress, Source};
use componentize::Request;
use dependencies::Dependencies;
use project::Project;
use sources::Sources;

/// Builds `source` into a component.
///
/// Fails with a [`crate::BuildFailure`] where the app is at fault: no handler, a missing module, a syntax error, an
/// exception while it is imported, a dependency that needs native code.
pub fn build(source: &Source, home: &Home, progress: Progress<'_>) -> anyhow::Result<Built> {
    fs_err::create_dir_all(&source.work)?;
    let project = Project::find(source)?;
    let tool = tool::find_or_install(home, progress)?;
    let dependencies =
        Dependencies::install(&project, &source.root, &source.work, &tool, progress)?;
    let sources = Sources::collect(&project.folder, &source.work)?;
    let request = Request {
        project: &project,
        sources: &sources,
        dependencies: &dependencies,
        work: &source.work,
        hash_seed: source.hash_seed.as_deref(),
    };
    let wasm = request.componentize(&tool, progress)?;
    let mut inputs = sources.paths();
    inputs.extend(dependencies.declared_in);
    Ok(Built { wasm, inputs })
}

/// The tools that this language needs.
pub fn check(home: &Home) -> Vec<Check> {
    vec![
        Check {
            tool: "python",
            found: tool::python(),
            remedy: "install Python 3.10 or newer, with its venv module".to_owned(),
        },
        Check {
            tool: "componentize-py",
            found: tool::installed(home),
            remedy: "nothing to do: the first build of a Python component installs it".to_owned(),
        },
    ]
}
