//! `[websocket]`: a WebSocket API in front of the app, and the rules over it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authorizer::AuthorizerType;
use super::check::{Parts, Places};
use super::problem::Problems;
use super::rules::hint_for_component;
use crate::name::nearest;
use crate::websocket::{CONNECT, DEFAULT, DISCONNECT, Selection};

/// The stage when a manifest names none: the one that AWS's console proposes.
pub const DEFAULT_STAGE: &str = "production";
/// The route selection expression when a manifest has none.
const DEFAULT_SELECTION: &str = "$request.body.action";
/// The longest name of a stage
/// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html>).
const MAX_STAGE: usize = 128;

/// A WebSocket API: which component answers which messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebSocket {
    /// Where in a message the key of its route is: `$request.body.action`, or text with members in it such as
    /// `${request.body.service}/${request.body.action}`.
    #[serde(default = "default_selection")]
    pub route_selection_expression: String,
    /// The API's stage, which is the path that clients connect to: letters, digits, `-` and `_`.
    #[serde(default = "default_stage")]
    pub stage: String,
    /// Which component answers which messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<WebSocketRoute>,
}

/// One route: messages with this key go to this component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebSocketRoute {
    /// What the route selection expression gives for a message; `$connect`, `$disconnect`, or `$default` for all that no
    /// other route takes.
    pub key: String,
    /// The name of the component that answers.
    pub component: String,
    /// Whether the client gets the `body` of the answer. Without it the answer is dropped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub response: bool,
    /// The authorizer, of type `request`, that is asked before a client is connected; only for `$connect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer: Option<String>,
}

fn default_selection() -> String {
    DEFAULT_SELECTION.to_owned()
}

fn default_stage() -> String {
    DEFAULT_STAGE.to_owned()
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            route_selection_expression: default_selection(),
            stage: default_stage(),
            route: Vec::new(),
        }
    }
}

impl WebSocket {
    /// The component that the route with this key names.
    pub fn component(&self, key: &str) -> Option<&str> {
        self.route(key).map(|route| route.component.as_str())
    }

    /// The name of the authorizer of the route with this key.
    pub fn authorizer(&self, key: &str) -> Option<&str> {
        self.route(key)?.authorizer.as_deref()
    }

    fn route(&self, key: &str) -> Option<&WebSocketRoute> {
        self.route.iter().find(|route| route.key == key)
    }
}

pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    let Some(api) = &parts.websocket else { return };
    if let Err(error) = api.route_selection_expression.parse::<Selection>() {
        let hint =
            "write `$request.body.action`, or text with `${request.body.a}` in it".to_owned();
        let place = places.of(&["websocket", "route_selection_expression"]);
        problems.add(place, error.to_string(), Some(hint));
    }
    if !is_stage(&api.stage) {
        let message = format!("`{}` cannot be the stage of a WebSocket API", api.stage);
        let hint = format!("a stage has letters, digits, `-` and `_`, at most {MAX_STAGE}");
        problems.add(places.of(&["websocket", "stage"]), message, Some(hint));
    }
    let mut seen = BTreeSet::new();
    for (index, route) in api.route.iter().enumerate() {
        let mut report = |member: &str, message: String, hint: String| {
            let index = index.to_string();
            let place = places.of(&["websocket", "route", &index, member]);
            problems.add(place, message, Some(hint));
        };
        check_route(route, &parts.component_names, &mut report);
        if let Some(name) = &route.authorizer {
            check_authorizer((&route.key, name), parts, &mut report);
        }
        if !seen.insert(&route.key) {
            let message = format!("WebSocket route `{}` occurs twice", route.key);
            report("key", message, "both would answer the same messages".to_owned());
        }
    }
}

fn check_route(
    route: &WebSocketRoute,
    components: &[String],
    report: &mut dyn FnMut(&str, String, String),
) {
    let key = &route.key;
    let is_reserved = [CONNECT, DISCONNECT, DEFAULT].contains(&key.as_str());
    if key.is_empty() || (key.starts_with('$') && !is_reserved) {
        let message = format!("`{key}` cannot be the key of a WebSocket route");
        let hint =
            format!("keys that begin with `$` are `{CONNECT}`, `{DISCONNECT}` and `{DEFAULT}`");
        report("key", message, hint);
    }
    if route.response && [CONNECT, DISCONNECT].contains(&key.as_str()) {
        let message = format!("WebSocket route `{key}` cannot have a response");
        let hint = "leave `response` out: there is no open connection to send one on".to_owned();
        report("response", message, hint);
    }
    if !components.contains(&route.component) {
        let message =
            format!("WebSocket route `{key}` leads to the unknown component `{}`", route.component);
        report("component", message, hint_for_component(&route.component, components));
    }
}

fn check_authorizer(
    (key, name): (&str, &str),
    parts: &Parts,
    report: &mut dyn FnMut(&str, String, String),
) {
    if key != CONNECT {
        let message = format!("WebSocket route `{key}` cannot have an authorizer");
        let hint =
            format!("give it to `{CONNECT}`: a client is asked who it is once, when it connects");
        report("authorizer", message, hint);
    }
    let kind = parts.authorizers.get(name).map(|known| known.kind);
    if kind.is_some_and(|kind| kind != AuthorizerType::Request) {
        let message = format!("authorizer `{name}` cannot guard a WebSocket API");
        report("authorizer", message, "name one with `type = \"request\"`".to_owned());
    }
    if parts.authorizer_names.iter().all(|known| known != name) {
        let near = nearest(name, parts.authorizer_names.iter().map(String::as_str));
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        let message = format!("WebSocket route `{key}` has the unknown authorizer `{name}`");
        report("authorizer", message, hint.unwrap_or_else(|| format!("add `[authorizer.{name}]`")));
    }
}

fn is_stage(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= MAX_STAGE && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::super::{parse, schema};
    use super::*;

    const APP: &str = "lambkin = 1\n[app]\nname = 'shop'\n[component.chat]\nlanguage = 'python'\nsource = 'chat.py'\n";

    fn problems(table: &str) -> String {
        parse(&format!("{APP}{table}")).unwrap_err().to_string()
    }

    #[test]
    fn an_api_needs_no_more_than_its_routes() {
        let text = format!("{APP}[[websocket.route]]\nkey = '$connect'\ncomponent = 'chat'\n");
        let api = parse(&text).unwrap().websocket.unwrap();
        assert_eq!(api.route_selection_expression, "$request.body.action");
        assert_eq!(api.stage, "production");
        assert_eq!(api.component("$connect"), Some("chat"));
        assert_eq!(api.component("send"), None);
        assert!(!api.route[0].response);
        assert_eq!(parse(APP).unwrap().websocket, None);
        let empty = parse(&format!("{APP}[websocket]\n")).unwrap().websocket.unwrap();
        assert_eq!(empty, WebSocket::default());
    }

    #[test]
    fn every_bad_value_is_reported_at_its_place() {
        let text = problems(
            "[websocket]\nroute_selection_expression = 'action'\nstage = '$default'\n\
             [[websocket.route]]\nkey = '$connect'\ncomponent = 'chta'\nresponse = true\n\
             [[websocket.route]]\nkey = 'send'\ncomponent = 'chat'\n\
             [[websocket.route]]\nkey = 'send'\ncomponent = 'chat'\n\
             [[websocket.route]]\nkey = '$conect'\ncomponent = 'chat'\n",
        );
        for expected in [
            "names no member of the message",
            "`$default` cannot be the stage",
            "WebSocket route `$connect` cannot have a response",
            "unknown component `chta`",
            "did you mean `chat`?",
            "WebSocket route `send` occurs twice",
            "`$conect` cannot be the key",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
        }
        assert!(problems("[websocket]\nroutes = 1\n").contains("did you mean `route`?"));
    }

    #[test]
    fn only_who_connects_can_be_asked_who_it_is() {
        const AUTHORIZERS: &str = "[authorizer.users]\ntype = 'request'\ncomponent = 'chat'\n\
             [authorizer.logins]\ntype = 'jwt'\nissuer = 'https://example.com'\naudience = ['a']\n";
        let route = |key: &str, name: &str| {
            format!(
                "[[websocket.route]]\nkey = '{key}'\ncomponent = 'chat'\nauthorizer = '{name}'\n"
            )
        };
        let text = format!("{APP}{AUTHORIZERS}{}", route("$connect", "users"));
        assert_eq!(parse(&text).unwrap().websocket.unwrap().authorizer("$connect"), Some("users"));
        for (key, name, expected) in [
            ("say", "users", "WebSocket route `say` cannot have an authorizer"),
            ("$connect", "logins", "authorizer `logins` cannot guard a WebSocket API"),
            ("$connect", "user", "did you mean `users`?"),
        ] {
            let text = problems(&format!("{AUTHORIZERS}{}", route(key, name)));
            assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
        }
    }

    #[test]
    fn editors_are_told_of_it() {
        let schema = schema().to_string();
        assert!(schema.contains("route_selection_expression") && schema.contains("WebSocketRoute"));
    }
}
