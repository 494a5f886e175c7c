//! What is measured: each language on its own Lambda client, and as a component on the host.

use crate::arguments::Arguments;
use crate::component;
use crate::lambkin::Cloud;
use anyhow::bail;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a host may take to keep an artifact on disk.
const LONGEST_FILL: Duration = Duration::from_secs(10);

/// One row of the tables.
#[derive(Debug)]
pub(crate) struct Subject {
    /// How the targets name it: `rust`, `node`; `go/s3`, `go/tmp` and `go/package` for an app and where its
    /// artifact is, `go/reuse` for one whose instances are reused.
    pub(crate) id: String,
    /// How the tables name it.
    pub(crate) name: String,
    /// How it is started.
    pub(crate) program: Program,
    /// What it keeps on disk between two starts.
    pub(crate) cache: Option<Cache>,
    /// Whether its first answers are measured.
    pub(crate) starts: bool,
    /// Whether its warm calls are measured.
    pub(crate) calls: bool,
}

impl Subject {
    /// Whether its handler transforms JSON too: Java's would need a library for it.
    pub(crate) fn transforms(&self) -> bool {
        self.calls && self.id != JAVA
    }

    /// Makes what is on disk what it must be before a start.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        let Some(cache) = &self.cache else { return Ok(()) };
        if cache.is_emptied && cache.folder.exists() {
            fs_err::remove_dir_all(&cache.folder)?;
        }
        fs_err::create_dir_all(&cache.folder)?;
        Ok(())
    }

    /// Waits for the artifact to be whole on disk, where it stays there between two starts.
    pub(crate) fn wait_until_kept(&self) -> anyhow::Result<()> {
        let Some(cache) = self.cache.as_ref().filter(|cache| !cache.is_emptied) else {
            return Ok(());
        };
        let until = Instant::now() + LONGEST_FILL;
        while Instant::now() < until {
            for entry in fs_err::read_dir(&cache.folder)? {
                // What is being written has a suffix.
                if !entry?.file_name().to_string_lossy().contains('.') {
                    return Ok(());
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("after {LONGEST_FILL:?} there is no artifact in {}", cache.folder.display())
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
#[derive(Debug, Clone)]
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

impl Program {
    /// A program without arguments and variables of its own.
    pub(crate) fn new(executable: &Path) -> Self {
        Self {
            executable: executable.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
        }
    }

    /// With one more variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }
}

/// The host's folder for artifacts.
#[derive(Debug)]
pub(crate) struct Cache {
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// Whether nothing is in it before a first answer, so that the artifact comes from S3.
    pub(crate) is_emptied: bool,
}

/// The bare Rust handler, which all are compared with.
pub(crate) const RUST: &str = "rust";
const RUST_S3: &str = "rust-s3";
const JAVA: &str = "java";

/// Publishes the apps and lists every subject, the one that all are compared with first.
pub(crate) fn all(arguments: &Arguments, cloud: &Cloud) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = native(arguments, cloud)?;
    subjects.extend(component::all(cloud)?);
    Ok(subjects)
}

fn native(arguments: &Arguments, cloud: &Cloud) -> anyhow::Result<Vec<Subject>> {
    let apps = &arguments.apps;
    let object = cloud.put_small_object()?;
    let mut subjects = vec![subject(RUST, "Rust, lambda_runtime", &arguments.native_rust)];
    let mut reader = subject(RUST_S3, "Rust, and one object from S3", &arguments.native_rust_s3);
    reader.program.environment = cloud.environment();
    reader.program = reader.program.with("BENCH_OBJECT", object);
    subjects.push(reader);
    if let Some(go) = &arguments.native_go {
        subjects.push(subject("go", "Go, aws-lambda-go", go));
    }
    if let Some(client) = &arguments.native_node {
        let mut subject = subject("node", "Node, aws-lambda-ric", Path::new("node"));
        subject.program.arguments.push(client.into());
        subjects.push(subject.with_handler(apps.join("javascript"), "index.handler"));
    }
    if let Some(python) = &arguments.native_python {
        let mut subject = subject("python", "CPython, awslambdaric", python);
        subject.program.arguments.extend(["-m".into(), "awslambdaric".into()]);
        subjects.push(subject.with_handler(apps.join("python"), "app.lambda_handler"));
    }
    if let Some(class_path) = &arguments.native_java {
        subjects.push(java(class_path).with_handler(apps.clone(), "bench.Hello::handleRequest"));
    }
    Ok(subjects)
}

/// Java's client, with the options that Lambda gives the Java virtual machine.
fn java(class_path: &str) -> Subject {
    let mut subject = subject(JAVA, "Java, aws-lambda-java-ric", Path::new("java"));
    let options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp"];
    let arguments = &mut subject.program.arguments;
    arguments.extend(options.map(Into::into));
    arguments.push(class_path.into());
    arguments.push("com.amazonaws.services.lambda.runtime.api.client.AWSLambda".into());
    subject
}

fn subject(id: &str, name: &str, executable: &Path) -> Subject {
    let program = Program::new(executable);
    let (id, name, calls) = (id.to_owned(), name.to_owned(), id != RUST_S3);
    Subject { id, name, program, cache: None, starts: true, calls }
}
