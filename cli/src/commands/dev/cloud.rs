//! The local cloud around the apps: embedded S3, AWS's own endpoints, an HTTP or REST API in front of each, and what each has
//! of its own (`served`).

use super::apps::Apps;
use super::page::{Board, Page};
use super::served::{Served, Surroundings};
use super::stale;
use super::stream::Stream;
use super::websocket::WebSocket;
use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::project::Project;
use crate::running::Running;
use anyhow::Result;
use lambkin_local_cloud::api_gateway::{self, Definition, Mapping};
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services, lambda, s3};
use lambkin_store::{Files, S3Access, Store};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The bucket that the local store is in.
pub(super) const BUCKET: &str = "lambkin";
/// What the keys of the local store begin with.
pub(super) const STORE: &str = "store";

/// Credentials of the embedded S3: they open nothing else.
pub(super) const ACCESS_KEY_ID: &str = "local";
pub(super) const SECRET_ACCESS_KEY: &str = "local-secret";
pub(super) const REGION: &str = "us-east-1";

/// How long the page's calls of the embedded S3 may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The running services.
pub(crate) struct Cloud {
    s3: s3::Server,
    api: api_gateway::Server,
    apps: Vec<Served>,
    endpoint: Endpoint,
    board: Arc<Board>,
}

impl Cloud {
    /// Starts the services; the apps' releases may be published afterwards. The first app's folder keeps what they store.
    pub(crate) async fn start(
        apps: &Apps,
        arguments: &args::Dev,
        (bootstrap, output): (PathBuf, Output),
    ) -> Result<Self> {
        let work = apps.main.work();
        let s3 = s3::Server::start(settings_of_s3(work.join("s3"))).await?;
        let files = Files::new(&access(&s3.endpoint()), PATIENCE)?;
        let (logs, board) = (Logs::open(&work.join("logs"))?, Arc::new(Board::new()));
        let stream = Stream::new(output, Arc::clone(&board));
        let aws = aws_listener(arguments, &output).await?;
        let queues = Queues::new(REGION);
        let around = Surroundings {
            arguments,
            bootstrap: &bootstrap,
            s3: &s3,
            lambda_endpoint: &format!("http://{}", aws.local_addr()?),
            logs: &logs,
            stream: &stream,
            queues: &queues,
        };
        let mut served = Vec::new();
        for (index, project) in apps.all().enumerate() {
            create_buckets(&s3, project).await?;
            let websocket = WebSocket::listen(project, arguments, index).await?;
            let base_paths = apps.base_paths(&project.manifest.app.name);
            served.push(Served::start(project, base_paths, websocket, &around)?);
        }
        stale::clear(&files).await?;
        let page = Page::new(Arc::clone(&board), files);
        let both = apps.all().zip(&served);
        let fronts = both.map(|(project, served)| api_gateway::Api {
            name: served.name.clone(),
            definition: Definition::from(&project.manifest),
            function: served.function.clone(),
        });
        let settings = api_gateway::Settings {
            address: arguments.listen,
            apis: fronts.collect(),
            mappings: apps.mappings.clone(),
            integration_timeout: None,
            on_request: Arc::new(move |access| stream.answered(access)),
            developer: Some(page.clone()),
        };
        let api = start_api(arguments.listen, settings).await?;
        page.serves(api.address());
        let destinations = queues.clone();
        let lambda = lambda::ControlPlane::new(served.iter().map(|app| app.function.clone()))
            .with_destinations(move |arn| destinations.destination(arn));
        let services = Services { lambda, logs, queues };
        let endpoint = Endpoint::serve(aws, services)?;
        Ok(Self { s3, api, apps: served, endpoint, board })
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

    /// What clients of the custom domains call, such as `http://api.localhost:3000/shop`.
    pub(crate) fn mapped_url(&self, mapping: &Mapping) -> String {
        let (domain, port) = (&mapping.domain, self.api.address().port());
        format!("http://{domain}:{port}/{}", mapping.base_path)
    }

    /// What the clients of an app's WebSocket API connect to.
    pub(crate) fn websocket_url(&self, app: &str) -> Option<String> {
        self.app(app)?.websocket_url()
    }

    /// Lets the APIs know an app's routes and settings, as a deployment would.
    pub(crate) fn deploy(&self, project: &Project, output: &Output) -> Result<()> {
        let name = &project.manifest.app.name;
        self.api.deploy(name, Definition::from(&project.manifest)).with_hint(
            "the app's API cannot be changed",
            "after a change of the app's name, start `lambkin dev` again",
        )?;
        self.app(name).map_or(Ok(()), |app| app.deploy(project, output))
    }

    /// Lets events reach an app by its triggers, from buckets that exist.
    pub(crate) async fn set_triggers(&self, project: &Project) -> Result<()> {
        create_buckets(&self.s3, project).await?;
        self.app(&project.manifest.app.name).map_or(Ok(()), |app| app.set_triggers(project))
    }

    fn app(&self, name: &str) -> Option<&Served> {
        self.apps.iter().find(|app| app.name == name)
    }

    /// Where clients find the embedded S3, and how they sign in.
    pub(crate) fn s3_access(&self) -> String {
        format!("{}  (access key {ACCESS_KEY_ID}, secret {SECRET_ACCESS_KEY})", self.s3.endpoint())
    }

    /// Ends every service and process.
    pub(crate) async fn stop(self) {
        self.board.end();
        // Each has a bound of its own: three seconds and a half together.
        futures::future::join_all(self.apps.into_iter().map(Served::stop)).await;
        self.api.stop().await;
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

/// The embedded S3, with its objects in `folder`.
pub(super) fn settings_of_s3(folder: PathBuf) -> s3::Settings {
    s3::Settings {
        folder,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        access_key_id: ACCESS_KEY_ID.to_owned(),
        secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        region: REGION.to_owned(),
    }
}

/// The URL of the local store.
pub(crate) fn store_url() -> String {
    format!("s3://{BUCKET}/{STORE}")
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
