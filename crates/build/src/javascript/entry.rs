//! Finds the file a bundle starts from, and the folder of the project it belongs to.

use crate::{BuildFailure, Source};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// What to bundle.
#[derive(Debug)]
pub(super) struct Entry {
    /// The file, absolute.
    pub(super) file: PathBuf,
    /// The folder of the nearest `package.json` within the app, else the app's own folder.
    pub(super) project: PathBuf,
}

impl Entry {
    /// The file's name as the user sees it: relative to the app.
    pub(super) fn name(&self, source: &Source) -> String {
        self.file.strip_prefix(&source.root).unwrap_or(&self.file).to_string_lossy().into_owned()
    }
}

const EXTENSIONS: [&str; 8] = ["ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "jsx"];

/// The entry of `source`: the file itself, or the main file of the folder.
pub(super) fn find(source: &Source) -> Result<Entry> {
    let file = if source.path.is_dir() {
        in_folder(&source.path)
    } else {
        source.path.is_file().then(|| source.path.clone())
    };
    let Some(file) = file else {
        let summary = format!(
            "{} is not there, or has no package.json with \"main\" and no index file",
            source.path.display()
        );
        return Err(BuildFailure { output: String::new(), summary }.into());
    };
    let project = file
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(&source.root))
        .find(|folder| folder.join("package.json").is_file())
        .unwrap_or(&source.root)
        .to_path_buf();
    Ok(Entry { file, project })
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    let package = fs_err::read(folder.join("package.json")).ok();
    let package: Option<serde_json::Value> =
        package.and_then(|text| serde_json::from_slice(&text).ok());
    let main = package.as_ref().and_then(|package| package.get("main")?.as_str());
    let main = main.map(|main| folder.join(main)).filter(|main| main.is_file());
    let places = ["src/index", "index", "src/main", "main", "src/handler", "handler"];
    let guesses = places
        .iter()
        .flat_map(|place| EXTENSIONS.iter().map(move |extension| format!("{place}.{extension}")));
    main.or_else(|| guesses.map(|guess| folder.join(guess)).find(|guess| guess.is_file()))
}
