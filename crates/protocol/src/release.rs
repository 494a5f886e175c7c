//! A release: the resolved, immutable manifest of one deployment, named by its own digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::manifest::{AuthorizerType, Grants, Trigger, WebSocket};
pub use crate::routes::Route;
use crate::{digest, name};

/// The version of the release document this crate writes and reads.
pub const VERSION: u32 = 1;
/// How many hexadecimal digits of the document's SHA-256 make a release id.
pub const ID_LENGTH: usize = 20;

/// The resolved manifest, stored as `apps/<app>/releases/<id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The document's version, [`VERSION`].
    pub lambkin_release: u32,
    /// The app's name.
    pub app: String,
    /// The app's components by name.
    pub components: BTreeMap<String, Component>,
    /// The app's authorizers by name, as far as the host has to know them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorizers: BTreeMap<String, Authorizer>,
    /// The app's routes, as written in its manifest.
    pub routes: Vec<Route>,
    /// The app's WebSocket API; absent, it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websocket: Option<WebSocket>,
    /// The indexes of the folders that routes serve, by the folder as the routes name it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileIndex>,
    /// The app's triggers, as written in its manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
}

/// An authorizer of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorizer {
    /// How it decides, and so what proves that it was asked.
    #[serde(rename = "type")]
    pub kind: AuthorizerType,
    /// The component that decides; none for tokens that the gateway verifies itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
}

/// One component of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// SHA-256 of the `.wasm`, in hexadecimal.
    pub digest: String,
    /// Size of the `.wasm` in bytes.
    pub size: u64,
    /// The world it exports.
    pub world: World,
    /// Environment variables of the guest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// What `wasi:config` gives the guest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// What the guest may use.
    #[serde(default)]
    pub grants: Grants,
    /// What bounds an invocation.
    pub limits: Limits,
    /// How long an instance lives that serves several invocations; absent, each has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
    /// An event as JSON, handed to the component in Init; absent, none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<String>,
    /// The WASI and Lambkin interfaces it imports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    /// Fingerprint of the engine its artifacts were compiled for.
    pub engine: String,
    /// Artifacts by target: `x86_64` or `aarch64`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, Artifact>,
}

/// The index of a folder of files, a blob of its own: [`crate::files::Index`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileIndex {
    /// SHA-256 of the index, in hexadecimal.
    pub digest: String,
    /// The number of files in the folder.
    pub files: u64,
    /// Their size in bytes, not compressed.
    pub size: u64,
}

/// What bounds an invocation of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory of an instance, in MiB.
    pub memory_mb: u32,
    /// Time of an invocation in seconds; absent, all that Lambda leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

/// How long an instance lives that serves several invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reuse {
    /// The most invocations that it serves.
    pub max_invocations: u32,
    /// The longest time that it lives, in seconds.
    pub max_age_seconds: u32,
    /// The most invocations that it serves at once; one in a release that does not say.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub max_concurrent: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}

/// A component compiled for one engine and target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// SHA-256 of its compressed form as stored, without the label in front, in hexadecimal.
    pub digest: String,
    /// Its uncompressed size in bytes.
    pub size: u64,
    /// Its size as stored (compressed), in bytes.
    pub stored_size: u64,
    /// How many bytes at its start a first call needs; 0 where that is not known.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub start_size: u64,
}

/// What a component exports, and so how the host calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// `wasi:http/incoming-handler` 0.2.
    Http,
    /// `wasi:http/handler` 0.3.
    HttpAsync,
    /// `lambkin:function`, synchronous.
    Function,
    /// `lambkin:function`, asynchronous.
    AsyncFunction,
    /// `wasi:cli/run`: the event on standard input, the answer on standard output.
    Command,
}

/// Why a release document is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It is not the JSON of a release.
    #[error("the release document is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a newer Lambkin.
    #[error(
        "the release document has version {found}, newer than the {VERSION} this Lambkin knows"
    )]
    Newer {
        /// The version it names.
        found: u32,
    },
    /// The app or a component has a name that cannot be.
    #[error("the release names something badly")]
    BadName(#[source] name::NameError),
    /// A digest is not 64 hexadecimal digits, and could lead astray as an object key.
    #[error("component `{component}` has the malformed digest `{digest}`")]
    BadDigest {
        /// The component's name.
        component: String,
        /// What stands in place of a digest.
        digest: String,
    },
    /// A route leads to a component that the release does not have.
    #[error("route `{path}` leads to component `{component}`, which the release does not have")]
    UnknownComponent {
        /// The route's path, or its key in a WebSocket API.
        path: String,
        /// The missing component.
        component: String,
    },
    /// A route has an authorizer that the release does not have, or whose component it does not have.
    #[error("route `{path}` has authorizer `{authorizer}`, which the release does not have whole")]
    UnknownAuthorizer {
        /// The route's path, or its key in a WebSocket API.
        path: String,
        /// The missing authorizer.
        authorizer: String,
    },
}

impl Release {
    /// The release's id: the first [`ID_LENGTH`] hexadecimal digits of the SHA-256 of its bytes.
    pub fn id(&self) -> String {
        id_of(&self.to_bytes())
    }

    /// The canonical document: members in a fixed order, maps sorted, no white space, no time.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// Reads and checks a release document.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReleaseError> {
        version_of(bytes, "lambkin_release", VERSION)
            .map_err(|found| ReleaseError::Newer { found })?;
        let release: Self = serde_json::from_slice(bytes).map_err(ReleaseError::Malformed)?;
        release.check()?;
        Ok(release)
    }

    fn check(&self) -> Result<(), ReleaseError> {
        name::check(&self.app).map_err(ReleaseError::BadName)?;
        for (component, entry) in &self.components {
            name::check(component).map_err(ReleaseError::BadName)?;
            let artifacts = entry.artifacts.values().map(|artifact| &artifact.digest);
            let mut digests = artifacts.chain([&entry.digest]);
            if let Some(digest) = digests.find(|digest| !digest::is_sha256_hex(digest)) {
                let (component, digest) = (component.clone(), digest.clone());
                return Err(ReleaseError::BadDigest { component, digest });
            }
        }
        self.check_authorizers()?;
        for (folder, index) in &self.files {
            if !digest::is_sha256_hex(&index.digest) {
                let (component, digest) = (folder.clone(), index.digest.clone());
                return Err(ReleaseError::BadDigest { component, digest });
            }
        }
        let is_taken = |trigger: &&Trigger| self.components.contains_key(&trigger.component);
        if let Some(trigger) = self.triggers.iter().find(|trigger| !is_taken(trigger)) {
            let path = format!("of the {} trigger", trigger.kind.as_str());
            let component = trigger.component.clone();
            return Err(ReleaseError::UnknownComponent { path, component });
        }
        let is_known = |component: &String| self.components.contains_key(component);
        let is_answered = |route: &&Route| match &route.files {
            Some(files) => self.files.contains_key(files.folder()),
            None => is_known(&route.component),
        };
        let paths = self.routes.iter().filter(|route| !is_answered(route));
        let paths = paths.map(|route| (&route.path, &route.component));
        let keys = self.websocket.iter().flat_map(|api| &api.route);
        let keys = keys.map(|route| (&route.key, &route.component));
        match paths.chain(keys.filter(|(_, component)| !is_known(component))).next() {
            Some((path, component)) => Err(ReleaseError::UnknownComponent {
                path: path.clone(),
                component: component.clone(),
            }),
            None => Ok(()),
        }
    }

    fn check_authorizers(&self) -> Result<(), ReleaseError> {
        let is_whole = |name: &String| {
            self.authorizers.get(name).is_some_and(|known| {
                known.component.as_ref().is_none_or(|one| self.components.contains_key(one))
            })
        };
        let paths = self.routes.iter().map(|route| (&route.path, &route.authorizer));
        let keys = self.websocket.iter().flat_map(|api| &api.route);
        let mut all = paths.chain(keys.map(|route| (&route.key, &route.authorizer)));
        let broken = all.find_map(|(path, authorizer)| {
            let authorizer = authorizer.clone().filter(|name| !is_whole(name))?;
            Some(ReleaseError::UnknownAuthorizer { path: path.clone(), authorizer })
        });
        broken.map_or(Ok(()), Err)
    }
}

/// The id of the release whose document `bytes` is.
pub fn id_of(bytes: &[u8]) -> String {
    let mut id = digest::sha256_hex(bytes);
    id.truncate(ID_LENGTH);
    id
}

/// Whether `text` has the shape of a release id.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && digest::is_lower_hex(text)
}

/// A document of ours as JSON. Only strings are keys and nothing fails by itself, so neither can writing it.
pub(crate) fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}

/// Looks at a document's version alone, before its other members, which a newer version may have changed.
/// The error is the version found when it is newer than `known`.
pub(crate) fn version_of(bytes: &[u8], member: &str, known: u32) -> Result<(), u32> {
    let members: Option<BTreeMap<String, &serde_json::value::RawValue>> =
        serde_json::from_slice(bytes).ok();
    let found = members
        .as_ref()
        .and_then(|members| members.get(member))
        .and_then(|raw| raw.get().parse::<u32>().ok());
    match found {
        Some(found) if found > known => Err(found),
        _ => Ok(()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_unknown(size: &u64) -> bool {
    *size == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        let artifact = Artifact {
            digest: digest::sha256_hex("artifact"),
            size: 10,
            stored_size: 5,
            start_size: 3,
        };
        let component = Component {
            digest: digest::sha256_hex("wasm"),
            size: 4,
            world: World::HttpAsync,
            environment: BTreeMap::from([
                ("B".to_owned(), "2".to_owned()),
                ("A".to_owned(), "1".to_owned()),
            ]),
            config: BTreeMap::new(),
            grants: Grants::default(),
            limits: Limits { memory_mb: 128, timeout_seconds: None },
            reuse: None,
            warmup: None,
            imports: vec!["wasi:http/types@0.3.0".to_owned()],
            engine: "wasmtime-48.0.8-1".to_owned(),
            artifacts: BTreeMap::from([("x86_64".to_owned(), artifact)]),
        };
        let route = Route { path: "/".to_owned(), component: "web".to_owned(), ..Route::default() };
        Release {
            lambkin_release: VERSION,
            app: "shop".to_owned(),
            components: BTreeMap::from([("web".to_owned(), component)]),
            authorizers: BTreeMap::new(),
            routes: vec![route],
            websocket: None,
            files: BTreeMap::new(),
            triggers: Vec::new(),
        }
    }

    #[test]
    fn reads_back_what_it_writes_and_keeps_its_id() {
        let bytes = release().to_bytes();
        let read = Release::parse(&bytes).unwrap();
        assert_eq!(read, release());
        assert_eq!(read.id(), id_of(&bytes));
        assert!(is_id(&read.id()));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(r#""environment":{"A":"1","B":"2"}"#), "{text}");
        assert!(text.contains(r#""world":"http-async""#), "{text}");
    }

    #[test]
    fn changes_its_id_with_its_content() {
        let mut other = release();
        other.routes.clear();
        assert_ne!(other.id(), release().id());
    }

    #[test]
    fn refuses_what_could_lead_astray() {
        let refused = |change: fn(&mut Release)| {
            let mut release = release();
            change(&mut release);
            Release::parse(&release.to_bytes()).unwrap_err().to_string()
        };
        assert!(refused(|release| release.lambkin_release = 2).contains("version 2"));
        assert!(refused(|release| release.app = "../x".to_owned()).contains("badly"));
        assert!(refused(|release| release.components.get_mut("web").unwrap().digest = "../x".to_owned()).contains("`../x`"));
        assert!(
            refused(|release| release.routes[0].component = "gone".to_owned()).contains("`gone`")
        );
        assert!(
            refused(|release| release.routes[0].authorizer = Some("gone".to_owned()))
                .contains("authorizer `gone`")
        );
        assert!(Release::parse(b"[]").is_err());
    }
}
