//! The local cloud around one app: embedded S3, the local Lambda with the real host, an HTTP API in front and, where the
//! app has one, a WebSocket API.

use super::ALIAS;
use super::page::{Board, Page};
use super::stream::Stream;
use super::websocket::WebSocket;
use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::project::Project;
use crate::running::Running;
use anyhow::Result;
use lambkin_local_cloud::api_gateway::{self, Definition};
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::{self, Queues};
use lambkin_local_cloud::{ACCOUNT_ID, Endpoint, Services, events, lambda, s3};
use lambkin_store::{Files, S3Access, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The bucket that the local store is in.
const BUCKET: &str = "lambkin";

/// Credentials of the embedded S3: they open nothing else.
const ACCESS_KEY_ID: &str = "local";
const SECRET_ACCESS_KEY: &str = "local-secret";
const REGION: &str = "us-east-1";

/// How long the page's calls of the embedded S3 may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running services.
pub(crate) struct Cloud {
    s3: s3::Server,
    function: lambda::Function,
    api: api_gateway::Server,
    websocket: Option<WebSocket>,
    endpoint: Endpoint,
    events: events::Sources,
    board: Arc<Board>,
}

impl Cloud {
    /// Starts the services; the app's release may be published afterwards.
    pub(crate) async fn start(
        project: &Project,
        arguments: &args::Dev,
        (bootstrap, output): (PathBuf, Output),
    ) -> Result<Self> {
        let s3 = s3::Server::start(s3::Settings {
            folder: project.work().join("s3"),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            region: REGION.to_owned(),
        })
        .await?;
        create_buckets(&s3, project).await?;
        let app = &project.manifest.app.name;
        let mut environment = host_environment(&s3.endpoint(), project);
        let (logs, board) = (Logs::open(&project.work().join("logs"))?, Arc::new(Board::new()));
        let stream = Stream::new(output, Arc::clone(&board));
        let aws = aws_listener(arguments, &output).await?;
        let lambda_endpoint = format!("http://{}", aws.local_addr()?);
        environment.insert("AWS_ENDPOINT_URL_LAMBDA".to_owned(), lambda_endpoint);
        let websocket = WebSocket::listen(project, arguments).await?;
        if let Some(websocket) = &websocket {
            environment.insert("LAMBKIN_WEBSOCKET_ENDPOINT".to_owned(), websocket.endpoint()?);
        }
        let told = Arc::clone(&stream);
        let function = lambda::Function::start(lambda::Settings {
            timeout: Duration::from_secs(arguments.timeout),
            memory_mb: arguments.memory,
            max_sandboxes: arguments.max_sandboxes,
            reserved_concurrency: arguments.reserved_concurrency,
            on_log: on_log(app.clone(), &logs, &stream),
            environment,
            ..lambda::Settings::new(bootstrap, app.as_str())
        })?;
        let queues = Queues::new(REGION);
        let events = event_sources(function.clone(), queues.clone());
        events.follow(&s3);
        let page = Page::new(Arc::clone(&board), Files::new(&access(&s3.endpoint()), PATIENCE)?);
        let api = start_api(
            arguments.listen,
            api_gateway::Settings {
                on_request: Arc::new(move |access| stream.answered(access)),
                developer: Some(page.clone()),
                ..api_gateway::Settings::new(
                    arguments.listen,
                    Definition::from(&project.manifest),
                    function.clone(),
                )
            },
        )
        .await?;
        page.serves(api.address());
        let websocket = websocket
            .map(|listening| listening.serve(&function, (ACCESS_KEY_ID, SECRET_ACCESS_KEY), told))
            .transpose()?;
        let lambda = lambda::ControlPlane::new([function.clone()]);
        let services = Services { lambda, logs, queues };
        let endpoint = Endpoint::serve(aws, services)?;
        Ok(Self { s3, function, api, websocket, endpoint, events, board })
    }

    /// The local store.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(Store::open(&store_url(), &access(&self.s3.endpoint()))?)
    }

    /// What the page shows.
    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    /// Where everything answers.
    pub(crate) fn running(&self) -> Running {
        Running {
            process: std::process::id(),
            app: self.api.url(),
            aws: self.endpoint.url(),
            s3: self.s3.endpoint(),
        }
    }

    /// What the clients of the app's WebSocket API connect to.
    pub(crate) fn websocket_url(&self) -> Option<String> {
        self.websocket.as_ref().map(WebSocket::url)
    }

    /// Lets the APIs know the app's routes and settings, as a deployment would.
    pub(crate) fn deploy(&self, project: &Project, output: &Output) -> Result<()> {
        self.api.deploy(Definition::from(&project.manifest))?;
        WebSocket::deploy(self.websocket.as_ref(), project, output)
    }

    /// Lets events reach the app by its triggers, from buckets that exist.
    pub(crate) async fn set_triggers(&self, project: &Project) -> Result<()> {
        create_buckets(&self.s3, project).await?;
        Ok(self.events.set(&project.manifest.trigger)?)
    }

    /// Where clients find the embedded S3, and how they sign in.
    pub(crate) fn s3_access(&self) -> String {
        format!("{}  (access key {ACCESS_KEY_ID}, secret {SECRET_ACCESS_KEY})", self.s3.endpoint())
    }

    /// Ends every service and process.
    pub(crate) async fn stop(self) {
        drop(self.events);
        self.board.end();
        // Each has a bound of its own: three seconds and a half together.
        if let Some(websocket) = self.websocket {
            websocket.stop().await;
        }
        self.api.stop().await;
        self.function.stop().await;
        self.endpoint.stop().await;
        self.s3.stop().await;
    }
}

async fn start_api(
    address: SocketAddr,
    settings: api_gateway::Settings,
) -> Result<api_gateway::Server> {
    api_gateway::Server::start(settings).await.with_hint(
        format!("the app cannot be served on {address}"),
        format!(
            "another program may listen there: choose another address with --listen {}",
            beside(address, 10)
        ),
    )
}

/// Creates the buckets that the app names, and the store's.
async fn create_buckets(s3: &s3::Server, project: &Project) -> Result<()> {
    for bucket in buckets(project) {
        s3.create_bucket(bucket).await?;
    }
    Ok(())
}

/// What happens by itself invokes the function as AWS does, with its retries; a failure is in the function's log.
fn event_sources(function: lambda::Function, queues: Queues) -> events::Sources {
    let place = events::Place { region: REGION.to_owned(), account: ACCOUNT_ID.to_owned() };
    events::Sources::new(place, events::to_function(function.clone()))
        .with_queues(queues, sqs::to_function(function))
}

/// The URL of the local store.
pub(crate) fn store_url() -> String {
    format!("s3://{BUCKET}/store")
}

/// Access to the embedded S3.
pub(crate) fn access(endpoint: &str) -> S3Access {
    S3Access {
        endpoint: Some(endpoint.to_owned()),
        region: REGION.to_owned(),
        access_key_id: ACCESS_KEY_ID.to_owned(),
        secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        session_token: None,
        ca_bundle: None,
    }
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

/// Whether the app has buckets besides the store's, which its developer will want to look into.
pub(super) fn names_buckets(project: &Project) -> bool {
    buckets(project).len() > 1
}

/// The store's bucket, those that components are granted folders of, and those that triggers name.
pub(super) fn buckets(project: &Project) -> BTreeSet<&str> {
    let manifest = &project.manifest;
    let folders = manifest.component.values().flat_map(|it| it.grants.files.values());
    let folders = folders.filter_map(|folder| folder.bucket.as_deref());
    let triggers = manifest.trigger.iter().filter_map(|trigger| trigger.bucket.as_deref());
    folders.chain(triggers).chain([BUCKET]).collect()
}

/// Every line goes to the log that is kept, and to the terminal.
fn on_log(app: String, logs: &Logs, stream: &Arc<Stream>) -> lambda::OnLog {
    let (logs, stream) = (logs.clone(), Arc::clone(stream));
    Arc::new(move |line| {
        logs.record(&app, &line);
        stream.log(&line);
    })
}

/// A listener for AWS's clients at the address that is asked for, else two ports beside the app's, else where there is room.
async fn aws_listener(arguments: &args::Dev, output: &Output) -> Result<TcpListener> {
    if let Some(address) = arguments.listen_aws {
        return TcpListener::bind(address).await.with_hint(
            format!("AWS's clients cannot be served on {address}"),
            "another program may listen there: choose another address with --listen-aws, or leave it out",
        );
    }
    let address = beside(arguments.listen, 2);
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            let listener = TcpListener::bind(SocketAddr::new(address.ip(), 0)).await?;
            let other = listener.local_addr()?;
            output.warn(&format!(
                "{address} cannot be had ({error}): AWS's clients call http://{other}; --listen-aws chooses"
            ));
            Ok(listener)
        }
    }
}

/// The address so many ports on; port 0 asks for a free one everywhere.
pub(super) fn beside(address: SocketAddr, ports: u16) -> SocketAddr {
    let port = address.port();
    let port = if port == 0 { 0 } else { port.checked_add(ports).unwrap_or_default() };
    SocketAddr::new(address.ip(), port)
}
