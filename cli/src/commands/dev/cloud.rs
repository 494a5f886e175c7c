//! The local cloud around one app: embedded S3, the local Lambda with the real host, and an HTTP API in front.

use super::ALIAS;
use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::project::Project;
use anyhow::Result;
use lambkin_local_cloud::api_gateway::http_api;
use lambkin_local_cloud::{events, lambda, s3};
use lambkin_store::{S3Access, Store};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The bucket that the local store is in.
const BUCKET: &str = "lambkin";

/// Credentials of the embedded S3: they open nothing else.
const ACCESS_KEY_ID: &str = "local";
const SECRET_ACCESS_KEY: &str = "local-secret";
const REGION: &str = "us-east-1";

/// The account that local events come from: the one of AWS's own examples.
const ACCOUNT: &str = "123456789012";

/// API Gateway's limit for an HTTP API's integration.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const TIMEOUT: Duration = Duration::from_secs(30);

/// The running services.
pub(crate) struct Cloud {
    s3: s3::Server,
    function: lambda::Function,
    api: http_api::Server,
    events: events::Sources,
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
        s3.create_bucket(BUCKET).await?;
        create_buckets(&s3, project).await?;
        let app = &project.manifest.app.name;
        let mut environment = host_environment(&s3.endpoint(), app);
        environment.insert(
            "LAMBKIN_CACHE_DIR".to_owned(),
            project.work().join("cache").display().to_string(),
        );
        let function = lambda::Function::start(lambda::Settings {
            timeout: TIMEOUT,
            memory_mb: arguments.memory,
            max_sandboxes: arguments.max_sandboxes,
            on_log: Arc::new(move |line| print_log(&output, &line)),
            environment,
            ..lambda::Settings::new(bootstrap, app.as_str())
        })?;
        let events = event_sources(function.clone(), output);
        events.follow(&s3);
        let api = http_api::Server::start(http_api::Settings {
            on_request: Arc::new(move |access| {
                let text =
                    format!("{} {} {} ms", access.method, access.path, access.duration.as_millis());
                output.line(&access.status.as_u16().to_string(), &text);
            }),
            ..http_api::Settings::new(arguments.listen, routes(project), function.clone())
        })
        .await
        .with_hint(
            format!("the app cannot be served on {}", arguments.listen),
            "another program may listen there: choose another address with --listen 127.0.0.1:3001",
        )?;
        Ok(Self { s3, function, api, events })
    }

    /// The local store.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(Store::open(&store_url(), &access(&self.s3.endpoint()))?)
    }

    /// Where the app is served.
    pub(crate) fn address(&self) -> SocketAddr {
        self.api.address()
    }

    /// Lets the API know the app's routes, as a deployment would.
    pub(crate) fn set_routes(&self, project: &Project) -> Result<()> {
        Ok(self.api.set_routes(&routes(project))?)
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
        self.api.stop().await;
        self.function.stop().await;
        self.s3.stop().await;
    }
}

/// Creates the buckets that triggers name.
async fn create_buckets(s3: &s3::Server, project: &Project) -> Result<()> {
    for bucket in project.manifest.trigger.iter().filter_map(|trigger| trigger.bucket.as_deref()) {
        s3.create_bucket(bucket).await?;
    }
    Ok(())
}

fn event_sources(function: lambda::Function, output: Output) -> events::Sources {
    let place = events::Place { region: REGION.to_owned(), account: ACCOUNT.to_owned() };
    let failed = move |failure: String| output.warn(&format!("an event failed: {failure}"));
    events::Sources::new(place, events::to_function(function, Arc::new(failed)))
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
fn host_environment(endpoint: &str, app: &str) -> BTreeMap<String, String> {
    let pairs = [
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

fn print_log(output: &Output, line: &lambda::LogLine) {
    super::super::logs::print(output, &line.text);
}

/// One route of the API for each method; none means any.
fn routes(project: &Project) -> Vec<http_api::Route> {
    let mut routes = Vec::new();
    for route in &project.manifest.route {
        match &route.methods {
            Some(methods) => routes.extend(methods.iter().map(|method| http_api::Route {
                method: Some(method.clone()),
                path: route.path.clone(),
            })),
            None => routes.push(http_api::Route { method: None, path: route.path.clone() }),
        }
    }
    routes
}
