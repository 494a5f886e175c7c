//! Lambkin as its users have it: the embedded S3, apps that `lambkin publish` brings there, and the host.

use crate::arguments::Arguments;
use crate::report;
use crate::subject::Program;
use anyhow::ensure;
use lambkin_local_cloud::s3;
use lambkin_store::{Deadline, Expect, S3Access, Store};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The bucket that everything is in.
pub(crate) const BUCKET: &str = "bench";
/// The store that apps are published to.
pub(crate) const STORE: &str = "s3://bench/store";
const CREDENTIAL: &str = "bench";
const REGION: &str = "us-east-1";

/// A running S3 server with a bucket, and the programs that work with it.
pub(crate) struct Cloud {
    server: s3::Server,
    runtime: Runtime,
    folder: PathBuf,
    bootstrap: PathBuf,
    lambkin: PathBuf,
    apps: PathBuf,
    published: Mutex<BTreeSet<String>>,
}

impl Cloud {
    /// Starts the server on a free port of the loopback interface, with all data below `folder`.
    pub(crate) fn start(arguments: &Arguments, folder: &Path) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let server = runtime.block_on(async {
            let server = s3::Server::start(s3::Settings {
                folder: folder.join("s3"),
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                access_key_id: CREDENTIAL.to_owned(),
                secret_access_key: CREDENTIAL.to_owned(),
                region: REGION.to_owned(),
            })
            .await?;
            server.create_bucket(BUCKET).await?;
            anyhow::Ok(server)
        })?;
        Ok(Self {
            server,
            runtime,
            folder: folder.to_owned(),
            bootstrap: arguments.bootstrap.clone(),
            lambkin: arguments.lambkin.clone(),
            apps: arguments.apps.clone(),
            published: Mutex::default(),
        })
    }

    /// The folder for whatever a measurement leaves.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What an S3 client must know to reach the server.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ENDPOINT_URL_S3", self.server.endpoint()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", CREDENTIAL.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIAL.to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The host with its cache in `cache`; its store and app are the caller's to say.
    pub(crate) fn host(&self, cache: &Path) -> Program {
        let mut program = Program::new(&self.bootstrap);
        program.environment = self.environment();
        program.with("LAMBKIN_CACHE_DIR", cache.display().to_string())
    }

    /// The host's file.
    pub(crate) fn bootstrap(&self) -> &Path {
        &self.bootstrap
    }

    /// Runs `future` on the threads of the server.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The store at `url`, as the host reads it.
    pub(crate) fn store(&self, url: &str) -> anyhow::Result<Store> {
        let access = S3Access {
            endpoint: Some(self.server.endpoint()),
            region: REGION.to_owned(),
            access_key_id: CREDENTIAL.to_owned(),
            secret_access_key: CREDENTIAL.to_owned(),
            ..S3Access::default()
        };
        Ok(Store::open(url, &access)?)
    }

    /// Puts an object of 4 KB into the bucket and says where: `bucket/key`.
    pub(crate) fn put_small_object(&self) -> anyhow::Result<String> {
        let objects = self.store(&format!("s3://{BUCKET}"))?.objects();
        let deadline = Deadline::after(Duration::from_secs(10));
        let bytes = vec![b'x'; 4096].into();
        self.block_on(objects.put("small", bytes, Expect::Any, deadline))?;
        Ok(format!("{BUCKET}/small"))
    }

    /// Builds and publishes an app for this machine's processor, the first time that it is asked for.
    pub(crate) fn publish(&self, app: &str) -> anyhow::Result<()> {
        self.publish_manifest(app, "lambkin.toml")
    }

    /// The same, by another manifest in the app's folder.
    pub(crate) fn publish_manifest(&self, app: &str, manifest: &str) -> anyhow::Result<()> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if !published.insert(format!("{app}/{manifest}")) {
            return Ok(());
        }
        report::say(&format!("publishing {app}"));
        self.publish_project(STORE, &self.apps.join(app).join(manifest))
    }

    /// Builds and publishes an app to a store of its own, `url`.
    pub(crate) fn publish_to(&self, url: &str, app: &str) -> anyhow::Result<()> {
        report::say(&format!("publishing {app} to {url}"));
        self.publish_project(url, &self.apps.join(app))
    }

    fn publish_project(&self, url: &str, project: &Path) -> anyhow::Result<()> {
        let mut command = self.lambkin();
        command.args(["publish", "--alias", "live", "--target", std::env::consts::ARCH]);
        command.arg("--store").arg(url).arg("--project").arg(project);
        run(command, &format!("{} could not be published", project.display()))
    }

    /// Builds an app without publishing it; where its component `name` lies then.
    pub(crate) fn build(&self, app: &str, name: &str) -> anyhow::Result<PathBuf> {
        report::say(&format!("building {app}"));
        let folder = self.apps.join(app);
        let mut command = self.lambkin();
        command.args(["build", "--project"]).arg(&folder);
        run(command, &format!("{app} could not be built"))?;
        Ok(folder.join(".lambkin/components").join(name).with_extension("wasm"))
    }

    /// Packs what an alias points to, `app@alias`, with the host into `zip`.
    pub(crate) fn package(&self, app: &str, zip: &Path) -> anyhow::Result<()> {
        let mut command = self.lambkin();
        command.args(["package", "--app", app, "--output"]).arg(zip);
        command.arg("--bootstrap").arg(&self.bootstrap);
        run(command, &format!("{app} could not be packed"))
    }

    fn lambkin(&self) -> Command {
        let mut command = Command::new(&self.lambkin);
        command.envs(self.environment()).env("LAMBKIN_STORE", STORE);
        command
    }
}

fn run(mut command: Command, failed: &str) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{failed}:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
