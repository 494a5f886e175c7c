//! `[api]`: the API, function URL or load balancer in front of the app, with its CORS policy, and the rules over both.
//!
//! The local cloud answers by it; what stands in front of the function on AWS is deployed to match.

use std::collections::BTreeMap;

use http::{HeaderName, Uri};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Parts, Places};
use super::problem::Problems;
use crate::routes::{DEFAULT, METHODS};

/// The longest time a browser may be told to keep a preflight's answer, in seconds: API Gateway's bound.
const MAX_CORS_AGE_SECONDS: u32 = 86_400;

/// What stands in front of the app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Which kind it is; `http` when absent.
    #[serde(rename = "type", default, skip_serializing_if = "ApiType::is_http")]
    pub kind: ApiType,
    /// The payload format of an HTTP API's events; `2.0` when absent. A REST API has one format only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// The stage's name; `$default` of an HTTP API and `prod` of a REST API when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What the stage tells the function in every event, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stage_variables: BTreeMap<String, String>,
    /// The media types whose bodies a REST API takes for binary, such as `image/png`, `image/*` or `*/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binary_media_types: Vec<String>,
    /// Whether a REST API or a function URL sends the answers of components on as they come; `buffered` when absent.
    #[serde(default, skip_serializing_if = "ResponseTransferMode::is_buffered")]
    pub response_transfer_mode: ResponseTransferMode,
    /// Where a REST API finds the API key of a request; in the header `X-API-Key` when absent.
    #[serde(default, skip_serializing_if = "ApiKeySource::is_header")]
    pub api_key_source: ApiKeySource,
    /// Whether a load balancer's events and answers have lists of values for each header and query parameter, and not one
    /// value; an attribute of its target group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multi_value_headers: bool,
    /// Which pages of other origins may call an HTTP API or a function URL. Absent, answers are the components' alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
}

/// What answers HTTP requests with a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiType {
    /// An HTTP API of API Gateway.
    #[default]
    Http,
    /// A REST API of API Gateway.
    Rest,
    /// The function's own URL.
    FunctionUrl,
    /// An Application Load Balancer whose target is the function.
    Alb,
}

impl ApiType {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_http(&self) -> bool {
        *self == Self::Http
    }

    /// Several of them, in words.
    fn plural(self) -> &'static str {
        match self {
            Self::Http => "HTTP APIs",
            Self::Rest => "REST APIs",
            Self::FunctionUrl => "function URLs",
            Self::Alb => "load balancers",
        }
    }

    /// Whether it asks authorizers.
    pub(super) fn has_authorizers(self) -> bool {
        matches!(self, Self::Http | Self::Rest)
    }
}

/// How answers travel through a REST API or a function URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResponseTransferMode {
    /// Whole.
    #[default]
    Buffered,
    /// Piece by piece: the function streams (`LAMBKIN_RESPONSE_MODE=stream`).
    Stream,
}

impl ResponseTransferMode {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_buffered(&self) -> bool {
        *self == Self::Buffered
    }
}

/// Where a REST API finds the API key of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeySource {
    /// In the header `X-API-Key`.
    #[default]
    Header,
    /// In the `usageIdentifierKey` of the authorizer's answer.
    Authorizer,
}

impl ApiKeySource {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_header(&self) -> bool {
        *self == Self::Header
    }
}

/// A payload format of API Gateway's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Payload {
    /// Format 1.0.
    #[serde(rename = "1.0")]
    One,
    /// Format 2.0.
    #[serde(rename = "2.0")]
    Two,
}

/// A CORS policy, as API Gateway has it for an HTTP API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins that may call: `https://www.example.com`, all of a scheme (`https://*`), or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    /// Methods that they may use, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Request headers that they may send, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Response headers that they may read, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How long a browser may keep a preflight's answer, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 86_400))]
    pub max_age_seconds: Option<u32>,
    /// Whether they may send cookies and other credentials.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_credentials: bool,
}

pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    use ApiType::{Alb, FunctionUrl, Http, Rest};
    let Some(api) = &parts.api else { return };
    let mut report = |path: &[&str], message: String, hint: Option<&str>| {
        let path: Vec<&str> = ["api"].into_iter().chain(path.iter().copied()).collect();
        problems.add(places.of(&path), message, hint.map(str::to_owned));
    };
    if let Some(stage) = &api.stage
        && !is_stage(stage, api.kind)
    {
        let hint = "letters, digits, `-` and `_`, at most 128; an HTTP API may have `$default`";
        report(&["stage"], format!("`{stage}` is not a stage's name"), Some(hint));
    }
    let settings: [(&str, bool, &[ApiType]); 8] = [
        ("payload", api.payload.is_some(), &[Http]),
        ("stage", api.stage.is_some(), &[Http, Rest]),
        ("stage_variables", !api.stage_variables.is_empty(), &[Http, Rest]),
        ("binary_media_types", !api.binary_media_types.is_empty(), &[Rest]),
        ("cors", api.cors.is_some(), &[Http, FunctionUrl]),
        ("api_key_source", !api.api_key_source.is_header(), &[Rest]),
        ("multi_value_headers", api.multi_value_headers, &[Alb]),
        ("response_transfer_mode", !api.response_transfer_mode.is_buffered(), &[Rest, FunctionUrl]),
    ];
    for (key, is_there, kinds) in settings {
        if is_there && !kinds.contains(&api.kind) {
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.plural()).collect();
            let message = format!("`{key}` is for {}", kinds.join(" and "));
            report(&[key], message, Some("leave it out, or say another `type`"));
        }
    }
    if api.kind == ApiType::Rest {
        for (_, route) in parts.routes.iter().filter(|(_, route)| route.path == DEFAULT) {
            let message = format!("a REST API has no route `{}`", route.path);
            report(&["type"], message, Some("write one for `/` and one for `/{proxy+}`"));
        }
    }
    if let Some(cors) = &api.cors {
        check_cors(cors, &mut report);
    }
}

/// Reports a problem below `[api]`: its path, a message, a hint.
type Report<'a> = dyn FnMut(&[&str], String, Option<&str>) + 'a;

fn check_cors(cors: &Cors, report: &mut Report<'_>) {
    for (index, origin) in cors.allow_origins.iter().enumerate() {
        if !is_origin(origin) {
            let hint = "write `https://www.example.com`, `https://*`, `http://*` or `*`";
            let path = ["cors", "allow_origins", &index.to_string()];
            report(&path, format!("`{origin}` is not an origin"), Some(hint));
        }
    }
    for (index, method) in cors.allow_methods.iter().enumerate() {
        if method != "*" && !METHODS.contains(&method.as_str()) {
            let hint = format!("methods are {} and *", METHODS.join(", "));
            let path = ["cors", "allow_methods", &index.to_string()];
            report(&path, format!("`{method}` is not a method"), Some(&hint));
        }
    }
    for (key, names) in
        [("allow_headers", &cors.allow_headers), ("expose_headers", &cors.expose_headers)]
    {
        for (index, name) in names.iter().enumerate() {
            if name != "*" && HeaderName::from_bytes(name.as_bytes()).is_err() {
                let path = ["cors", key, &index.to_string()];
                report(&path, format!("`{name}` is not a header's name"), None);
            }
        }
    }
    if cors.max_age_seconds.is_some_and(|age| age > MAX_CORS_AGE_SECONDS) {
        let message = format!("`max_age_seconds` must be from 0 to {MAX_CORS_AGE_SECONDS}");
        report(&["cors", "max_age_seconds"], message, None);
    }
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
        let hint = "name the origins: a browser sends no credentials to an API that allows all";
        let message = "`allow_credentials` cannot go with the origin `*`".to_owned();
        report(&["cors", "allow_credentials"], message, Some(hint));
    }
}

/// Scheme, host and port alone; or all origins, or all of a scheme.
fn is_origin(text: &str) -> bool {
    if matches!(text, "*" | "https://*" | "http://*") {
        return true;
    }
    let Some(("http" | "https", host)) = text.split_once("://") else { return false };
    let is_bare = !host.contains(['/', '?', '#', '@', '*']);
    is_bare && text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

fn is_stage(name: &str, kind: ApiType) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (kind == ApiType::Http && name == "$default")
        || ((1..=128).contains(&name.len()) && name.bytes().all(allowed))
}
