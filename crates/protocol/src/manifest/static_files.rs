//! `static` of a route: a folder of the app whose files answer in the place of a component, and how they are answered.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Parts, Places};
use super::problem::Problems;

/// What a folder's own path is answered with, when a route says nothing else.
pub const DEFAULT_INDEX: &str = "index.html";

/// Headers that the host sets for every file, and that a route's own would contradict.
const OF_THE_HOST: [&str; 7] = [
    "accept-ranges",
    "content-encoding",
    "content-length",
    "content-range",
    "etag",
    "transfer-encoding",
    "vary",
];

/// The files of a route: a table, or the folder alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`static` is a folder, or a table with `folder`")]
pub enum Static {
    /// The folder and what is special about it.
    Table(StaticFiles),
    /// The folder, or one file, relative to this file.
    Folder(String),
}

/// A folder of files, and how they are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticFiles {
    /// The folder, or one file, relative to this file.
    pub folder: String,
    /// The file that answers for a folder; `index.html` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// The file that answers, with 200, where a page is asked for that does not exist: the page of a single-page app,
    /// relative to the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The `Cache-Control` of every file. When absent, clients ask each time whether a file has changed, but keep for a
    /// year what has the hash of its content in its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// Further headers of every file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether files are served whose name, or whose folder's name, begins with a dot. `.well-known` always is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dotfiles: bool,
}

impl Static {
    /// The folder, or the file, relative to the manifest.
    pub fn folder(&self) -> &str {
        match self {
            Self::Table(files) => &files.folder,
            Self::Folder(folder) => folder,
        }
    }

    /// The file that answers for a folder.
    pub fn index(&self) -> &str {
        self.table().and_then(|files| files.index.as_deref()).unwrap_or(DEFAULT_INDEX)
    }

    /// The options, where there are any.
    pub fn table(&self) -> Option<&StaticFiles> {
        match self {
            Self::Table(files) => Some(files),
            Self::Folder(_) => None,
        }
    }
}

/// Whether a file may be asked for by a route that serves no dotfiles: `.well-known` is there to be asked for
/// (<https://www.rfc-editor.org/rfc/rfc8615>).
pub fn is_dotfile(path: &str) -> bool {
    path.split('/').any(|name| name.starts_with('.') && name != ".well-known")
}

/// Each route has one of `component` and `static`, and the latter's values can be.
pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    for (index, route) in &parts.routes {
        let position = index.to_string();
        let mut report = |key: &str, message: String, hint: &str| {
            let path = ["route", &position, key];
            problems.add(places.of(&path), message, Some(hint.to_owned()));
        };
        let of = format!("route `{}`", route.path);
        match &route.files {
            None if route.component.is_empty() => {
                report(
                    "path",
                    format!("{of} leads nowhere"),
                    "name its `component`, or a folder of files as `static`",
                );
            }
            Some(_) if !route.component.is_empty() => {
                report(
                    "static",
                    format!("{of} has a component and files"),
                    "give the files a route of their own",
                );
            }
            Some(files) => check_files(files, &mut |message, hint| {
                report("static", format!("{of}: {message}"), hint);
            }),
            None => {}
        }
    }
}

fn check_files(files: &Static, report: &mut dyn FnMut(String, &str)) {
    if !is_inside(files.folder()) {
        report(
            format!("`{}` is not a folder of the app", files.folder()),
            "name it relative to the manifest, without `..`",
        );
    }
    let Some(table) = files.table() else { return };
    for (key, value) in [("index", &table.index), ("fallback", &table.fallback)] {
        if let Some(value) = value.as_ref().filter(|value| !is_inside(value)) {
            report(format!("`{key}` cannot be `{value}`"), "name a file relative to the folder");
        }
    }
    let control = table.cache_control.iter().map(|value| ("cache-control", value));
    for (name, value) in
        table.headers.iter().map(|(name, value)| (name.as_str(), value)).chain(control)
    {
        if name.parse::<HeaderName>().is_err() || HeaderValue::from_str(value).is_err() {
            report(
                format!("the header `{name}: {value}` is not allowed in HTTP"),
                "correct it or leave it out",
            );
        } else if OF_THE_HOST.contains(&name.to_ascii_lowercase().as_str()) {
            report(
                format!("the header `{name}` differs from file to file"),
                "leave it out: the host sets it",
            );
        }
    }
}

/// A relative path that stays where it begins.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains('\\')
        && path.split('/').all(|name| name != "..")
}
