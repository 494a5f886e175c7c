//! Starts processes that cannot outlive this one, and signals them with all their children.
//!
//! On Linux the kernel kills a sandbox when its parent *thread* ends, so one thread of our own starts them all: it lives
//! as long as the function, where a thread of the async runtime may come and go.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

/// The thread that starts processes; those that live when it is dropped are killed.
pub(crate) struct Launcher {
    orders: mpsc::Sender<Order>,
}

struct Order {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Launcher {
    /// Must be called inside a Tokio runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        let runtime = Handle::current();
        thread::Builder::new().name("lambda-launcher".to_owned()).spawn(move || {
            let _runtime = runtime.enter();
            for Order { mut command, reply } in received {
                // A caller that no longer waits drops the child, which kills it.
                drop(reply.send(command.spawn()));
            }
        })?;
        Ok(Self { orders })
    }

    /// Starts a process in a group of its own, with its outputs piped.
    pub(crate) async fn launch(&self, mut command: Command) -> io::Result<Child> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        die_with_parent(&mut command);
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the launcher thread is gone");
        self.orders.send(Order { command, reply }).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "only between fork and exec can a process ask to die with its parent"
)]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let ask = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the call above.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(rustix::io::Errno::SRCH.into())
        }
    };
    // SAFETY: the closure makes two system calls and allocates nothing, which is allowed between fork and exec.
    unsafe { command.pre_exec(ask) };
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}

/// A running process, with the group of all that it starts.
pub(crate) struct Process {
    group: Option<Pid>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Watches `child` until it exits.
    pub(crate) fn watch(mut child: Child) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let (exited, exit) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            // What the process started and left behind goes with it.
            signal(group, Signal::KILL);
            exited.send_replace(Some(status));
        });
        Self { group, exit }
    }

    /// Waits for the exit.
    pub(crate) async fn exited(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await;
        status.ok().and_then(|status| *status).unwrap_or_default()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Stops every process of the group where it stands.
    pub(crate) fn freeze(&self) {
        self.send(Signal::STOP);
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.send(Signal::CONT);
    }

    /// Asks them to end; one that is frozen has to go on to hear it.
    pub(crate) fn terminate(&self) {
        self.send(Signal::TERM);
        self.thaw();
    }

    pub(crate) fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// The most memory the process ever held, in bytes, where the system tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status =
            fs_err::read_to_string(format!("/proc/{}/status", self.group?.as_raw_nonzero()))
                .ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    fn send(&self, what: Signal) {
        // After the exit the number may be another process's.
        if self.is_alive() {
            signal(self.group, what);
        }
    }
}

fn signal(group: Option<Pid>, what: Signal) {
    if let Some(group) = group {
        // A group that is gone needs no signal.
        let _ = kill_process_group(group, what);
    }
}
