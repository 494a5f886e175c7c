//! The Go module that is linked into every component, and the copy of `aws-lambda-go` that calls it.
//!
//! Both lie under the home folder, where they are written once for each version of their content.

use crate::Home;
use anyhow::{Context as _, Result};
use include_dir::{Dir, DirEntry, include_dir};
use lambkin_protocol::digest::sha256_hex;
use std::path::{Path, PathBuf};

static BINDING: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../lang-bindings/go");

/// The binding's own `go.mod`: its `go` line is old, so that it asks nothing of the `go` line of a user's module.
const GO_MOD: &str = "module lambkin.dev/go\n\ngo 1.18\n";

/// The part of `aws-lambda-go/lambda` that talks to Lambda's Runtime API, which Lambkin's part stands in for.
const RUNTIME_API_CLIENT: [&str; 5] =
    ["runtime_api_client", "invoke_loop", "sigterm", "rpc_", "extensions_api_client"];

/// The folder of the module `lambkin.dev/go`.
pub(super) fn extract(home: &Home) -> Result<PathBuf> {
    install(home, &format!("go-binding-{}", fingerprint()), |folder| {
        write_tree(&BINDING, folder)?;
        Ok(fs_err::write(folder.join("go.mod"), GO_MOD)?)
    })
}

/// A copy of `aws-lambda-go`, out of `source`, whose `lambda.Start` serves Lambkin's host.
pub(super) fn copy_aws_lambda(home: &Home, version: &str, source: &Path) -> Result<PathBuf> {
    let name = format!("aws-lambda-go-{version}-{}", fingerprint());
    let start = BINDING
        .get_file("_aws/lambda/lambkin.go")
        .context("the Go binding has no part for aws-lambda-go")?;
    install(home, &name, |folder| {
        copy_go_files(source, folder, &|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let replaced = RUNTIME_API_CLIENT.iter().any(|part| file.starts_with(part));
            !(replaced && path.parent() == Some(&source.join("lambda")))
        })?;
        fs_err::copy(source.join("go.mod"), folder.join("go.mod"))?;
        Ok(fs_err::write(folder.join("lambda/lambkin.go"), start.contents())?)
    })
}

/// The first 16 hex digits of the SHA-256 of every file of the binding.
fn fingerprint() -> String {
    fn gather(folder: &Dir<'_>, into: &mut Vec<u8>) {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(inner) => gather(inner, into),
                DirEntry::File(file) => {
                    into.extend_from_slice(file.path().to_string_lossy().as_bytes());
                    into.extend_from_slice(file.contents());
                }
            }
        }
    }
    let mut content = GO_MOD.as_bytes().to_vec();
    gather(&BINDING, &mut content);
    sha256_hex(&content).chars().take(16).collect()
}

/// Fills `tools/<name>` by `fill` unless it is there; another process that does the same at once does no harm.
fn install(home: &Home, name: &str, fill: impl Fn(&Path) -> Result<()>) -> Result<PathBuf> {
    let tools = home.path().join("tools");
    let folder = tools.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs_err::create_dir_all(&tools)?;
    let draft = tempfile::Builder::new().prefix(".go-").tempdir_in(&tools)?;
    fill(draft.path())?;
    match fs_err::rename(draft.path(), &folder) {
        Err(error) if !folder.is_dir() => Err(error.into()),
        _ => Ok(folder),
    }
}

fn write_tree(tree: &Dir<'_>, folder: &Path) -> Result<()> {
    fs_err::create_dir_all(folder.join(tree.path()))?;
    for entry in tree.entries() {
        match entry {
            DirEntry::Dir(inner) => write_tree(inner, folder)?,
            DirEntry::File(file) => fs_err::write(folder.join(file.path()), file.contents())?,
        }
    }
    Ok(())
}

/// Copies the Go files that a build can need and that `keep` accepts.
fn copy_go_files(from: &Path, to: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let path = entry.path();
        let target = to.join(entry.file_name());
        if path.is_dir() {
            if !path.ends_with("testdata") {
                copy_go_files(&path, &target, keep)?;
            }
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let compiled = path.extension().is_some_and(|extension| extension == "go");
        if compiled && !name.ends_with("_test.go") && keep(&path) {
            // Not fs::copy: files of the module cache are read-only, and so would the copies be.
            fs_err::write(target, fs_err::read(&path)?)?;
        }
    }
    Ok(())
}
