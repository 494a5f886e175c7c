//! From typed arguments to what a command works with: an open store, an app's name, the host's binary.

use crate::args;
use crate::config;
use crate::hint::{WithHint as _, hinted};
use crate::project::Project;
use anyhow::{Context as _, Result};
use lambkin_build::Home;
use lambkin_store::Store;
use std::path::{Path, PathBuf};

/// Opens the store that the arguments or the environment name.
pub(crate) fn store(arguments: &args::Store) -> Result<Store> {
    let Some(url) = &arguments.store else {
        return Err(hinted(
            "no store is given",
            "name one with --store s3://bucket/prefix, or in LAMBKIN_STORE",
        ));
    };
    Store::open(url, &config::s3_access()).with_hint(
        format!("the store {url} cannot be opened"),
        "give s3://bucket/prefix with AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set, or a folder",
    )
}

/// The app that is meant: by name, else the one of the manifest here.
pub(crate) fn app(choice: &args::AppChoice) -> Result<String> {
    match &choice.app {
        Some(name) => Ok(name.clone()),
        None => Ok(Project::load(&choice.source.project)
            .context("no --app is given")?
            .manifest
            .app
            .name),
    }
}

/// Where tools and compiled artifacts are kept.
pub(crate) fn home() -> Result<Home> {
    Ok(Home::new(config::home()?))
}

/// The host's binary: the one given, else `bootstrap` beside this command.
pub(crate) fn bootstrap(given: Option<&Path>) -> Result<PathBuf> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name("bootstrap"),
    };
    if path.is_file() {
        return Ok(fs_err::canonicalize(path)?);
    }
    Err(hinted(
        format!("the host is not at {}", path.display()),
        "build it with `cargo build -p lambkin-host`, or name it with --bootstrap",
    ))
}

/// Splits `shop@live`; the alias is `live` when it is left out.
pub(crate) fn app_and_alias(text: &str) -> (String, String) {
    let (app, alias) = text.split_once('@').unwrap_or((text, "live"));
    (app.to_owned(), alias.to_owned())
}
