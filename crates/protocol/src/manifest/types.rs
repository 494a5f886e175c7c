//! The shape of `lambkin.toml`. The doc comments are what editors show, through the JSON Schema.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, Authorizer, Grants, Route, Trigger, UsagePlan, WebSocket};

/// An app: its components, and the routes that lead to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "lambkin.toml")]
pub struct Manifest {
    /// The version of this file's format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub lambkin: u32,
    /// The app itself.
    pub app: App,
    /// The API Gateway in front of it; an HTTP API without CORS when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// Who decides whether a request may pass, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorizer: BTreeMap<String, Authorizer>,
    /// The API keys of a REST API and how much each may ask, by the usage plan's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub usage_plan: BTreeMap<String, UsagePlan>,
    /// The app's components by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub component: BTreeMap<String, Component>,
    /// Which component answers which requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<Route>,
    /// A WebSocket API in front of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websocket: Option<WebSocket>,
    /// Which component takes which events of other services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger: Vec<Trigger>,
}

/// What the app is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The app's name: lower-case letters, digits and dashes, at most 63.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub name: String,
    /// What the app does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// One component: where its source is, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The language of the source; `wasm` for a finished component.
    pub language: Language,
    /// The source file or folder, relative to this file.
    pub source: String,
    /// The handler inside the source: `handler`, `app:lambda_handler`, `app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// How the handler is called. Seen from the source when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The JavaScript engine; `quickjs` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<JsEngine>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Values for `wasi:config`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// What the component may use besides its request. Nothing by default.
    #[serde(default)]
    pub grants: Grants,
    /// What bounds an invocation.
    #[serde(default)]
    pub limits: Limits,
    /// Lets an instance serve several invocations. Absent, each has an instance of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
    /// A file with one event as JSON, relative to this file. The host hands it to the component before Lambda's first
    /// invocation, so that lazy set-up and first touches happen in Init; its answer is dropped. Choose an event whose
    /// handling changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<String>,
    /// A build of your own instead of the language's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

/// The language a component is written in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust.
    Rust,
    /// JavaScript.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// Python.
    Python,
    /// Go.
    Go,
    /// A finished component, or a core module for WASI 0.1.
    Wasm,
}

/// How a component's handler is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A Lambda handler: the event and a context in, the answer out.
    Function,
    /// A web handler: a request in, a response out.
    Http,
    /// A program: the event on standard input, the answer on standard output.
    Command,
}

/// An engine for JavaScript and TypeScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JsEngine {
    /// Small and quick to start.
    QuickJs,
    /// Larger, with Web Crypto and streams.
    StarlingMonkey,
}

/// What bounds an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory of an instance in MiB; 128 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub memory_mb: Option<u32>,
    /// Time of an invocation in seconds; all that Lambda leaves when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 900))]
    pub timeout_seconds: Option<u32>,
}

/// How long an instance lives that serves several invocations. What one invocation leaves in global variables and in
/// `/tmp`, the next one finds, as in a runtime of Lambda's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reuse {
    /// The most invocations that an instance serves; 1000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1_000_000))]
    pub max_invocations: Option<u32>,
    /// The longest time that an instance lives, in seconds; 900 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub max_age_seconds: Option<u32>,
    /// The most invocations that an instance serves at once; 1 when absent. More than one needs a component of WASI 0.3
    /// and a function that Lambda gives several invocations at once; they share the instance's memory bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent: Option<u32>,
}

/// A build of the developer's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The command, run by the shell in the manifest's folder. It leaves the component at `source`.
    pub command: String,
    /// Files and folders whose change calls for a new build, relative to the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<String>,
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Go => "go",
            Self::Wasm => "wasm",
        })
    }
}

/// The JSON Schema of `lambkin.toml`, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Manifest).to_value()
}
