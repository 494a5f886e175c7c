//! Routes with an authorizer: whom an authorizer's event goes to, and that no guarded route answers an event that went past
//! its authorizer. Routes without one are none of its business and cost nothing here.

use crate::apps::App;
use crate::config::Level;
use crate::invocation::Destination;
use crate::received::Received;
use crate::telemetry::{self, NoDetails};
use lambkin_protocol::authorizer::{Asked, is_authorized};
use lambkin_protocol::event::Format;
use lambkin_protocol::release::Authorizer;

/// The component that decides what an authorizer's event asks: that of the authorizer of the route that is asked for, else
/// of the app's only one. Nothing when the release says neither.
pub(crate) fn component(app: &App, asked: &Asked, path: &str) -> Option<String> {
    let authorizers = &app.release.authorizers;
    let found = app.routes.find(&asked.method, path);
    let named = found.and_then(|found| found.route.authorizer.as_ref());
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

/// Logs why a guarded route is not answered.
pub(crate) fn refuse(received: &Received, destination: &Destination, why: &str) {
    let (name, path) = (destination.authorizer.as_deref().unwrap_or_default(), &destination.path);
    let message = format!(
        "403 for {path}: its route has the authorizer {name:?}, and {why}; attach the authorizer to the route in API \
         Gateway, and let clients in by no other way, or take `authorizer` out of the route in lambkin.toml"
    );
    telemetry::log(Level::Warn, &message, &received.tags(), NoDetails {});
}
