//! The host's side: which route an authorizer's event is about, and whether a guarded route's event went through one.

use http::Method;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::event::Format;
use crate::manifest::AuthorizerType;
use crate::websocket::CONNECT;

/// The request that an authorizer's event asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The host name that the client called, in lower case; an event of type `TOKEN` does not tell it.
    pub domain: Option<String>,
    /// The route that the client asks for.
    pub route: AskedRoute,
}

/// The route that an authorizer's event asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedRoute {
    /// An HTTP or REST API's.
    Http {
        /// The request's method.
        method: Method,
        /// The request's path without the stage, with its leading slash.
        path: String,
    },
    /// A WebSocket API's.
    WebSocket {
        /// The route's key, `$connect`.
        key: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    route_arn: Option<String>,
    method_arn: Option<String>,
    #[serde(borrow)]
    request_context: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    domain_name: Option<String>,
}

impl Asked {
    /// Reads an authorizer's event. The ARN of an HTTP or REST API ends with stage, method and path:
    /// `…:abcdef/prod/GET/items/1`; a WebSocket API's with stage and route key: `…:abcdef/prod/$connect`. Nothing for any
    /// other event.
    pub fn of(event: &[u8]) -> Option<Self> {
        let event: Event<'_> = serde_json::from_slice(event).ok()?;
        let arn = event.route_arn.or(event.method_arn)?;
        let mut parts = arn.splitn(4, '/').skip(2);
        let route = match (parts.next()?, parts.next()) {
            (CONNECT, None) => AskedRoute::WebSocket { key: CONNECT.to_owned() },
            (method, Some(path)) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                AskedRoute::Http { method: method.parse().ok()?, path: format!("/{path}") }
            }
            _ => return None,
        };
        let context = event.request_context.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let domain = context.and_then(|context: Domain| context.domain_name);
        Some(Self { domain: domain.map(|domain| domain.to_ascii_lowercase()), route })
    }

    /// The path that tells the app, where apps are chosen by path; a WebSocket API has none.
    pub fn path(&self) -> Option<&str> {
        match &self.route {
            AskedRoute::Http { path, .. } => Some(path),
            AskedRoute::WebSocket { .. } => None,
        }
    }
}

/// Whether the gateway that wrote this HTTP event has asked an authorizer of this type and was told yes.
///
/// Only API Gateway writes `requestContext.authorizer`, whatever the client sends: format 2.0 has `jwt` or `lambda` in it, a
/// REST API the principal, format 1.0 of an HTTP API the claims or what the authorizer said. A function URL's and an ALB's
/// events never have a proof of this kind.
pub fn is_authorized(format: Format, kind: AuthorizerType, event: &[u8]) -> bool {
    let Some(said) = said(event) else { return false };
    let has = |name: &str| said.get(name).is_some_and(|value| !value.is_null());
    match (format, kind) {
        (Format::HttpV2, AuthorizerType::Jwt) => has("jwt"),
        // An authorizer that gives no context leaves a null.
        (Format::HttpV2, AuthorizerType::Request) => said.contains_key("lambda"),
        (Format::HttpV1 | Format::RestV1, AuthorizerType::Jwt) => has("claims"),
        (Format::RestV1, AuthorizerType::Request | AuthorizerType::Token) => has("principalId"),
        (Format::HttpV1, AuthorizerType::Request) => said
            .iter()
            .any(|(name, value)| !value.is_null() && !matches!(name.as_str(), "claims" | "scopes")),
        (Format::HttpV1 | Format::HttpV2, AuthorizerType::Token)
        | (Format::FunctionUrl | Format::Alb { .. }, _) => false,
    }
}

/// Whether the WebSocket API that wrote this event has asked an authorizer before it let the client in: its events have the
/// principal from `$connect` on.
pub fn is_connection_authorized(event: &[u8]) -> bool {
    said(event).and_then(|said| said.get("principalId").cloned()).is_some_and(|one| !one.is_null())
}

/// `requestContext.authorizer`, which only API Gateway writes.
fn said(event: &[u8]) -> Option<serde_json::Map<String, Value>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        request_context: Option<Context>,
    }
    #[derive(Deserialize)]
    struct Context {
        authorizer: Option<serde_json::Map<String, Value>>,
    }
    let event: Event = serde_json::from_slice(event).ok()?;
    event.request_context?.authorizer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_arn_tells_method_and_path() {
        let check = |event: Value, expected: Option<(&str, &str, Option<&str>)>| {
            let asked = Asked::of(event.to_string().as_bytes());
            let told = asked.as_ref().map(|asked| match &asked.route {
                AskedRoute::Http { method, path } => {
                    (method.as_str(), path.as_str(), asked.domain.as_deref())
                }
                AskedRoute::WebSocket { key } => ("", key.as_str(), asked.domain.as_deref()),
            });
            assert_eq!(told, expected, "{event}");
        };
        let arn = |end: &str| format!("arn:aws:execute-api:us-east-1:123456789012:abcdef/{end}");
        check(
            json!({"routeArn": arn("$default/GET/items/1"), "requestContext": {"domainName": "API.example.com"}}),
            Some(("GET", "/items/1", Some("api.example.com"))),
        );
        check(json!({"type": "TOKEN", "methodArn": arn("prod/POST/")}), Some(("POST", "/", None)));
        let connecting = json!({"type": "REQUEST", "methodArn": arn("prod/$connect"), "requestContext": {"domainName": "ws.example.com"}});
        check(connecting, Some(("", "$connect", Some("ws.example.com"))));
        check(json!({"methodArn": arn("prod/$default")}), None);
        check(json!({"methodArn": "arn"}), None);
        check(json!({"detail": {}}), None);
    }

    #[test]
    fn only_a_gateway_that_asked_is_a_proof() {
        use AuthorizerType::{Jwt, Request, Token};
        let check = |format, kind, authorizer: Value, expected: bool| {
            let event = json!({"requestContext": {"authorizer": authorizer}}).to_string();
            assert_eq!(
                is_authorized(format, kind, event.as_bytes()),
                expected,
                "{format:?} {event}"
            );
        };
        check(Format::HttpV2, Request, json!({"lambda": null}), true);
        check(Format::HttpV2, Request, json!({"jwt": {}}), false);
        check(Format::HttpV2, Jwt, json!({"jwt": {"claims": {}}}), true);
        check(Format::HttpV2, Jwt, json!({"lambda": {}}), false);
        check(Format::HttpV2, Request, json!({"iam": {}}), false);
        check(Format::HttpV2, Request, Value::Null, false);
        check(Format::HttpV1, Request, json!({"claims": null, "scopes": null}), false);
        check(Format::HttpV1, Request, json!({"user": "u"}), true);
        check(Format::RestV1, Token, json!({"principalId": "u"}), true);
        check(Format::RestV1, Token, json!({"claims": {}}), false);
        check(Format::FunctionUrl, Request, json!({"lambda": {}, "iam": {}}), false);
        check(Format::Alb { multi_value: true }, Request, json!({"principalId": "u"}), false);
        assert!(!is_authorized(Format::HttpV2, Request, b"{}"));
        let connects = |said: &str| {
            let event = format!(r#"{{"requestContext":{{"authorizer":{said}}}}}"#);
            is_connection_authorized(event.as_bytes())
        };
        assert!(connects(r#"{"principalId":"me","integrationLatency":3}"#));
        assert!(!connects("{}") && !connects("null") && !connects(r#"{"principalId":null}"#));
    }
}
