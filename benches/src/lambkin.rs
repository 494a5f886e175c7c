//! The store that the host reads: the embedded S3, and apps published to it as a user publishes them.

use anyhow::ensure;
use lambkin_local_cloud::s3;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

const BUCKET: &str = "bench";
const CREDENTIAL: &str = "bench";

/// A running S3 server with a bucket.
pub(crate) struct Store {
    server: s3::Server,
}

impl Store {
    /// Starts the server on a free port of the loopback interface, with its data below `folder`.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let server = s3::Server::start(s3::Settings {
            folder: folder.join("s3"),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            access_key_id: CREDENTIAL.to_owned(),
            secret_access_key: CREDENTIAL.to_owned(),
            region: "us-east-1".to_owned(),
        })
        .await?;
        server.create_bucket(BUCKET).await?;
        Ok(Self { server })
    }

    /// What `lambkin` and the host must know to reach it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("LAMBKIN_STORE", format!("s3://{BUCKET}/store")),
            ("AWS_ENDPOINT_URL_S3", self.server.endpoint()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", CREDENTIAL.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIAL.to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Builds and publishes the app in `folder` for this machine's processor.
    pub(crate) fn publish(&self, lambkin: &Path, folder: &Path) -> anyhow::Result<()> {
        let mut command = Command::new(lambkin);
        command.args(["publish", "--alias", "live", "--target", std::env::consts::ARCH]);
        command.current_dir(folder).envs(self.environment());
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(
            output.status.success(),
            "{} could not be published:\n{}",
            folder.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}
