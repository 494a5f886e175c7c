//! An S3 server that nobody here wrote, for the length of the tests: `SeaweedFS`, on loopback.
//!
//! What the tests are told of it are the variables `LAMBKIN_TEST_S3_*`; without the server they say what they skip.

use crate::setup::python;
use crate::{config::Config, shell};
use anyhow::Context as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ACCESS_KEY_ID: &str = "tests";
const SECRET_ACCESS_KEY: &str = "tests-secret";
const BUCKET: &str = "lambkin-tests";

/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The running server; it ends when this is dropped.
pub(crate) struct S3Peer {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl S3Peer {
    /// Starts the server, if it is installed.
    pub(crate) fn start(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(weed) = python::SEAWEEDFS.find(config) else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let identities = folder.path().join("identities.json");
        fs_err::write(&identities, identity())?;
        let port = free_port()?;
        let mut command =
            shell::command(weed, &["mini", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"], folder.path());
        command
            .args([
                "-master.telemetry=false",
                "-admin.ui=false",
                "-webdav=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ])
            .args([
                format!("-s3.port={port}"),
                format!("-bucket={BUCKET}"),
                format!("-dir={}", folder.path().display()),
            ])
            .arg(format!("-s3.config={}", identities.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().context("SeaweedFS cannot be started")?;
        let mut peer = Self { process, port, _folder: folder };
        peer.wait()?;
        Ok(Some(peer))
    }

    /// Tells a test where the server is.
    pub(crate) fn name_to(&self, command: &mut Command) {
        command
            .env("LAMBKIN_TEST_S3_ENDPOINT", format!("http://127.0.0.1:{}", self.port))
            .env("LAMBKIN_TEST_S3_BUCKET", BUCKET)
            .env("LAMBKIN_TEST_S3_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("LAMBKIN_TEST_S3_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            anyhow::ensure!(self.process.try_wait()?.is_none(), "SeaweedFS ended at once");
            anyhow::ensure!(started.elapsed() < PATIENCE, "SeaweedFS does not listen");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for S3Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// `SeaweedFS`'s file of identities: one who may do everything.
fn identity() -> String {
    format!(
        r#"{{"identities": [{{"name": "tests", "credentials": [{{"accessKey": "{ACCESS_KEY_ID}", "secretKey": "{SECRET_ACCESS_KEY}"}}], "actions": ["Admin", "Read", "List", "Tagging", "Write"]}}]}}"#
    )
}
