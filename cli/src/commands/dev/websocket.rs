//! The WebSocket API of the app, on an address of its own: on AWS it has a domain of its own.

use super::stream::Stream;
use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::project::Project;
use anyhow::Result;
use http::HeaderMap;
use lambkin_local_cloud::api_gateway::{Access, websocket};
use lambkin_local_cloud::lambda::Function;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A WebSocket API that has its address and answers nobody yet.
pub(crate) struct Listening {
    listener: TcpListener,
    api: websocket::Definition,
    limits: websocket::Limits,
}

/// A running WebSocket API.
pub(crate) struct WebSocket {
    server: websocket::Server,
    stage: String,
}

impl WebSocket {
    /// Takes the address, if the app has a WebSocket API; `index` is the app's place among those that are served.
    pub(crate) async fn listen(
        project: &Project,
        arguments: &args::Dev,
        index: usize,
    ) -> Result<Option<Listening>> {
        let Some(api) = websocket::Definition::of(&project.manifest) else { return Ok(None) };
        // One port on is the first app's, two are AWS's clients'.
        let ports =
            if index == 0 { 1 } else { u16::try_from(index).unwrap_or(u16::MAX).saturating_add(2) };
        let beside = super::cloud::beside(arguments.listen, ports);
        let arguments = &arguments.websocket;
        let address = arguments.listen_websocket.filter(|_| index == 0).unwrap_or(beside);
        let listener = TcpListener::bind(address).await.with_hint(
            format!("the app's WebSocket API cannot be served on {address}"),
            "another program may listen there: choose another address with --listen-websocket 127.0.0.1:3011",
        )?;
        let limits = websocket::Limits {
            idle: Duration::from_secs(arguments.websocket_idle),
            lifetime: Duration::from_secs(arguments.websocket_lifetime),
            ..websocket::Limits::default()
        };
        Ok(Some(Listening { listener, api, limits }))
    }

    /// What clients connect to.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Lets it know the app's routes. What only a new start can bring is said.
    pub(crate) fn deploy(running: Option<&Self>, project: &Project, output: &Output) -> Result<()> {
        let wanted = websocket::Definition::of(&project.manifest);
        let Some(running) = running else {
            if wanted.is_some() {
                output
                    .warn("the app has a WebSocket API now: start `lambkin dev` again to serve it");
            }
            return Ok(());
        };
        let wanted = wanted.unwrap_or_default();
        if wanted.api.stage != running.stage && !wanted.api.route.is_empty() {
            output.warn("the WebSocket API has another stage now: start `lambkin dev` again to serve it there");
        }
        Ok(running.server.deploy(wanted)?)
    }

    /// Sends every client away, tells the function of it, and ends.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

impl Listening {
    /// Where `@connections` will be.
    pub(crate) fn endpoint(&self) -> Result<String> {
        Ok(format!("http://{}/{}", self.listener.local_addr()?, self.api.api.stage))
    }

    /// Answers by `function`; `@connections` takes the function's own access key and secret.
    pub(crate) fn serve(
        self,
        function: &Function,
        (access_key_id, secret_access_key): (&str, &str),
        stream: Arc<Stream>,
    ) -> Result<WebSocket> {
        let stage = self.api.api.stage.clone();
        let server = websocket::Server::start(websocket::Settings {
            listener: self.listener,
            api: self.api,
            function: function.clone(),
            limits: self.limits,
            credentials: websocket::Credentials {
                access_key_id: access_key_id.to_owned(),
                secret_access_key: secret_access_key.to_owned(),
            },
            on_request: Arc::new(move |access| {
                // All messages have one path; the route tells them apart. None can be sent again by itself.
                let path = access.route_key.clone().unwrap_or_else(|| access.path.clone());
                let headers = HeaderMap::new();
                stream.answered(&Access { path, headers, ..access.clone() });
            }),
        })?;
        Ok(WebSocket { server, stage })
    }
}
