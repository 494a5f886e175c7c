//! Events that are not HTTP: which component one is for, and its call.
//!
//! Asked in this order: the route that an authorizer's event is about, the route key of a WebSocket's, the trigger that names
//! where the event comes from, the route `POST /events/<source>`, the app's only component. A job names its component itself.

use crate::apps::App;
use crate::error::Failure;
use crate::guard;
use crate::guest::{self, Call};
use crate::invocation::{Answer, Destination, Host, seed};
use crate::received::Received;
use bytes::Bytes;
use http::Method;
use lambkin_protocol::authorizer::Asked;
use lambkin_protocol::event;
use lambkin_protocol::job;
use lambkin_protocol::release::World;
use lambkin_protocol::websocket::{self, Origin};
use std::collections::BTreeMap;

/// What an event that is not HTTP says of where it comes from.
struct Sender {
    asked: Option<Asked>,
    websocket: Option<Origin>,
}

impl Sender {
    fn of(source: &event::Source, event: &[u8]) -> Self {
        Self {
            asked: source.is_authorizer().then(|| Asked::of(event)).flatten(),
            websocket: source.is_websocket().then(|| websocket::origin(event)).flatten(),
        }
    }

    /// The domain that tells the app, where apps are chosen by domain.
    fn domain(&self) -> Option<&str> {
        let asked = self.asked.as_ref().and_then(|asked| asked.domain.as_deref());
        asked.or_else(|| self.websocket.as_ref()?.domain_name.as_deref())
    }

    fn component(&self, app: &App, asked_path: &str) -> Option<String> {
        if let Some(asked) = &self.asked {
            return guard::component(app, &asked.route, asked_path);
        }
        let api = app.release.websocket.as_ref()?;
        api.component(self.route_key()?).map(str::to_owned)
    }

    /// The route key of a WebSocket's event.
    fn route_key(&self) -> Option<&str> {
        self.websocket.as_ref().map(|origin| origin.route_key.as_str())
    }
}

impl Host {
    /// Answers an event of any service.
    pub(crate) async fn answer_event(
        &self,
        received: &Received,
        source: &event::Source,
    ) -> Result<Answer, Failure> {
        let request = event::to_event_request(source, received.event.clone());
        let own_path = request.uri().path();
        let sender = Sender::of(source, &received.event);
        let path = sender.asked.as_ref().and_then(Asked::path).unwrap_or(own_path);
        let seed = seed(&received.request_id);
        let (app, path) = self.apps.find(sender.domain(), path, seed).await?;
        if let Some(key) = sender.route_key()
            && !guard::lets_in(received, &app, key)
        {
            return Ok(Answer::Whole(Bytes::from_static(br#"{"statusCode":403}"#)));
        }
        let named = sender.component(&app, &path);
        let component = named.or_else(|| by_origin(&app, own_path, &received.event));
        let component = component.ok_or_else(|| Failure::NoComponent {
            what: format!("events of {source}: give one a route for POST {own_path}"),
        })?;
        let destination = destination((app, component), own_path);
        self.call_with_event(received, &destination, request).await
    }

    /// A job goes to the component that it names, with the event that it was started with.
    pub(crate) async fn answer_job(
        &self,
        received: &Received,
        source: &event::Source,
    ) -> Result<Answer, Failure> {
        let (job, event) = job::unwrap(&received.event).map_err(Failure::Job)?;
        let request = event::to_event_request(source, event.to_owned());
        let app = self.apps.named(&job.app, &job.alias, seed(&received.request_id)).await?;
        let destination = Destination {
            websocket_api: job.websocket_api,
            ..destination((app, job.component), request.uri().path())
        };
        self.call_with_event(received, &destination, request).await
    }

    /// Calls a component with an event that is not HTTP: the request's body, or the request.
    async fn call_with_event(
        &self,
        received: &Received,
        destination: &Destination,
        request: http::Request<Bytes>,
    ) -> Result<Answer, Failure> {
        let (component, loaded) = self.load(received, destination).await?;
        let call = Call { host: self, received, destination, component, loaded: &loaded };
        match component.world {
            World::Http | World::HttpAsync => {
                guest::event_over_http(&call, request).await.map(Answer::Whole)
            }
            World::Function | World::AsyncFunction | World::Command => {
                guest::event(&call, request.into_body()).await.map(Answer::Whole)
            }
        }
    }
}

/// The component of the event's trigger, else of its route, else the only one.
fn by_origin(app: &App, path: &str, event: &[u8]) -> Option<String> {
    if let Some(trigger) = event::trigger(&app.release.triggers, event) {
        return Some(trigger.component.clone());
    }
    let found = app.routes.find(&Method::POST, path);
    if let Some(found) = found.filter(|found| found.route.files.is_none()) {
        return Some(found.component.to_owned());
    }
    let components = &app.release.components;
    components.keys().next().filter(|_| components.len() == 1).cloned()
}

fn destination((app, component): (std::sync::Arc<App>, String), path: &str) -> Destination {
    Destination {
        app,
        component,
        route: None,
        authorizer: None,
        path: path.to_owned(),
        parameters: BTreeMap::new(),
        files: None,
        websocket_api: None,
    }
}
