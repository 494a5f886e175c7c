//! Builds an app from files in memory, compiles it for this machine and calls it: what the suites of all languages use.
//!
//! Builds, tools and compiled functions are kept between runs (`CARGO_TARGET_TMPDIR`), so that only what has changed is
//! built again.

#![allow(dead_code, unused_imports, reason = "each language's suite uses its own part of this")]

mod component;
mod order;

pub(crate) use component::{Answer, Component, REQUEST_ID, TIME};
pub(crate) use order::assert_hot_first;

use lambkin_build::{BuildFailure, Built, Home, JavascriptEngine, Kind, Progress, Source};
use std::path::{Path, PathBuf};

/// A language as `lambkin_build` has it.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    /// The folder that its builds are kept in.
    pub(crate) name: &'static str,
    pub(crate) build: fn(&Source, &Home, Progress<'_>) -> anyhow::Result<Built>,
}

/// An app's files, in a folder of the test's own, and what the manifest says of its one component.
pub(crate) struct App {
    language: Language,
    folder: PathBuf,
    handler: Option<String>,
    kind: Option<Kind>,
    engine: Option<JavascriptEngine>,
}

impl App {
    pub(crate) fn new(language: Language, name: &str) -> Self {
        let folder = shared(language).join(name);
        let root = folder.join("app");
        if root.exists() {
            fs_err::remove_dir_all(&root).unwrap();
        }
        fs_err::create_dir_all(&root).unwrap();
        Self { language, folder, handler: None, kind: None, engine: None }
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.root().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        self
    }

    pub(crate) fn files(self, files: &[(&str, &str)]) -> Self {
        files.iter().fold(self, |app, (name, text)| app.file(name, text))
    }

    /// The files of a folder beside the tests, or one file.
    pub(crate) fn copied(self, from: &str) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(from);
        if from.is_file() {
            let name = from.file_name().unwrap().to_string_lossy().into_owned();
            return self.file(&name, &fs_err::read_to_string(&from).unwrap());
        }
        fs_err::read_dir(&from).unwrap().fold(self, |app, entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            app.file(&name, &fs_err::read_to_string(&path).unwrap())
        })
    }

    pub(crate) fn handler(mut self, handler: &str) -> Self {
        self.handler = Some(handler.to_owned());
        self
    }

    pub(crate) fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    pub(crate) fn engine(mut self, engine: JavascriptEngine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// The app's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("app")
    }

    /// Builds the source at `path` within the app.
    pub(crate) fn build(&self, path: &str) -> anyhow::Result<Built> {
        let root = self.root();
        let source = Source {
            name: "guest".to_owned(),
            path: root.join(path),
            root,
            handler: self.handler.clone(),
            kind: self.kind,
            engine: self.engine,
            hash_seed: None,
            work: self.folder.join("work"),
        };
        let home = Home::new(shared(self.language).join("home"));
        let built = (self.language.build)(&source, &home, &|_| {})?;
        for input in &built.inputs {
            let builds_itself = input.starts_with(&source.work) || source.work.starts_with(input);
            assert!(!builds_itself, "{} changes with every build", input.display());
        }
        Ok(built)
    }

    /// The component, ready to be called.
    pub(crate) fn component(&self, path: &str) -> Component {
        let wasm = self.build(path).unwrap().wasm;
        Component::load(&wasm, &shared(self.language).join("functions"))
    }

    /// What the user reads when the build fails.
    pub(crate) fn failure(&self, path: &str) -> String {
        let error = self.build(path).expect_err("the build should fail");
        error.downcast::<BuildFailure>().expect("a failure of the app's own").to_string()
    }
}

/// A folder that outlives a run.
fn shared(language: Language) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(language.name)
}
