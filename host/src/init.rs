//! What is done before the first event: the configured app and its artifacts are fetched, and components warmed up.
//!
//! The event that a component's release has for Init is answered, and the answer dropped, so that the first invocation
//! finds everything touched and, where instances are reused, an instance that has run.

use crate::apps::App;
use crate::components::Loaded;
use crate::error::Failure;
use crate::guest::{self, Call};
use crate::invocation::{Destination, Host, tags};
use crate::received::Received;
use crate::report;
use crate::telemetry::Tags;
use bytes::Bytes;
use lambkin_protocol::event::{self, Event, HttpEvent};
use lambkin_protocol::release::{Component, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a component may take of Init, for which Lambda allows 10 s
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>).
const LONGEST: Duration = Duration::from_secs(5);

/// What an instance may take that is made for the first invocation.
const LONGEST_START: Duration = Duration::from_secs(2);

/// Stands for the request id, in log records too: no invocation has come yet.
pub(crate) const REQUEST_ID: &str = "warmup";

impl Host {
    /// Init's work: the configured app's release and all its artifacts, at once, and the warm-up events that it has.
    ///
    /// What fails here is logged and tried again by the first invocation, whose caller then hears of it.
    pub(crate) async fn warm(&self) {
        let app = match self.apps.configured().await {
            Some(Ok(app)) => app,
            Some(Err(error)) => return report::warm_failed(&error, &Tags::default()),
            None => return,
        };
        let loads = app.release.components.iter().map(|(name, component)| {
            let app = Arc::clone(&app);
            async move {
                let loaded = match self.components.get(&app, component).await {
                    Ok(loaded) => loaded,
                    Err(error) => return report::warm_failed(&*error, &tags(&app, name, "")),
                };
                let Some(event) = &component.warmup else { return };
                let tags = tags(&app, name, REQUEST_ID);
                let cold = Cold { app: &app, name, component, loaded: &loaded };
                if let Err(failure) = warm_up(self, cold, (event, tags.clone())).await {
                    report::warmup_failed(&failure, &tags);
                }
            }
        });
        futures::future::join_all(loads).await;
        self.between_invocations().await;
        if let [(name, component)] = *app.release.components.iter().collect::<Vec<_>>() {
            self.make_instance(&app, name, component).await;
        }
    }

    /// Makes the instance that an app's only component will have in its first invocation.
    async fn make_instance(&self, app: &Arc<App>, name: &str, component: &Component) {
        // Loaded before; what failed is told by the invocation.
        let Ok(loaded) = self.components.get(app, component).await else { return };
        let received = Received::in_init(Bytes::new(), LONGEST_START);
        received.tag(tags(app, name, REQUEST_ID));
        let cold = Cold { app, name, component, loaded: &loaded };
        let destination = destination(cold, None);
        let (received, destination, loaded) = (&received, &destination, &*loaded);
        let call = Call { host: self, received, destination, component, loaded };
        guest::prepare(&call).await;
    }

    /// For a host that must not start without its app: release and artifacts are there, or the first failure is the error.
    pub(crate) async fn prepare(&self) -> Result<(), Failure> {
        let Some(app) = self.apps.configured().await else { return Ok(()) };
        let app = app?;
        for (name, component) in &app.release.components {
            let loaded = self.components.get(&app, component).await;
            loaded.map_err(|source| Failure::Component { component: name.clone(), source })?;
        }
        Ok(())
    }
}

/// A component that is to be warmed up.
#[derive(Clone, Copy)]
struct Cold<'a> {
    app: &'a Arc<App>,
    name: &'a str,
    component: &'a Component,
    loaded: &'a Loaded,
}

/// Hands the event to the component and waits for the end of its answer.
async fn warm_up(host: &Host, cold: Cold<'_>, (event, tags): (&str, Tags)) -> Result<(), Failure> {
    let received = Received::in_init(event.to_owned().into(), LONGEST);
    received.tag(tags);
    let Cold { component, loaded, .. } = cold;
    let http = match event::classify(&received.event)? {
        Event::Http(http) => Ok(http),
        Event::Other(source) => Err(source),
    };
    let destination = destination(cold, http.as_deref().ok());
    let call = Call { host, received: &received, destination: &destination, component, loaded };
    match (component.world, http) {
        (World::Http | World::HttpAsync, Ok(http)) => {
            let format = http.format;
            let answer = guest::http(&call, *http).await?;
            guest::collect(&call, format, answer).await?;
        }
        (World::Http | World::HttpAsync, Err(source)) => {
            let request = event::to_event_request(&source, received.event.clone());
            guest::event_over_http(&call, request).await?;
        }
        (_, Ok(http)) => {
            guest::event(&call, guest::http_payload(&call, &http)?).await?;
        }
        (_, Err(_)) => {
            guest::event(&call, received.event.clone()).await?;
        }
    }
    Ok(())
}

/// The component itself, with what the app's routes make of the event's path where they lead to it.
fn destination(cold: Cold<'_>, http: Option<&HttpEvent>) -> Destination {
    let Cold { app, name, .. } = cold;
    let path = http.map_or_else(|| "/".to_owned(), |http| http.path.clone());
    let found = http
        .and_then(|http| app.routes.find(&http.method, &http.path))
        .filter(|found| found.component == name);
    let (route, parameters) = match found {
        Some(found) => (Some(found.route.path.clone()), found.parameters),
        None => (None, BTreeMap::new()),
    };
    let (app, component) = (Arc::clone(app), name.to_owned());
    Destination {
        app,
        component,
        route,
        authorizer: None,
        path,
        parameters,
        files: None,
        websocket_api: None,
    }
}
