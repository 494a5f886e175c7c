//! From a component's source to a WebAssembly component, one module per language.
//!
//! Owns the call of compilers, bundlers and componentizers and what their failures look like to a user. Reading
//! `lambkin.toml`, compiling ahead of time and publishing are the CLI's work.

pub mod go;
pub mod javascript;
pub mod order;
pub mod python;
pub mod rust;
pub mod tools;
pub mod wasm;

use std::path::{Path, PathBuf};

/// What a handler is, as the manifest says or as the source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Lambda handler: any event in, an answer out.
    Function,
    /// A web handler: an HTTP request in, a response out.
    Http,
    /// A WASI command: the event on standard input, the answer on standard output.
    Command,
}

/// Which JavaScript engine a JavaScript or TypeScript component is built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JavascriptEngine {
    /// `QuickJS` with Lambkin's own globals: small and quick to start.
    QuickJs,
    /// `StarlingMonkey` (SpiderMonkey): larger, with the web platform's own implementations.
    StarlingMonkey,
}

/// One component to build, all paths absolute.
#[derive(Debug, Clone)]
pub struct Source {
    /// The component's name in the manifest.
    pub name: String,
    /// The app's folder, where `lambkin.toml` is.
    pub root: PathBuf,
    /// The source: a file or a folder, as the manifest names it.
    pub path: PathBuf,
    /// Which export or object is the handler; each language has a default.
    pub handler: Option<String>,
    /// The handler's kind, when the manifest says it.
    pub kind: Option<Kind>,
    /// The engine, for JavaScript and TypeScript.
    pub engine: Option<JavascriptEngine>,
    /// The seed of string hashes, for Python: what `PYTHONHASHSEED` says in the environment of the build.
    pub hash_seed: Option<String>,
    /// A folder for intermediate files, kept between builds so that a rebuild is quick.
    pub work: PathBuf,
}

/// A built component.
#[derive(Debug, Clone)]
pub struct Built {
    /// The component's bytes.
    pub wasm: Vec<u8>,
    /// The files and folders to watch: a change in any of them asks for a rebuild.
    pub inputs: Vec<PathBuf>,
}

/// Reports a step of a long build to the person who waits for it, for example `installing esbuild`.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Whether a tool that a language needs is there; `lambkin doctor` prints these.
#[derive(Debug, Clone)]
pub struct Check {
    /// The tool's name, for example `go`.
    pub tool: &'static str,
    /// Its version and place, or what is wrong.
    pub found: Result<String, String>,
    /// How to get it: one command or sentence.
    pub remedy: String,
}

/// A build that failed because of the user's source: the tool's own output, then a one-line summary.
#[derive(Debug)]
pub struct BuildFailure {
    /// What the compiler or bundler printed.
    pub output: String,
    /// One line, for example `cargo build failed with 2 errors`.
    pub summary: String,
}

impl std::fmt::Display for BuildFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}\n{}", self.output.trim_end(), self.summary)
    }
}

impl std::error::Error for BuildFailure {}

/// Where downloaded tools and engines are kept: `$LAMBKIN_HOME`, else `lambkin` in the user's cache folder.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// A home at `path`; it is created when first written to.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}
