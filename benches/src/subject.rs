//! What is measured: each language on its own Lambda client, and as a component on the host.

use crate::arguments::Arguments;
use crate::lambkin::Store;
use crate::report;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Subject {
    /// How the table names it.
    pub(crate) name: String,
    /// How it is started.
    pub(crate) program: Program,
    /// What it keeps on disk between two starts.
    pub(crate) cache: Option<Cache>,
}

impl Subject {
    /// Whether its warm calls are measured: once it runs, where an artifact came from makes no difference.
    pub(crate) fn is_called(&self) -> bool {
        self.cache.as_ref().is_none_or(|cache| cache.before == Before::Empty)
    }

    /// With the handler that a client of an interpreted language loads from `folder`, as Lambda names it.
    fn with_handler(mut self, folder: PathBuf, handler: &str) -> Self {
        let program = &mut self.program;
        program.arguments.push(handler.into());
        program.environment.push(("_HANDLER".to_owned(), handler.to_owned()));
        program.environment.push(("LAMBDA_TASK_ROOT".to_owned(), folder.display().to_string()));
        program.folder = Some(folder);
        self
    }
}

/// A program with its arguments and variables.
#[derive(Debug)]
pub(crate) struct Program {
    /// What is executed.
    pub(crate) executable: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Its variables, beside those that Lambda sets.
    pub(crate) environment: Vec<(String, String)>,
    /// Where it runs.
    pub(crate) folder: Option<PathBuf>,
}

/// The host's folder for artifacts.
#[derive(Debug)]
pub(crate) struct Cache {
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// What is in it before a first answer.
    pub(crate) before: Before,
}

/// What the host finds on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing: the artifact comes from S3.
    Empty,
    /// The artifact, from the start before.
    Filled,
}

/// The apps, and how the table names them.
const APPS: [(&str, &str); 5] = [
    ("rust-http", "Rust component, wasi:http"),
    ("rust-function", "Rust component"),
    ("go", "Go component"),
    ("javascript", "JavaScript component"),
    ("python", "Python component"),
];

/// Publishes the apps and lists every subject, the one that all are compared with first.
pub(crate) fn all(
    arguments: &Arguments,
    store: &Store,
    folder: &Path,
) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = native(arguments);
    for (app, name) in APPS {
        store.publish(&arguments.lambkin, &arguments.apps.join(app))?;
        report::say(&format!("  {app}"));
        for before in [Before::Empty, Before::Filled] {
            subjects.push(component(arguments, store, folder, (app, name, before)));
        }
    }
    Ok(subjects)
}

fn native(arguments: &Arguments) -> Vec<Subject> {
    let apps = &arguments.apps;
    let mut subjects = vec![program("Rust, lambda_runtime", &arguments.native_rust)];
    if let Some(go) = &arguments.native_go {
        subjects.push(program("Go, aws-lambda-go", go));
    }
    if let Some(client) = &arguments.native_node {
        let mut subject = program("Node, aws-lambda-ric", Path::new("node"));
        subject.program.arguments.push(client.into());
        subjects.push(subject.with_handler(apps.join("javascript"), "index.handler"));
    }
    if let Some(python) = &arguments.native_python {
        let mut subject = program("CPython, awslambdaric", python);
        subject.program.arguments.extend(["-m".into(), "awslambdaric".into()]);
        subjects.push(subject.with_handler(apps.join("python"), "app.lambda_handler"));
    }
    subjects
}

fn program(name: &str, executable: &Path) -> Subject {
    Subject {
        name: name.to_owned(),
        program: Program {
            executable: executable.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
        },
        cache: None,
    }
}

fn component(
    arguments: &Arguments,
    store: &Store,
    folder: &Path,
    (app, name, before): (&str, &str, Before),
) -> Subject {
    let cache = folder.join("cache").join(format!("{app}-{before:?}"));
    let mut environment = store.environment();
    environment.push(("LAMBKIN_APP".into(), format!("bench-{app}@live")));
    environment.push(("LAMBKIN_CACHE_DIR".into(), cache.display().to_string()));
    let place = match before {
        Before::Empty => "from S3",
        Before::Filled => "from /tmp",
    };
    Subject {
        name: format!("Lambkin, {name}, {place}"),
        program: Program {
            executable: arguments.bootstrap.clone(),
            arguments: Vec::new(),
            environment,
            folder: None,
        },
        cache: Some(Cache { folder: cache, before }),
    }
}
