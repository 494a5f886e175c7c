//! Which components a change on disk concerns.
//!
//! A change counts when the content of a component's inputs is no longer what it was after its last build. Builds write
//! files of their own, and editors write files twice: neither asks for another build, so that watching never loops.

use crate::project::{MANIFEST, WORK};
use anyhow::{Context as _, Result};
use lambkin_protocol::digest::sha256_hex;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Folders that builds and package managers write to.
const OUTPUTS: [&str; 6] = [WORK, "target", "node_modules", ".git", "__pycache__", ".venv"];

/// How long to wait for the rest of a burst: an editor's save, or a checkout of many files.
const QUIET: Duration = Duration::from_millis(30);

/// What changed since the last look.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// When the first of them was noticed, which is when it was saved.
    pub(crate) since: Option<Instant>,
    pub(crate) manifest: bool,
    pub(crate) components: BTreeSet<String>,
}

/// Watches an app's folder and the inputs of its components.
pub(crate) struct Watch {
    root: PathBuf,
    inputs: BTreeMap<String, Vec<PathBuf>>,
    seen: BTreeMap<String, String>,
    manifest: String,
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<Instant>,
}

impl Watch {
    /// Starts to watch the app's folder; components are added by [`Watch::settle`].
    pub(crate) fn start(root: &Path) -> Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let concerns_us = event.is_ok_and(|event| {
                !event.kind.is_access() && event.paths.iter().any(|path| !is_output(path))
            });
            if concerns_us {
                // The receiver is gone only when the command ends.
                let _ = sender.send(Instant::now());
            }
        })
        .context("the system's file watcher cannot be started")?;
        let mut watch = Self {
            root: root.to_owned(),
            inputs: BTreeMap::new(),
            seen: BTreeMap::new(),
            manifest: file_digest(&root.join(MANIFEST)),
            watcher,
            events,
        };
        watch.add(root, RecursiveMode::NonRecursive)?;
        Ok(watch)
    }

    /// Takes the inputs of a component as they are after its build.
    pub(crate) fn settle(&mut self, component: &str, inputs: &[PathBuf]) -> Result<()> {
        for input in inputs {
            if input.is_dir() {
                self.add(input, RecursiveMode::Recursive)?;
            } else if let Some(folder) = input.parent() {
                // Editors replace a file by renaming another over it: only its folder sees that.
                self.add(folder, RecursiveMode::NonRecursive)?;
            }
        }
        self.seen.insert(component.to_owned(), inputs_digest(inputs));
        self.inputs.insert(component.to_owned(), inputs.to_vec());
        Ok(())
    }

    /// Forgets components that the manifest no longer has.
    pub(crate) fn keep(&mut self, components: impl Fn(&str) -> bool) {
        self.inputs.retain(|name, _| components(name));
    }

    /// Waits until something that matters has changed.
    pub(crate) async fn changed(&mut self) -> Changes {
        loop {
            let Some(since) = self.events.recv().await else {
                return std::future::pending().await;
            };
            while tokio::time::timeout(QUIET, self.events.recv()).await.is_ok() {}
            let changes = Changes { since: Some(since), ..self.look() };
            if changes.manifest || !changes.components.is_empty() {
                return changes;
            }
        }
    }

    fn look(&mut self) -> Changes {
        let mut changes = Changes::default();
        let manifest = file_digest(&self.root.join(MANIFEST));
        // An editor may be between removing the old file and writing the new one.
        if !manifest.is_empty() && manifest != self.manifest {
            self.manifest = manifest;
            changes.manifest = true;
        }
        for (name, inputs) in &self.inputs {
            let now = inputs_digest(inputs);
            if self.seen.get(name) != Some(&now) {
                self.seen.insert(name.clone(), now);
                changes.components.insert(name.clone());
            }
        }
        changes
    }

    fn add(&mut self, path: &Path, mode: RecursiveMode) -> Result<()> {
        self.watcher
            .watch(path, mode)
            .with_context(|| format!("{} cannot be watched", path.display()))
    }
}

fn is_output(path: &Path) -> bool {
    path.components()
        .any(|part| OUTPUTS.iter().any(|output| part.as_os_str() == OsStr::new(output)))
}

/// One digest over the names and contents of all files under `inputs`.
fn inputs_digest(inputs: &[PathBuf]) -> String {
    let mut files = BTreeSet::new();
    for input in inputs {
        collect(input, &mut files);
    }
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{} {}", file.display(), file_digest(&file));
    }
    sha256_hex(text.as_bytes())
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) {
    if path.is_file() {
        files.insert(path.to_owned());
    } else if let Ok(entries) = fs_err::read_dir(path) {
        for entry in entries.flatten() {
            let inner = entry.path();
            if !is_output(Path::new(inner.file_name().unwrap_or_default())) {
                collect(&inner, files);
            }
        }
    }
}

/// The digest of a file's bytes, empty when it cannot be read at this moment.
fn file_digest(path: &Path) -> String {
    fs_err::read(path).map(|bytes| sha256_hex(&bytes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_changed_content_counts() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        fs_err::create_dir(&source).unwrap();
        fs_err::write(source.join("index.js"), "one").unwrap();
        fs_err::write(folder.path().join(MANIFEST), "lambkin = 1").unwrap();
        let mut watch = Watch::start(folder.path()).unwrap();
        watch.settle("web", std::slice::from_ref(&source)).unwrap();
        fs_err::write(source.join("index.js"), "one").unwrap();
        assert!(watch.look().components.is_empty(), "the same content again");
        fs_err::create_dir(source.join("node_modules")).unwrap();
        fs_err::write(source.join("node_modules/x.js"), "x").unwrap();
        assert!(watch.look().components.is_empty(), "what a package manager writes");
        fs_err::write(source.join("index.js"), "two").unwrap();
        assert_eq!(watch.look().components.into_iter().collect::<Vec<_>>(), ["web"]);
        assert!(watch.look().components.is_empty(), "the same change twice");
        fs_err::write(folder.path().join(MANIFEST), "lambkin = 1\n").unwrap();
        assert!(watch.look().manifest);
    }

    #[tokio::test]
    async fn a_saved_file_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("index.js");
        fs_err::write(&source, "one").unwrap();
        fs_err::write(folder.path().join(MANIFEST), "lambkin = 1").unwrap();
        let mut watch = Watch::start(folder.path()).unwrap();
        watch.settle("web", std::slice::from_ref(&source)).unwrap();
        let replacement = folder.path().join("index.js.new");
        fs_err::write(&replacement, "two").unwrap();
        fs_err::rename(&replacement, &source).unwrap();
        let changes = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.unwrap();
        assert!(changes.components.contains("web") && !changes.manifest);
    }
}
