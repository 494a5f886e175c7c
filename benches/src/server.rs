//! A web server's process: started, asked, watched, ended.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use nix::time::ClockId;
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server.
pub(crate) struct Server {
    child: Child,
    clock: ClockId,
    /// `127.0.0.1:8080`.
    address: String,
}

impl Server {
    /// Starts the command, which must say on standard error where it is serving: `Serving http://127.0.0.1:8080`.
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(child.id().cast_signed()))?;
        let mut output = BufReader::new(child.stderr.take().context("no standard error")?);
        // Owns the process from here on, whatever fails.
        let mut server = Self { child, clock, address: String::new() };
        let mut said = String::new();
        while server.address.is_empty() {
            let mut line = String::new();
            ensure!(output.read_line(&mut line)? > 0, "the server ended: {said}");
            let url = line.split_once("http://").filter(|(before, _)| before.contains("Serving"));
            if let Some((_, url)) = url {
                let end = url.find([' ', '/', '\n']).unwrap_or(url.len());
                url.get(..end).unwrap_or_default().clone_into(&mut server.address);
            }
            said.push_str(&line);
        }
        // Read on, or a server that has much to say would wait for it.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        Ok(server)
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The processor time that all its threads used until now.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        Ok(self.clock.now()?.into())
    }

    /// Asks for a path and gives the body of the answer, which must be a success.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Bytes> {
        let stream = tokio::net::TcpStream::connect(&self.address).await?;
        let (mut sender, driver) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(driver);
        let request = http::Request::get(path).header("host", &self.address);
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        ensure!(response.status().is_success(), "{path}: {}", response.status());
        let body = response.into_body().collect().await?.to_bytes();
        driver.abort();
        Ok(body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
