//! WebSocket APIs: which route a message takes, and the events that API Gateway sends to a function.
//!
//! [`Selection`] evaluates the route selection expression, `event` writes the events, [`route_key`] reads back which
//! route an event took. What a developer writes is [`crate::manifest::WebSocket`]; the sockets are the local cloud's.

mod event;
mod selection;

use serde::Deserialize;

pub use event::{Connection, Moment, connect, disconnect, message};
pub use selection::{Selection, SelectionError};

/// The route of a client that connects; it is invoked before the upgrade.
pub const CONNECT: &str = "$connect";
/// The route of a client that is gone.
pub const DISCONNECT: &str = "$disconnect";
/// The route of what no other route takes.
pub const DEFAULT: &str = "$default";

/// The route that a WebSocket event took: its `requestContext.routeKey`.
pub fn route_key(event: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        request_context: Context,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Context {
        route_key: String,
    }
    Some(serde_json::from_slice::<Event>(event).ok()?.request_context.route_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_which_route_it_took() {
        let event = br#"{"requestContext":{"routeKey":"send","connectionId":"a="},"body":"{}"}"#;
        assert_eq!(route_key(event).as_deref(), Some("send"));
        assert_eq!(route_key(br#"{"requestContext":{}}"#), None);
        assert_eq!(route_key(b"[]"), None);
    }
}
