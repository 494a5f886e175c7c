//! A running `lambkin serve`, and connections to it.

use crate::server::{PATIENCE, Server};
use crate::stage::guest;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use lambkin_tests::case::Request;
use lambkin_tests::client::{self, Answer};
use lambkin_tests::programs::Programs;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// An app with both guests.
pub(crate) const GUEST: &str = "lambkin = 1\n\n[app]\nname = 'shop'\n\n\
    [component.web]\nlanguage = 'wasm'\nsource = 'web.wasm'\nenvironment = { VERSION = '1' }\n\n\
    [component.function]\nlanguage = 'wasm'\nsource = 'function.wasm'\n\n\
    [[route]]\npath = '/web/{proxy+}'\ncomponent = 'web'\n\n\
    [[route]]\npath = '/function/{id}'\ncomponent = 'function'\n";

/// A running `lambkin serve`.
pub(crate) struct Serve {
    server: Server,
    pub(crate) address: SocketAddr,
}

impl Serve {
    /// Serves the web guest at every path.
    pub(crate) fn web(arguments: &[&str]) -> Self {
        let file = guest("web");
        Self::start(&[&[file.to_str().unwrap()], arguments].concat())
    }

    /// Serves with these arguments, on a free port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &BTreeMap::new())
    }

    /// The same, in an environment.
    pub(crate) fn start_with(arguments: &[&str], environment: &BTreeMap<String, String>) -> Self {
        let server = Server::start(|command| {
            command.args(["serve", "--addr", "127.0.0.1:0"]).args(arguments).envs(environment);
        });
        Self { address: server.address, server }
    }

    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.server.wait_for(text)
    }

    /// Sends SIGTERM, as whatever runs services does.
    pub(crate) fn terminate(&self) {
        let status =
            Command::new("kill").args(["-TERM", &self.server.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end of the process.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.server.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Asks on a connection of its own.
pub(crate) async fn get(serve: &Serve, target: &str) -> Answer {
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    let query = query.map_or_else(String::new, |query| format!("\nquery = '{query}'"));
    let request: Request = toml::from_str(&format!("path = '{path}'{query}")).unwrap();
    client::send(serve.address, &request).await.unwrap()
}

/// A connection that is kept from one request to the next.
pub(crate) struct Connection<B> {
    sender: hyper::client::conn::http1::SendRequest<B>,
    host: String,
}

impl<B> Connection<B>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(crate) async fn open(serve: &Serve) -> Self {
        let stream = TcpStream::connect(serve.address).await.unwrap();
        let (sender, driver) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        Self { sender, host: serve.address.to_string() }
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: B,
    ) -> hyper::Result<http::Response<Incoming>> {
        self.sender.ready().await?;
        let request = http::Request::builder().method(method).uri(path).header("host", &self.host);
        self.sender.send_request(request.body(body).unwrap()).await
    }
}

/// A connection on which nothing is asked.
pub(crate) type Idle = Connection<Empty<Bytes>>;

/// Runs `lambkin`, which must fail, and gives what it says.
pub(crate) fn lambkin(arguments: &[&str], environment: &BTreeMap<String, String>) -> String {
    let mut command = Command::new(Programs::find().unwrap().lambkin);
    let output = command.args(arguments).envs(environment).stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} did not fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
