//! A Runtime API server that hands out one event a number of times, always the same, and then lets the host wait.
//!
//! Blocking and without any crate: it serves one process that is known
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use anyhow::{Context as _, bail, ensure};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The event of `benches`, as API Gateway sends it.
const EVENT: &str = include_str!("../../../benches/src/event.json");

/// What an answer must contain: a quick wrong answer is no result.
const EXPECTED: [&str; 2] = ["\"statusCode\":200", "Hello, world!"];

/// The same in each run: a deadline of the year 2100, and ids of one length.
const HEADERS: &str = "content-type: application/json\r\n\
    lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
    lambda-runtime-deadline-ms: 4102444800000\r\n\
    lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:count\r\n\
    lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n";

/// A running server; its threads end with the program.
pub(super) struct RuntimeApi {
    address: String,
    ended: Receiver<anyhow::Result<()>>,
}

struct Shared {
    calls: u64,
    handed_out: AtomicU64,
    end: Sender<anyhow::Result<()>>,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback interface, to hand out `calls` events.
    pub(super) fn start(calls: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?.to_string();
        let (end, ended) = channel();
        let shared = Arc::new(Shared { calls, handed_out: AtomicU64::new(0), end });
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    if let Err(error) = shared.serve(&connection) {
                        // Nobody listens any more when the measurement is over.
                        let _ = shared.end.send(Err(error));
                    }
                });
            }
        });
        Ok(Self { address, ended })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` says.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Whether all calls were answered, rightly, within `patience`; an error when one was not answered rightly.
    pub(super) fn is_over(&self, patience: Duration) -> anyhow::Result<bool> {
        match self.ended.recv_timeout(patience) {
            Ok(result) => result.map(|()| true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => bail!("the Runtime API's thread has ended"),
        }
    }
}

impl Shared {
    /// Answers the requests of one connection until it is closed, or the events are used up.
    fn serve(&self, connection: &TcpStream) -> anyhow::Result<()> {
        connection.set_nodelay(true)?;
        let mut reader = BufReader::new(connection);
        while let Some(request) = Request::read(&mut reader)? {
            let answer = if request.path.ends_with("/invocation/next") {
                if self.handed_out.fetch_add(1, Ordering::SeqCst) == self.calls {
                    // The host has answered everything, and waits for as long as this connection is open.
                    let _ = self.end.send(Ok(()));
                    loop {
                        std::thread::park();
                    }
                }
                format!(
                    "HTTP/1.1 200 OK\r\n{HEADERS}content-length: {}\r\n\r\n{EVENT}",
                    EVENT.len()
                )
            } else {
                request.check()?;
                "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
            };
            let mut connection = connection;
            connection.write_all(answer.as_bytes())?;
        }
        Ok(())
    }
}

struct Request {
    path: String,
    body: String,
}

impl Request {
    /// Reads a request with a body of known length, as the host sends them; `None` at the connection's end.
    fn read(reader: &mut BufReader<&TcpStream>) -> anyhow::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).context("a request without a path")?.to_owned();
        let mut length = 0;
        loop {
            line.clear();
            ensure!(reader.read_line(&mut line)? > 0, "a request without an end");
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().context("a request's length")?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Some(Self { path, body: String::from_utf8_lossy(&body).into_owned() }))
    }

    fn check(&self) -> anyhow::Result<()> {
        let is_right = EXPECTED.iter().all(|part| self.body.contains(part));
        ensure!(
            self.path.ends_with("/response") && is_right,
            "the host sent to {}: {}",
            self.path,
            self.body
        );
        Ok(())
    }
}
