//! An app on disk: its folder, its manifest, and where its build files go.

use crate::config;
use crate::hint::{WithHint as _, hinted};
use anyhow::Result;
use lambkin_build::{JavascriptEngine, Kind, Source};
use lambkin_protocol::manifest::{self, Component, Manifest};
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// The manifest's file name.
pub(crate) const MANIFEST: &str = "lambkin.toml";

/// The folder for everything that Lambkin writes into an app's folder.
pub(crate) const WORK: &str = ".lambkin";

/// An app's folder and its manifest.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) manifest: Manifest,
}

impl Project {
    /// Reads the app at `path`: its folder or its manifest.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let file = if path.is_dir() { path.join(MANIFEST) } else { path.to_owned() };
        if !file.is_file() {
            return Err(hinted(
                format!("there is no {}", file.display()),
                "create an app with `lambkin new <name> --template <template>`, or name its folder with --project",
            ));
        }
        let text = fs_err::read_to_string(&file)?;
        let manifest = manifest::parse(&text).with_hint(
            format!("{} is not valid", file.display()),
            "`lambkin schema` prints what a manifest may hold",
        )?;
        let file = fs_err::canonicalize(&file)?;
        let root = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { root, manifest })
    }

    /// The manifest's path.
    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.root.join(MANIFEST)
    }

    /// The folder for build files, kept between builds.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join(WORK)
    }

    /// The component `name` as the builder of its language wants it.
    pub(crate) fn source(&self, name: &str, component: &Component) -> Result<Source> {
        let path = self.root.join(&component.source);
        if !path.exists() {
            return Err(hinted(
                format!("component {name:?}: its source {} does not exist", path.display()),
                format!(
                    "correct `source` in [component.{name}] of {}",
                    self.manifest_path().display()
                ),
            ));
        }
        Ok(Source {
            name: name.to_owned(),
            root: self.root.clone(),
            path,
            handler: component.handler.clone(),
            kind: component.kind.map(kind),
            engine: component.engine.map(engine),
            hash_seed: config::python_hash_seed(),
            work: self.work().join("build").join(name),
        })
    }

    /// The component's warm-up event as it goes into a release.
    pub(crate) fn warmup(&self, name: &str, component: &Component) -> Result<Option<String>> {
        let Some(file) = &component.warmup else { return Ok(None) };
        let path = self.root.join(file);
        let what = |problem: &str| {
            format!("component {name:?}: its warm-up event {} {problem}", path.display())
        };
        let place = format!(
            "correct `warmup` in [component.{name}] of {}, or leave it out",
            self.manifest_path().display()
        );
        let text = fs_err::read_to_string(&path).with_hint(what("cannot be read"), &place)?;
        let event: &RawValue =
            serde_json::from_str(&text).with_hint(what("is not JSON"), &place)?;
        let bytes = event.get().len();
        if bytes > manifest::MAX_WARMUP_BYTES {
            return Err(hinted(
                what(&format!("has {bytes} bytes, and {} fit", manifest::MAX_WARMUP_BYTES)),
                "a smaller event warms the same code",
            ));
        }
        Ok(Some(event.get().to_owned()))
    }
}

fn kind(kind: manifest::Kind) -> Kind {
    match kind {
        manifest::Kind::Function => Kind::Function,
        manifest::Kind::Http => Kind::Http,
        manifest::Kind::Command => Kind::Command,
    }
}

fn engine(engine: manifest::JsEngine) -> JavascriptEngine {
    match engine {
        manifest::JsEngine::QuickJs => JavascriptEngine::QuickJs,
        manifest::JsEngine::StarlingMonkey => JavascriptEngine::StarlingMonkey,
    }
}
