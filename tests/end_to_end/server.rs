//! `lambkin` as a server in a process of its own, and what it prints.

use lambkin_tests::programs::Programs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long something may take to be said, or to end.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The process; it ends with this value.
pub(crate) struct Server {
    pub(crate) child: Child,
    lines: Receiver<String>,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `lambkin` with what `prepare` gives it, and waits until it serves.
    pub(crate) fn start(prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(Programs::find().unwrap().lambkin);
        prepare(&mut command);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { child, lines, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let serving = server.wait_for("Serving");
        let url = serving.split_once("http://").unwrap().1;
        server.address = url.split_whitespace().next().unwrap().parse().unwrap();
        server
    }

    /// The next line that has `text`.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_longer_for(text, PATIENCE)
    }

    /// The same, of what takes its time.
    pub(crate) fn wait_longer_for(&self, text: &str, patience: Duration) -> String {
        let (deadline, mut seen) = (Instant::now() + patience, Vec::new());
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line has {text:?}; there are:\n{}", seen.join("\n"))
                }
            }
        }
    }

    /// The next line, whatever it says.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether a line with `text` comes before it has been silent for so long.
    pub(crate) fn says_within(&self, text: &str, quiet: Duration) -> bool {
        std::iter::from_fn(|| self.lines.recv_timeout(quiet).ok()).any(|line| line.contains(text))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
