//! A runtime's process: started, watched, killed, and what it used.

use crate::runtime_api::RuntimeApi;
use crate::subject::Program;
use anyhow::Context as _;
use nix::time::ClockId;
use nix::unistd::Pid;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running runtime.
pub(crate) struct Process {
    child: Child,
    clock: ClockId,
    /// When it was started.
    pub(crate) started: Instant,
}

impl Process {
    /// Starts `program` on `api`. It gets the variables that Lambda sets, and nothing of this process's. What it logs is
    /// dropped.
    pub(crate) fn start(program: &Program, api: &RuntimeApi) -> anyhow::Result<Self> {
        Self::start_with(program, api, Stdio::null())
    }

    /// The same, with what it logs kept in the file `log`.
    pub(crate) fn start_logged(
        program: &Program,
        api: &RuntimeApi,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        Self::start_with(program, api, file.into())
    }

    fn start_with(program: &Program, api: &RuntimeApi, log: Stdio) -> anyhow::Result<Self> {
        let mut command = Command::new(&program.executable);
        command.args(&program.arguments).env_clear();
        command.envs(lambda_environment(api)).envs(program.environment.iter().cloned());
        // What a runtime complains of is worth seeing.
        command.stdin(Stdio::null()).stdout(log).stderr(Stdio::inherit());
        if let Some(folder) = &program.folder {
            command.current_dir(folder);
        }
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.executable.display()))?;
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(child.id().cast_signed()))?;
        Ok(Self { child, clock, started })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that all its threads used until now, the kernel's work for them included.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        Ok(self.clock.now()?.into())
    }

    /// The most memory that was resident, in bytes (`VmHWM`: pages of mapped files included).
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// The memory that is resident now, in bytes (`VmRSS`: pages of mapped files included).
    pub(crate) fn resident_memory(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kilobytes: u64 = kilobytes
            .with_context(|| format!("/proc says nothing of {name}; run this on Linux"))?
            .parse()?;
        Ok(kilobytes << 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended by itself was reported by the call it failed.
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
