//! Routes with an authorizer: whom an authorizer's event goes to, and that no guarded route answers an event that went past
//! its authorizer. Routes without one are none of its business and cost nothing here.

use crate::apps::App;
use crate::config::Level;
use crate::invocation::Destination;
use crate::received::Received;
use crate::telemetry::{self, NoDetails};
use lambkin_protocol::authorizer::{AskedRoute, is_authorized, is_connection_authorized};
use lambkin_protocol::event::Format;
use lambkin_protocol::release::Authorizer;
use lambkin_protocol::websocket::CONNECT;

/// The component that decides what an authorizer's event asks: that of the authorizer of the route that is asked for, else
/// of the app's only one. Nothing when the release says neither.
pub(crate) fn component(app: &App, asked: &AskedRoute, path: &str) -> Option<String> {
    let authorizers = &app.release.authorizers;
    let named = match asked {
        AskedRoute::Http { method, .. } => {
            app.routes.find(method, path).and_then(|found| found.route.authorizer.as_deref())
        }
        AskedRoute::WebSocket { key } => {
            app.release.websocket.as_ref().and_then(|api| api.authorizer(key))
        }
    };
    let guard = named.and_then(|name| authorizers.get(name)).and_then(|one| one.component.as_ref());
    let mut deciding = authorizers.values().filter_map(|one| one.component.as_ref());
    let only = deciding.next().filter(|_| deciding.next().is_none());
    guard.or(only).cloned()
}

/// Whether the event of a route that has an authorizer proves that it was asked. What does not is logged with what to do.
pub(crate) fn admits(received: &Received, destination: &Destination, format: Format) -> bool {
    let Some(name) = &destination.authorizer else { return true };
    let known: Option<&Authorizer> = destination.app.release.authorizers.get(name);
    if known.is_some_and(|known| is_authorized(format, known.kind, &received.event)) {
        return true;
    }
    refuse(received, destination, "the event has no proof that API Gateway has asked it");
    false
}

/// Whether a WebSocket's event may pass: one that connects a client proves that the authorizer of `$connect` was asked, where
/// there is one. Later events are of clients that were let in.
pub(crate) fn lets_in(received: &Received, app: &App, route_key: &str) -> bool {
    let api = app.release.websocket.as_ref().filter(|_| route_key == CONNECT);
    let Some(name) = api.and_then(|api| api.authorizer(CONNECT)) else { return true };
    if is_connection_authorized(&received.event) {
        return true;
    }
    let message = format!(
        "403 for {CONNECT}: the route has the authorizer {name:?}, and the event has no proof that API Gateway has asked it; \
         attach the authorizer to {CONNECT} in API Gateway, or take `authorizer` out of the route in lambkin.toml"
    );
    telemetry::log(Level::Warn, &message, &received.tags(), NoDetails {});
    false
}

/// Logs why a guarded route is not answered.
pub(crate) fn refuse(received: &Received, destination: &Destination, why: &str) {
    let (name, path) = (destination.authorizer.as_deref().unwrap_or_default(), &destination.path);
    let message = format!(
        "403 for {path}: its route has the authorizer {name:?}, and {why}; attach the authorizer to the route in API \
         Gateway, and let clients in by no other way, or take `authorizer` out of the route in lambkin.toml"
    );
    telemetry::log(Level::Warn, &message, &received.tags(), NoDetails {});
}
