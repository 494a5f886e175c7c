//! A share of one processor, as Lambda gives it to a small function: a control group's quota where one can be had, else
//! stopping and continuing the process.
//!
//! Lambda gives 1,769 MB one whole processor and other sizes their proportion
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>), and Init a whole one.

use crate::process::Process;
use crate::statistics::milliseconds;
use anyhow::{Context as _, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a quota counts, in microseconds.
const PERIOD: u32 = 20_000;

/// How a share is enforced on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Means {
    /// `cpu.max` of control groups version 2, below this folder.
    Version2(PathBuf),
    /// `cpu.cfs_quota_us` of control groups version 1, below this folder.
    Version1(PathBuf),
    /// `SIGSTOP` and `SIGCONT`, as no control group can be made.
    Signals,
}

impl Means {
    /// The best that this machine lets us do.
    pub(crate) fn find() -> Self {
        let (unified, old) = (Path::new("/sys/fs/cgroup"), Path::new("/sys/fs/cgroup/cpu"));
        // The controller may not be handed down yet; where it must not be, setting the limit fails below.
        let _ = set(&unified.join("cgroup.subtree_control"), "+cpu");
        let candidates = [Self::Version2(unified.to_owned()), Self::Version1(old.to_owned())];
        let usable = |means: &Self| Group::new(means).is_ok_and(|group| group.limit(50).is_ok());
        candidates.into_iter().find(usable).unwrap_or(Self::Signals)
    }

    /// How the tables name it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Version2(_) => "cgroup v2, cpu.max",
            Self::Version1(_) => "cgroup v1, cpu.cfs_quota_us",
            Self::Signals => "SIGSTOP and SIGCONT: no cgroup can be made here",
        }
    }
}

/// A process under a quota that can be changed. It has a whole processor, and more, until [`Share::limit`] is called.
#[derive(Debug)]
pub(crate) enum Share {
    /// In a control group.
    Group(Group),
    /// Stopped and continued by a thread.
    Signals(Signals),
}

impl Share {
    /// Takes hold of `process`.
    pub(crate) fn of(process: &Process, means: &Means) -> anyhow::Result<Self> {
        if *means == Means::Signals {
            return Ok(Self::Signals(Signals::start(process.id())));
        }
        let group = Group::new(means)?;
        set(&group.folder.join("cgroup.procs"), &process.id().to_string())?;
        Ok(Self::Group(group))
    }

    /// Gives it `percent` of one processor from now on.
    pub(crate) fn limit(&self, percent: u32) -> anyhow::Result<()> {
        match self {
            Self::Group(group) => group.limit(percent),
            Self::Signals(signals) => {
                signals.percent.store(percent, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

/// A control group of our own, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
    is_version_1: bool,
}

impl Group {
    fn new(means: &Means) -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (parent, is_version_1) = match means {
            Means::Version2(folder) => (folder, false),
            Means::Version1(folder) => (folder, true),
            Means::Signals => anyhow::bail!("signals need no control group"),
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let processes = parent.join("cgroup.procs");
        ensure!(processes.exists(), "{} holds no control groups", parent.display());
        let folder = parent.join(format!("lambkin-bench-{}-{number}", std::process::id()));
        fs_err::create_dir(&folder)?;
        Ok(Self { folder, is_version_1 })
    }

    fn limit(&self, percent: u32) -> anyhow::Result<()> {
        let quota = PERIOD / 100 * percent;
        if self.is_version_1 {
            set(&self.folder.join("cpu.cfs_period_us"), &PERIOD.to_string())?;
            set(&self.folder.join("cpu.cfs_quota_us"), &quota.to_string())?;
        } else {
            set(&self.folder.join("cpu.max"), &format!("{quota} {PERIOD}"))?;
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that was just killed leaves the group a moment later; the next attempt finds it empty.
        for _ in 0..50 {
            if fs_err::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Writes to a file of the kernel's. One that is not there is not made.
fn set(file: &Path, value: &str) -> std::io::Result<()> {
    fs_err::OpenOptions::new().write(true).open(file)?.write_all(value.as_bytes())
}

/// The thread that stops and continues a process.
#[derive(Debug)]
pub(crate) struct Signals {
    percent: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    fn start(id: u32) -> Self {
        let (percent, over) = (Arc::new(AtomicU32::new(100)), Arc::new(AtomicBool::new(false)));
        let (share, ended) = (Arc::clone(&percent), Arc::clone(&over));
        let process = Pid::from_raw(id.cast_signed());
        let period = Duration::from_micros(PERIOD.into());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let running = period * share.load(Ordering::Relaxed).min(100) / 100;
                let stopped = period.saturating_sub(running);
                let _ = kill(process, Signal::SIGCONT);
                std::thread::sleep(running);
                if !stopped.is_zero() {
                    let _ = kill(process, Signal::SIGSTOP);
                    std::thread::sleep(stopped);
                }
            }
        });
        Self { percent, over, thread: Some(thread) }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a program that never waits gets under `percent`, in percent of one processor: whether the quota holds.
pub(crate) fn proof(means: &Means, percent: u32) -> anyhow::Result<f64> {
    let api = crate::runtime_api::RuntimeApi::start()?;
    let mut program = crate::subject::Program::new(Path::new("/bin/sh"));
    program.arguments = ["-c", "while :; do :; done"].map(Into::into).to_vec();
    let process = Process::start(&program, &api)?;
    let share = Share::of(&process, means)?;
    share.limit(percent)?;
    let watched = Duration::from_millis(400);
    let before = process.processor().context("the clock of a process")?;
    std::thread::sleep(watched);
    let used = process.processor()?.saturating_sub(before);
    drop(process);
    drop(share);
    Ok(100.0 * milliseconds(used) / milliseconds(watched))
}
