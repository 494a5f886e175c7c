//! What a manifest grants a component, `[component.<name>.grants]`, and the rules over it.

use std::collections::BTreeMap;

use http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{self, nearest};

/// What a component may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// Origins it may call: `https://api.example.com`, `https://*.example.com`, `http://127.0.0.1:9000`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<String>,
    /// Whether it has a private, empty `/tmp`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tmp: bool,
    /// Whether it may send to the app's WebSocket connections, close them and ask about them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub websocket: bool,
    /// Components of this app that it may start as jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// Folders of files in S3, by the names that the component knows them by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Folder>,
}

/// A folder of files: the objects of a bucket whose keys begin with a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// The bucket; the store's own, below `uploads/<app>/`, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// What the keys of its objects begin with, `incoming/`; nothing when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// What the component may do; `read` when absent.
    #[serde(default, skip_serializing_if = "Access::is_read")]
    pub access: Access,
}

/// What a component may do with the files of a folder, itself or by the URLs that it hands out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Get and list them.
    #[default]
    Read,
    /// Put and delete them.
    Write,
    /// Both.
    ReadWrite,
}

impl Access {
    /// Whether files may be read.
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::ReadWrite)
    }

    /// Whether files may be written.
    pub const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::ReadWrite)
    }

    const fn is_read(&self) -> bool {
        matches!(self, Self::Read)
    }
}

/// Reports a problem: its path below `grants`, a message, a hint.
pub(super) type Report<'a> = dyn FnMut(&[&str], String, Option<String>) + 'a;

/// Checks the grants of a component in an app that has these.
pub(super) fn check(grants: &Grants, components: &[String], report: &mut Report<'_>) {
    for (index, origin) in grants.http.iter().enumerate() {
        if !is_origin(origin) {
            let message = format!("`{origin}` is not an origin");
            let hint = "write `https://api.example.com`, `https://*.example.com` or `http://127.0.0.1:9000`".to_owned();
            report(&["http", &index.to_string()], message, Some(hint));
        }
    }
    for (index, job) in grants.jobs.iter().enumerate() {
        if !components.contains(job) {
            let near = nearest(job, components.iter().map(String::as_str));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("the job `{job}` is not a component of this app");
            report(&["jobs", &index.to_string()], message, hint);
        }
    }
    for (name, folder) in &grants.files {
        check_folder(name, folder, report);
    }
}

fn check_folder(name: &str, folder: &Folder, report: &mut Report<'_>) {
    if let Err(error) = name::check(name) {
        report(&["files", name], format!("bad name of a folder: {error}"), None);
    }
    if let Some(bucket) = &folder.bucket
        && !is_bucket(bucket)
    {
        let message = format!("`{bucket}` is not the name of a bucket");
        let hint = "3 to 63 lower-case letters, digits, dots and dashes".to_owned();
        report(&["files", name, "bucket"], message, Some(hint));
    }
    let is_path = folder.prefix.split('/').all(|part| part != "." && part != "..");
    if folder.prefix.starts_with('/') || !is_path {
        let message = format!("the prefix `{}` is not the beginning of a key", folder.prefix);
        let hint = "write `incoming/`, without a leading slash, `.` and `..`".to_owned();
        report(&["files", name, "prefix"], message, Some(hint));
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>, without the reserved prefixes.
fn is_bucket(text: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.starts_with(is_end)
        && text.ends_with(is_end)
        && text.chars().all(|c| is_end(c) || c == '.' || c == '-')
        && !text.contains("..")
}

/// Scheme, host and port and nothing else; the host may begin with `*.`.
fn is_origin(text: &str) -> bool {
    let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") else { return false };
    let host = rest.strip_prefix("*.").unwrap_or(rest);
    let uri = format!("{scheme}://{host}").parse::<Uri>();
    let is_bare = !rest.contains(['/', '?', '#', '@']) && !host.contains('*');
    is_bare && uri.is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}
