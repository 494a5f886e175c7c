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
    let mut subjects = vec![client("Rust, lambda_runtime", &arguments.native_rust, &[], None)];
    if let Some(go) = &arguments.native_go {
        subjects.push(client("Go, aws-lambda-go", go, &[], None));
    }
    if let Some(node) = &arguments.native_node {
        let arguments = [node.as_os_str(), "index.handler".as_ref()];
        let folder = Some(apps.join("javascript"));
        subjects.push(client("Node, aws-lambda-ric", Path::new("node"), &arguments, folder));
    }
    if let Some(python) = &arguments.native_python {
        let arguments = ["-m", "awslambdaric", "app.lambda_handler"].map(AsRef::as_ref);
        let folder = Some(apps.join("python"));
        subjects.push(client("CPython, awslambdaric", python, &arguments, folder));
    }
    subjects
}

fn client(
    name: &str,
    executable: &Path,
    arguments: &[&std::ffi::OsStr],
    folder: Option<PathBuf>,
) -> Subject {
    let root = folder.as_ref().map(|folder| folder.display().to_string());
    Subject {
        name: name.to_owned(),
        program: Program {
            executable: executable.to_owned(),
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: root.into_iter().map(|root| ("LAMBDA_TASK_ROOT".into(), root)).collect(),
            folder,
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
