//! The local cloud around one app: embedded S3, the local Lambda with the real host, and an HTTP API in front.

use super::ALIAS;
use crate::args;
use crate::hint::WithHint as _;
use crate::output::Output;
use crate::project::Project;
use anyhow::Result;
use lambkin_local_cloud::api_gateway::{self, Definition};
use lambkin_local_cloud::{lambda, s3};
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

/// API Gateway's limit for an HTTP API's integration.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const TIMEOUT: Duration = Duration::from_secs(30);

/// The running services.
pub(crate) struct Cloud {
    s3: s3::Server,
    function: lambda::Function,
    api: api_gateway::Server,
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
        let api = api_gateway::Server::start(api_gateway::Settings {
            on_request: Arc::new(move |access| {
                let text =
                    format!("{} {} {} ms", access.method, access.path, access.duration.as_millis());
                output.line(&access.status.as_u16().to_string(), &text);
                if let Some(why) = &access.error {
                    output.line("", why);
                }
            }),
            ..api_gateway::Settings::new(
                arguments.listen,
                Definition::from(&project.manifest),
                function.clone(),
            )
        })
        .await
        .with_hint(
            format!("the app cannot be served on {}", arguments.listen),
            "another program may listen there: choose another address with --listen 127.0.0.1:3001",
        )?;
        Ok(Self { s3, function, api })
    }

    /// The local store.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(Store::open(&store_url(), &access(&self.s3.endpoint()))?)
    }

    /// Where the app is served.
    pub(crate) fn address(&self) -> SocketAddr {
        self.api.address()
    }

    /// Lets the API know the app's routes and settings, as a deployment would.
    pub(crate) fn deploy(&self, project: &Project) -> Result<()> {
        Ok(self.api.deploy(Definition::from(&project.manifest))?)
    }

    /// Ends every service and process.
    pub(crate) async fn stop(self) {
        self.api.stop().await;
        self.function.stop().await;
        self.s3.stop().await;
    }
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
