//! `[authorizer.<name>]`: who decides whether a request may pass to a route, and the rules over authorizers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::{ApiType, Payload};
use super::check::{Parts, Places};
use super::problem::Problems;
use crate::authorizer::IdentitySource;
use crate::name::{self, nearest};

/// The longest time that API Gateway keeps an authorizer's answer, in seconds.
const MAX_TTL_SECONDS: u32 = 3600;

/// An authorizer, which routes name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorizer {
    /// How it decides.
    #[serde(rename = "type")]
    pub kind: AuthorizerType,
    /// The component that decides, of types `request` and `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What of the request identifies the client, such as `$request.header.Authorization`. A request that lacks one is
    /// refused with 401. `jwt` and `token` take the header `Authorization` when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_source: Vec<String>,
    /// How long an answer of the component counts for requests of the same identity, in seconds; 300 when absent, and 0
    /// without an identity source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 3600))]
    pub ttl_seconds: Option<u32>,
    /// The payload format of an HTTP API's events for the component; `2.0` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Whose tokens `jwt` accepts: the URL in their claim `iss`, below which the issuer publishes its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// For whom the tokens are that `jwt` accepts: one of their `aud`, or their `client_id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
}

/// How an authorizer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizerType {
    /// By the signature and claims of a JSON Web Token; an HTTP API's.
    Jwt,
    /// By a component that sees the request.
    Request,
    /// By a component that sees one header; a REST API's.
    Token,
}

impl Authorizer {
    /// Its identity sources with the default of its type.
    pub fn identity_sources(&self) -> Vec<IdentitySource> {
        const DEFAULT: &str = "$request.header.Authorization";
        if self.identity_source.is_empty() && self.kind != AuthorizerType::Request {
            return IdentitySource::parse(DEFAULT).into_iter().collect();
        }
        self.identity_source.iter().filter_map(|source| IdentitySource::parse(source)).collect()
    }

    /// How long an answer counts, in seconds.
    pub fn ttl(&self) -> u32 {
        const DEFAULT: u32 = 300;
        let has_identity = !self.identity_sources().is_empty();
        self.ttl_seconds.unwrap_or(if has_identity { DEFAULT } else { 0 })
    }
}

/// Reports a problem of one authorizer: its key, a message, a hint.
type Report<'a> = dyn FnMut(&str, String, Option<String>) + 'a;

pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    for (name, authorizer) in &parts.authorizers {
        let mut report = |key: &str, message: String, hint: Option<String>| {
            problems.add(places.of(&["authorizer", name, key]), message, hint);
        };
        if let Err(error) = name::check(name) {
            report("", format!("bad name of an authorizer: {error}"), None);
        }
        let api = parts.api.as_ref().map(|api| api.kind).unwrap_or_default();
        check_type((name, authorizer), api, &mut report);
        check_identity(authorizer, &mut report);
        if let Some(component) = &authorizer.component
            && !parts.component_names.contains(component)
        {
            let known = parts.component_names.iter().map(String::as_str);
            let hint = nearest(component, known).map(|near| format!("did you mean `{near}`?"));
            let message = format!("authorizer `{name}` is the unknown component `{component}`");
            report("component", message, hint);
        }
    }
    check_routes(parts, places, problems);
}

fn check_type((name, authorizer): (&str, &Authorizer), api: ApiType, report: &mut Report<'_>) {
    let is_jwt = authorizer.kind == AuthorizerType::Jwt;
    match (authorizer.kind, api) {
        (AuthorizerType::Token, ApiType::Http) => report(
            "type",
            "`token` is for REST APIs".to_owned(),
            Some("use `request`, or say `type = \"rest\"` in `[api]`".to_owned()),
        ),
        (AuthorizerType::Jwt, ApiType::Rest) => report(
            "type",
            "`jwt` is for HTTP APIs".to_owned(),
            Some("use `request` or `token`, or say `type = \"http\"` in `[api]`".to_owned()),
        ),
        _ => {}
    }
    let wants = |key: &str| format!("authorizer `{name}` has no `{key}`");
    let foreign = |key: &str| format!("authorizer `{name}` has `{key}`, which its type has not");
    let parts = [
        ("component", authorizer.component.is_some(), !is_jwt),
        ("issuer", authorizer.issuer.is_some(), is_jwt),
        ("audience", !authorizer.audience.is_empty(), is_jwt),
    ];
    for (key, is_there, belongs) in parts {
        match (is_there, belongs) {
            (false, true) => report(key, wants(key), Some(format!("add `{key}`"))),
            (true, false) => report(key, foreign(key), Some("leave it out".to_owned())),
            _ => {}
        }
    }
    if authorizer.payload.is_some()
        && (authorizer.kind, api) != (AuthorizerType::Request, ApiType::Http)
    {
        report("payload", foreign("payload"), Some("leave it out".to_owned()));
    }
    if let Some(issuer) = &authorizer.issuer
        && !(issuer.starts_with("https://") || is_local(issuer))
    {
        let hint = "write `https://…`; `http://` is for an issuer on this machine".to_owned();
        report("issuer", format!("`{issuer}` is not an issuer's URL"), Some(hint));
    }
}

fn is_local(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| {
        host.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}

fn check_identity(authorizer: &Authorizer, report: &mut Report<'_>) {
    for source in &authorizer.identity_source {
        if IdentitySource::parse(source).is_none() {
            let hint = "write `$request.header.<name>`, `$request.querystring.<name>`, `$context.<name>` or `$stageVariables.<name>`";
            let message = format!("`{source}` is not an identity source");
            report("identity_source", message, Some(hint.to_owned()));
        }
    }
    if authorizer.kind != AuthorizerType::Request && authorizer.identity_source.len() > 1 {
        let message = "this type has one identity source".to_owned();
        report("identity_source", message, None);
    }
    let Some(ttl) = authorizer.ttl_seconds else { return };
    if ttl > MAX_TTL_SECONDS {
        let message = format!("`ttl_seconds` must be from 0 to {MAX_TTL_SECONDS}");
        report("ttl_seconds", message, None);
    }
    if ttl > 0 && authorizer.identity_sources().is_empty() {
        let message = "answers can be kept by an identity only".to_owned();
        report("ttl_seconds", message, Some("add an `identity_source`".to_owned()));
    }
}

fn check_routes(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    for (index, route) in &parts.routes {
        let index = index.to_string();
        let place = |key: &str| places.of(&["route", &index, key]);
        let Some(name) = &route.authorizer else {
            if !route.scopes.is_empty() {
                let message = format!("route `{}` has scopes and no authorizer", route.path);
                problems.add(place("scopes"), message, Some("add `authorizer`".to_owned()));
            }
            continue;
        };
        let kind = parts.api.as_ref().map(|api| api.kind).unwrap_or_default();
        if !kind.has_authorizers() {
            let message = "function URLs and load balancers ask no authorizer".to_owned();
            let hint = "leave it out, or put an HTTP or REST API in front".to_owned();
            problems.add(place("authorizer"), message, Some(hint));
        }
        if !parts.authorizer_names.contains(name) {
            let known = parts.authorizer_names.iter().map(String::as_str);
            let near = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
            let hint = near.unwrap_or_else(|| format!("add `[authorizer.{name}]`"));
            let message = format!("route `{}` has the unknown authorizer `{name}`", route.path);
            problems.add(place("authorizer"), message, Some(hint));
        }
        let known = parts.authorizers.get(name);
        if !route.scopes.is_empty() && known.is_some_and(|one| one.kind != AuthorizerType::Jwt) {
            let message = format!("route `{}` has scopes, which only `jwt` looks at", route.path);
            problems.add(place("scopes"), message, Some("leave them out".to_owned()));
        }
    }
}
