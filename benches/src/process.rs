//! A runtime's process: started, watched, killed, and what it used.

use crate::runtime_api::RuntimeApi;
use crate::subject::Program;
use anyhow::Context as _;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running runtime. Only one process of this program may end while another is measured: what ended processes used is
/// only known as a sum.
pub(crate) struct Process {
    child: Child,
    /// When it was started.
    pub(crate) started: Instant,
    used_before: Duration,
}

/// What a process used until it was killed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time, its own and the kernel's.
    pub(crate) processor: Duration,
    /// The most memory that was resident, in bytes.
    pub(crate) peak_memory: u64,
}

impl Process {
    /// Starts `program` on `api`. It gets the variables that Lambda sets, and nothing of this process's.
    pub(crate) fn start(program: &Program, api: &RuntimeApi) -> anyhow::Result<Self> {
        let mut command = Command::new(&program.executable);
        command.args(&program.arguments).env_clear();
        command.envs(lambda_environment(api)).envs(program.environment.iter().cloned());
        // What a runtime complains of is worth seeing.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        if let Some(folder) = &program.folder {
            command.current_dir(folder);
        }
        let used_before = ended_children()?;
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.executable.display()))?;
        Ok(Self { child, started, used_before })
    }

    /// Kills it and says what it used.
    pub(crate) fn end(mut self) -> anyhow::Result<Usage> {
        let peak_memory = peak_memory(self.child.id())?;
        self.child.kill()?;
        self.child.wait()?;
        let processor = ended_children()?.saturating_sub(self.used_before);
        Ok(Usage { processor, peak_memory })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone when `end` was called.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lambda_environment(api: &RuntimeApi) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_REGION", "us-east-1"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect::<Vec<_>>();
    variables.push(("AWS_LAMBDA_RUNTIME_API", api.address()));
    variables
}

fn ended_children() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let used = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(used)?))
}

/// `VmHWM` of the process: the peak of its resident memory, pages of mapped files included.
fn peak_memory(id: u32) -> anyhow::Result<u64> {
    let status = fs_err::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.context("/proc has no VmHWM; run this on Linux")?.parse()?;
    Ok(kilobytes << 10)
}
