//! What is served: an app's sources, one component, or a published app; brought to where the host reads it.

use crate::args;
use crate::hint::hinted;
use crate::output::Output;
use crate::project::{MANIFEST, Project};
use crate::publish::{self, Destination};
use crate::settings;
use anyhow::{Context as _, Result};
use lambkin_engine::Target;
use lambkin_protocol::manifest;
use lambkin_store::{S3Access, Store};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The alias of what was built here.
const ALIAS: &str = "serve";

/// The app around a component that comes alone.
const ALONE: &str = "lambkin = 1\n[app]\nname = 'component'\n[component.component]\nlanguage = 'wasm'\nsource = '.'\n\
                     [[route]]\npath = '$default'\ncomponent = 'component'\n";

/// An app in a store.
pub(super) struct Source {
    pub(super) store: String,
    pub(super) app: String,
    pub(super) alias: String,
    /// Where artifacts are unpacked.
    pub(super) cache: PathBuf,
    /// Whether others move the alias.
    pub(super) is_published: bool,
    /// What is gone when the process is.
    pub(super) folder: TempDir,
}

impl Source {
    /// Builds and compiles what is at the given path, or takes what is in the store.
    pub(super) async fn prepare(arguments: &args::Serve, output: &Output) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("lambkin-serve-").tempdir()?;
        match (&arguments.app, &arguments.store.store) {
            (Some(app), Some(url)) => {
                settings::store(&arguments.store)?;
                Ok(Self {
                    store: url.clone(),
                    app: app.clone(),
                    alias: arguments.alias.clone(),
                    cache: folder.path().join("cache"),
                    is_published: true,
                    folder,
                })
            }
            _ => Self::build(&arguments.path, folder, output).await,
        }
    }

    async fn build(path: &Path, folder: TempDir, output: &Output) -> Result<Self> {
        let (project, work) = if is_manifest(path) {
            let project = load(path)?;
            let work = project.work().join("serve");
            (project, work)
        } else {
            (alone(path)?, folder.path().to_owned())
        };
        let home = settings::home()?;
        let store = work.join("store").display().to_string();
        let target = Store::open(&store, &S3Access::default())?;
        let built = publish::build_all(&project, &home, output)
            .await
            .with_context(|| format!("{} cannot be served", path.display()))?;
        let targets = [Target::current()];
        let to = Destination::local(&target, &targets, &home);
        let published = publish::publish(&project, &built, to, &Output::quiet()).await?;
        let app = project.manifest.app.name;
        publish::move_alias(&target, (&app, ALIAS), &published.id, None).await?;
        let (alias, cache) = (ALIAS.to_owned(), work.join("cache"));
        Ok(Self { store, app, alias, cache, is_published: false, folder })
    }

    /// The message of an error of the host.
    pub(super) fn failed(&self) -> String {
        format!("{}@{} of {} cannot be served", self.app, self.alias, self.store)
    }

    /// What to do about an app that cannot be loaded.
    pub(super) fn hint(&self) -> String {
        if self.is_published {
            let store = &self.store;
            return format!(
                "`lambkin releases --app {} --store {store}` lists what is there",
                self.app
            );
        }
        "try once more; if it persists, delete .lambkin/serve".to_owned()
    }
}

/// A path that names an app: a folder, or the manifest in it.
fn is_manifest(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|extension| extension == "toml")
}

fn load(path: &Path) -> Result<Project> {
    let file = if path.is_dir() { path.join(MANIFEST) } else { path.to_owned() };
    if !file.is_file() {
        return Err(hinted(
            format!("there is no {}", file.display()),
            "name an app's folder or a .wasm file: `lambkin serve app.wasm`; a published app needs --store and --app",
        ));
    }
    Project::load(path)
}

/// The app that consists of the component in `file`.
fn alone(file: &Path) -> Result<Project> {
    if !file.is_file() {
        return Err(hinted(
            format!("there is no {}", file.display()),
            "name an app's folder or a .wasm file",
        ));
    }
    let file = fs_err::canonicalize(file)?;
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("the name of {} is not UTF-8", file.display()))?;
    let mut manifest = manifest::parse(ALONE).context("the manifest of a component alone")?;
    for component in manifest.component.values_mut() {
        name.clone_into(&mut component.source);
    }
    Ok(Project { root: file.parent().map(Path::to_owned).unwrap_or_default(), manifest })
}
