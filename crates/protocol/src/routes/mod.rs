//! Routes of an app and which one answers a request, by the rules of API Gateway's HTTP APIs.
//!
//! [`Route`] is how a route is written, `pattern` what it means, [`Table`] finds the one that answers.
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.

mod pattern;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::manifest::Static;

pub use pattern::PatternError;
pub(crate) use pattern::{Claim, METHODS};
pub use table::{Found, Table};

/// The path of the route that answers when no other does.
pub const DEFAULT: &str = "$default";

/// One route: requests of these methods to this path go to this component, or to these files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The path: `/`, `/items/{id}`, `/files/{proxy+}`, or `$default` for all that no other route takes.
    pub path: String,
    /// The methods in capitals, such as `["GET", "HEAD"]`. Absent: any method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// The name of the component that answers; absent where files do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub component: String,
    /// The authorizer that decides whether a request may pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer: Option<String>,
    /// The scopes of which a token has at least one, for an authorizer of type `jwt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whether a REST API asks for an API key of a usage plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub api_key_required: bool,
    /// The files that answer in the place of a component: a folder, relative to this file.
    #[serde(default, rename = "static", skip_serializing_if = "Option::is_none")]
    pub files: Option<Static>,
}

/// What of a raw `path` that matches `route`, a route's path, names a file of its folder: all from the route's first parameter
/// on, the whole of it for [`DEFAULT`], and nothing for a route without parameters.
pub fn rest<'a>(route: &str, path: &'a str) -> &'a str {
    let path = path.strip_prefix('/').unwrap_or(path);
    if route == DEFAULT {
        return path;
    }
    let route = route.strip_prefix('/').unwrap_or(route);
    let Some(before) = route.split('/').position(|segment| segment.starts_with('{')) else {
        return "";
    };
    path.splitn(before + 1, '/').nth(before).unwrap_or_default()
}

/// Why a set of routes is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// A path or a method cannot be.
    #[error("route `{path}` cannot be")]
    Pattern {
        /// The route's path.
        path: String,
        /// What is wrong with it.
        source: PatternError,
    },
    /// Two routes would answer the same requests.
    #[error("route `{method} {path}` overlaps the earlier `{method} {earlier}`")]
    Overlap {
        /// The index of the second route.
        index: usize,
        /// The second route's path.
        path: String,
        /// The method that both take.
        method: String,
        /// The first route's path.
        earlier: String,
    },
}
