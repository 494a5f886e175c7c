//! The local cloud around the apps under test: one embedded S3 for all, a function and an HTTP API for each.

use crate::log::Log;
use crate::programs::{self, Programs};
use anyhow::Context as _;
use lambkin_local_cloud::api_gateway::{self, Definition};
use lambkin_local_cloud::{lambda, s3};
use lambkin_protocol::manifest::Manifest;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const BUCKET: &str = "lambkin-tests";
const ACCESS_KEY_ID: &str = "tests";
const SECRET_ACCESS_KEY: &str = "tests-secret";
const REGION: &str = "us-east-1";

/// What the function may take: more than any component's own limit, so that the host's limit is the one that counts.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Where an app is published to and served from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The embedded S3.
    S3,
    /// A folder.
    Folder,
    /// The S3 server that `LAMBKIN_TEST_S3_*` names.
    Peer,
}

/// An S3 server and a bucket of it.
#[derive(Debug, Clone)]
pub struct S3Server {
    endpoint: String,
    bucket: String,
    access_key_id: String,
    secret_access_key: String,
}

/// The independent S3 server to test against, when `LAMBKIN_TEST_S3_*` names one.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests are told of the server by the environment"
)]
pub fn peer() -> Option<S3Server> {
    let variable = |name: &str| std::env::var(format!("LAMBKIN_TEST_S3_{name}")).ok();
    Some(S3Server {
        endpoint: variable("ENDPOINT")?,
        bucket: variable("BUCKET")?,
        access_key_id: variable("ACCESS_KEY_ID")?,
        secret_access_key: variable("SECRET_ACCESS_KEY")?,
    })
}

/// The services that all apps share.
pub struct Cloud {
    s3: s3::Server,
    folder: TempDir,
    programs: Programs,
}

/// One app as its clients see it.
pub struct Served {
    api: api_gateway::Server,
    function: lambda::Function,
    log: Arc<Log>,
}

impl Cloud {
    /// Starts the embedded S3.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let s3 = s3::Server::start(s3::Settings {
            folder: folder.path().join("s3"),
            address: loopback(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            region: REGION.to_owned(),
        })
        .await?;
        s3.create_bucket(BUCKET).await?;
        Ok(Self { s3, folder, programs: Programs::find()? })
    }

    /// The programs under test.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// What `lambkin` and the host must know to reach `store`.
    pub fn environment(&self, store: Store) -> BTreeMap<String, String> {
        let mut server = S3Server {
            endpoint: self.s3.endpoint(),
            bucket: BUCKET.to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        };
        if let (Store::Peer, Some(peer)) = (store, peer()) {
            server = peer;
        }
        let url = match store {
            Store::S3 => format!("s3://{}/store", server.bucket),
            // The server may hold what an earlier run left.
            Store::Peer => format!("s3://{}/conformance-{}", server.bucket, std::process::id()),
            Store::Folder => format!("file://{}", self.folder.path().join("store").display()),
        };
        let pairs = [
            ("LAMBKIN_STORE", url),
            ("AWS_ENDPOINT_URL_S3", server.endpoint),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", server.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", server.secret_access_key),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Publishes the app in `folder` for this machine, as a user does.
    pub fn publish(&self, folder: &Path, store: Store) -> anyhow::Result<()> {
        let mut command = Command::new(&self.programs.lambkin);
        command.args(["publish", "--alias", "live", "--target", std::env::consts::ARCH]);
        programs::run(command.current_dir(folder).envs(self.environment(store))).map(drop)
    }

    /// What a host that serves the published `app` from `store` is told.
    pub fn host_environment(
        &self,
        app: &str,
        store: Store,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let mut environment = self.environment(store);
        environment.insert("LAMBKIN_APP".to_owned(), format!("{app}@live"));
        environment.insert("LAMBKIN_CACHE_DIR".to_owned(), self.cache(app, store)?);
        // A server that a guest may be granted is the test's own, on loopback.
        environment.insert("LAMBKIN_ALLOW_PRIVATE_NETWORK".to_owned(), "1".to_owned());
        Ok(environment)
    }

    /// Serves the published app of `manifest` from `store`, by one host process.
    pub async fn serve(&self, manifest: &Manifest, store: Store) -> anyhow::Result<Served> {
        let app = manifest.app.name.as_str();
        let environment = self.host_environment(app, store)?;
        let log = Arc::new(Log::default());
        let lines = Arc::clone(&log);
        let function = lambda::Function::start(lambda::Settings {
            memory_mb: 1024,
            timeout: FUNCTION_TIMEOUT,
            environment,
            max_sandboxes: 1,
            on_log: Arc::new(move |line| lines.push(line)),
            ..lambda::Settings::new(&self.programs.bootstrap, app)
        })?;
        let settings =
            api_gateway::Settings::new(loopback(), Definition::from(manifest), function.clone());
        let api = api_gateway::Server::start(settings).await?;
        Ok(Served { api, function, log })
    }

    fn cache(&self, app: &str, store: Store) -> anyhow::Result<String> {
        let folder = self.folder.path().join("cache").join(format!("{app}-{store:?}"));
        fs_err::create_dir_all(&folder)?;
        let text = folder.to_str().context("the temporary folder's path is not UTF-8")?;
        Ok(text.to_owned())
    }

    /// A folder for the intermediate files of one run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Served {
    /// Where the HTTP API listens.
    pub fn address(&self) -> SocketAddr {
        self.api.address()
    }

    /// What the function logs.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Ends the API and the host's process.
    pub async fn stop(self) {
        self.api.stop().await;
        self.function.stop().await;
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
