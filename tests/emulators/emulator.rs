//! A running emulator: its processes, how it is invoked, and which process is the host.

use crate::checks::Check;
use anyhow::{Context as _, ensure};
use lambkin_tests::case::{Content, Request};
use lambkin_tests::client::{self, Answer};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long an emulator may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running emulator with one function.
pub(crate) struct Emulator {
    /// Where it takes invocations.
    pub(crate) address: SocketAddr,
    /// What it calls the function.
    pub(crate) function: &'static str,
    /// The last one started is the first one ended.
    processes: Vec<Process>,
    folder: TempDir,
}

/// A process that is asked to end, with what it started, when this is dropped.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Emulator {
    /// An emulator without a process yet.
    pub(crate) fn new(address: SocketAddr, function: &'static str) -> anyhow::Result<Self> {
        Ok(Self { address, function, processes: Vec::new(), folder: tempfile::tempdir()? })
    }

    /// A folder of this emulator's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts one of its processes, with its output in a file.
    pub(crate) fn start(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = self.folder.path().join(format!("{}.log", self.processes.len()));
        let output = fs_err::File::create(&log)?.into_file();
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("could not start {name}"))?;
        self.processes.push(Process { child, log });
        Ok(())
    }

    /// Waits until somebody listens at the emulator's address.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            for process in &mut self.processes {
                let ended = process.child.try_wait()?;
                ensure!(ended.is_none(), "the emulator ended at once:\n{}", process.output());
            }
            ensure!(started.elapsed() < PATIENCE, "nobody listens at {}", self.address);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Runs one check, and holds that one host process has lived through it.
    pub(crate) async fn run(&mut self, check: &Check) -> anyhow::Result<()> {
        let outcome = async {
            // The first invocation brings the host up where the emulator starts it.
            (crate::checks::FIRST.run)(self).await?;
            let before = self.host()?;
            (check.run)(self).await?;
            let after = self.host()?;
            ensure!(before == after, "the host was process {before} and is process {after}");
            Ok(())
        };
        let outcome: anyhow::Result<()> = outcome.await;
        outcome.with_context(|| format!("the output is:\n{}\n", self.output()))
    }

    /// Invokes the function as AWS's own call does, with an event.
    pub(crate) async fn invoke(&self, event: &str) -> anyhow::Result<Answer> {
        let request = Request {
            method: "POST".to_owned(),
            path: format!("/2015-03-31/functions/{}/invocations", self.function),
            query: None,
            headers: BTreeMap::new(),
            body: Some(Content::Json(event.to_owned())),
        };
        client::send(self.address, &request).await
    }

    /// The host's process: the only one of these processes, and of those that they have started, that is a `bootstrap`.
    fn host(&self) -> anyhow::Result<u32> {
        let mut hosts = Vec::new();
        for process in &self.processes {
            let parent = process.child.id();
            hosts.extend(children(parent)?.into_iter().chain([parent]).filter(|id| is_host(*id)));
        }
        let [host] = hosts.as_slice() else {
            anyhow::bail!("there is not one host but {}", hosts.len());
        };
        Ok(*host)
    }

    /// What its processes have printed.
    pub(crate) fn output(&self) -> String {
        self.processes.iter().map(Process::output).collect()
    }
}

impl Process {
    fn output(&self) -> String {
        fs_err::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        while self.processes.pop().is_some() {}
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked to terminate, an emulator ends the host that it has started; killed, it would leave it behind.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            // It may have ended by itself.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A port that nobody listens at.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// What `parent` has started. The emulators run on Linux, as Lambda does.
fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs_err::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        // A process may end while the list is read.
        let Ok(stat) = fs_err::read_to_string(format!("/proc/{id}/stat")) else { continue };
        // The name, in parentheses, may hold anything; the state and the parent come after it.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        if fields.split_whitespace().nth(1) == Some(parent.to_string().as_str()) {
            children.push(id);
        }
    }
    Ok(children)
}

fn is_host(id: u32) -> bool {
    fs_err::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim() == "bootstrap")
}
