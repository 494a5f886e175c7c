//! WebSocket APIs: which route a message takes, and the events that API Gateway sends to a function.
//!
//! [`Selection`] evaluates the route selection expression, `event` writes the events, [`origin`] reads back where
//! an event came from. What a developer writes is [`crate::manifest::WebSocket`]; the sockets are the local cloud's.

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

/// Where a WebSocket event came from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The route that it took.
    pub route_key: String,
    /// The host name that the client called, without a port.
    pub domain_name: Option<String>,
}

/// Where a WebSocket event came from, by its `requestContext`; nothing when it does not say.
pub fn origin(event: &[u8]) -> Option<Origin> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        request_context: Origin,
    }
    Some(serde_json::from_slice::<Event>(event).ok()?.request_context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_which_route_it_took_and_which_domain_was_called() {
        let event = br#"{"requestContext":{"routeKey":"say","domainName":"a.example"},"body":""}"#;
        let origin = origin(event).unwrap();
        assert_eq!(
            (origin.route_key.as_str(), origin.domain_name.as_deref()),
            ("say", Some("a.example"))
        );
        assert_eq!(super::origin(br#"{"requestContext":{}}"#), None);
        assert_eq!(super::origin(b"[]"), None);
    }
}
