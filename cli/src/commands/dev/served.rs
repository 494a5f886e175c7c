//! One app in the local cloud: its function with the real host, what invokes it by itself, and its WebSocket API.

use super::ALIAS;
use super::cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, store_url};
use super::stream::Stream;
use super::websocket::{self, WebSocket};
use crate::args;
use crate::output::Output;
use crate::project::Project;
use anyhow::Result;
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::{self, Queues};
use lambkin_local_cloud::{ACCOUNT_ID, events, lambda, s3};
use lambkin_protocol::manifest::ResponseTransferMode;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the apps of a local cloud have in common.
pub(super) struct Surroundings<'a> {
    pub(super) arguments: &'a args::Dev,
    pub(super) bootstrap: &'a Path,
    pub(super) s3: &'a s3::Server,
    pub(super) lambda_endpoint: &'a str,
    pub(super) logs: &'a Logs,
    pub(super) stream: &'a Arc<Stream>,
    pub(super) queues: &'a Queues,
}

/// An app that is served.
pub(super) struct Served {
    pub(super) name: String,
    pub(super) function: lambda::Function,
    websocket: Option<WebSocket>,
    events: events::Sources,
    streams: bool,
}

impl Served {
    /// Starts the app's services; its release may be published afterwards. `websocket` is where its WebSocket API answers.
    pub(super) fn start(
        project: &Project,
        base_paths: String,
        websocket: Option<websocket::Listening>,
        around: &Surroundings<'_>,
    ) -> Result<Self> {
        let name = project.manifest.app.name.clone();
        let mut environment = host_environment(&around.s3.endpoint(), project);
        let mut set = |name: &str, value: String| environment.insert(name.to_owned(), value);
        set("AWS_ENDPOINT_URL_LAMBDA", around.lambda_endpoint.to_owned());
        set("LAMBKIN_BASE_PATHS", base_paths);
        if streams(project) {
            set("LAMBKIN_RESPONSE_MODE", "stream".to_owned());
        }
        if let Some(websocket) = &websocket {
            set("LAMBKIN_WEBSOCKET_ENDPOINT", websocket.endpoint()?);
        }
        let function = lambda::Function::start(lambda::Settings {
            timeout: Duration::from_secs(around.arguments.timeout),
            memory_mb: around.arguments.memory,
            max_sandboxes: around.arguments.max_sandboxes,
            reserved_concurrency: around.arguments.reserved_concurrency,
            on_log: on_log(name.clone(), around.logs, around.stream),
            environment,
            ..lambda::Settings::new(around.bootstrap, name.as_str())
        })?;
        let events = event_sources(function.clone(), around.queues.clone());
        events.follow(around.s3);
        let credentials = (ACCESS_KEY_ID, SECRET_ACCESS_KEY);
        let websocket = websocket
            .map(|listening| listening.serve(&function, credentials, Arc::clone(around.stream)))
            .transpose()?;
        Ok(Self { name, function, websocket, events, streams: streams(project) })
    }

    /// What the clients of the app's WebSocket API connect to.
    pub(super) fn websocket_url(&self) -> Option<String> {
        self.websocket.as_ref().map(WebSocket::url)
    }

    /// Lets the app's WebSocket API know its routes. What only a new start can bring is said.
    pub(super) fn deploy(&self, project: &Project, output: &Output) -> Result<()> {
        if streams(project) != self.streams {
            output.warn("`response_transfer_mode` is another now: start `lambkin dev` again, for the function to follow");
        }
        WebSocket::deploy(self.websocket.as_ref(), project, output)
    }

    /// Lets events reach the app by its triggers.
    pub(super) fn set_triggers(&self, project: &Project) -> Result<()> {
        Ok(self.events.set(&project.manifest.trigger)?)
    }

    /// Sends the app's clients away, and ends its processes.
    pub(super) async fn stop(self) {
        drop(self.events);
        if let Some(websocket) = self.websocket {
            websocket.stop().await;
        }
        self.function.stop().await;
    }
}

/// Whether the app's API streams, and so its function does.
fn streams(project: &Project) -> bool {
    let api = project.manifest.api.as_ref();
    api.is_some_and(|api| api.response_transfer_mode == ResponseTransferMode::Stream)
}

/// What happens by itself invokes the function as AWS does, with its retries; a failure is in the function's log.
fn event_sources(function: lambda::Function, queues: Queues) -> events::Sources {
    let place = events::Place { region: REGION.to_owned(), account: ACCOUNT_ID.to_owned() };
    events::Sources::new(place, events::to_function(function.clone()))
        .with_queues(queues, sqs::to_function(function))
}

/// The host's environment: what a deployed function has, with every pointer read anew for each request.
fn host_environment(endpoint: &str, project: &Project) -> BTreeMap<String, String> {
    let app = &project.manifest.app.name;
    let pairs = [
        ("LAMBKIN_CACHE_DIR", project.work().join("cache").display().to_string()),
        ("LAMBKIN_STORE", store_url()),
        ("LAMBKIN_APP", format!("{app}@{ALIAS}")),
        ("LAMBKIN_ALIAS_MAX_AGE_MS", "0".to_owned()),
        ("LAMBKIN_ALLOW_PRIVATE_NETWORK", "1".to_owned()),
        ("AWS_ENDPOINT_URL_S3", endpoint.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Every line goes to the log that is kept, and to the terminal.
fn on_log(app: String, logs: &Logs, stream: &Arc<Stream>) -> lambda::OnLog {
    let (logs, stream) = (logs.clone(), Arc::clone(stream));
    Arc::new(move |line| {
        logs.record(&app, &line);
        stream.log(&line);
    })
}
