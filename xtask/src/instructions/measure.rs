//! Runs the host under callgrind, and counts.

use super::callgrind::{self, Profile};
use super::runtime_api::RuntimeApi;
use crate::setup::valgrind;
use crate::{config::Config, shell};
use anyhow::{Context as _, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The apps of `benches/apps` that are measured.
const APPS: [&str; 2] = ["rust-function", "rust-http"];

/// Calls of the longer run beside the first. The more, the less of what varies is left of one.
const CALLS: u64 = 30;

/// How long a run may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Looks in a row at which every thread must sleep before a process is taken to have nothing left to do.
const QUIET_LOOKS: u32 = 10;

/// What is measured: the host, the apps in a store, and a place for what the host keeps on disk.
pub(super) struct Bench<'config> {
    config: &'config Config,
    host: PathBuf,
    store: Option<Bucket>,
    folder: tempfile::TempDir,
}

/// A store in S3.
pub(crate) struct Bucket {
    /// `s3://bucket/prefix`.
    pub(crate) url: String,
    /// What the AWS SDK reads of the environment.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl<'config> Bench<'config> {
    /// Publishes the apps to a folder, and runs the host once for each without counting: that fills the cache on disk.
    pub(super) fn set_up(config: &'config Config, host: PathBuf) -> anyhow::Result<Self> {
        let bench = Self { config, host, store: None, folder: tempfile::tempdir()? };
        for app in APPS {
            bench.publish(app)?;
            bench.serve(app, 1, Command::new(&bench.host))?;
        }
        Ok(bench)
    }

    /// Publishes the apps to S3; nothing of them is on disk.
    pub(super) fn in_s3(
        config: &'config Config,
        host: PathBuf,
        store: Bucket,
    ) -> anyhow::Result<Self> {
        let bench = Self { config, host, store: Some(store), folder: tempfile::tempdir()? };
        APPS.iter().try_for_each(|app| bench.publish(app))?;
        Ok(bench)
    }

    /// The symbols of the functions that the host runs until its first answers, in no order.
    pub(super) fn functions(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut functions = BTreeSet::new();
        for app in APPS {
            functions.extend(callgrind::functions(&self.run(app, 1, &["--demangle=no"])?));
        }
        Ok(functions)
    }

    /// Counts everything once: each profile with its name.
    pub(super) fn count(&self) -> anyhow::Result<Vec<(String, Profile)>> {
        let mut profiles = Vec::new();
        for app in APPS {
            let first = self.profile(app, 1)?;
            let more = self.profile(app, 1 + CALLS)?;
            let call = more.per_call(&first, CALLS);
            profiles.push((format!("{app}, first answer"), first));
            profiles.push((format!("{app}, warm call"), call));
        }
        Ok(profiles)
    }

    fn publish(&self, app: &str) -> anyhow::Result<()> {
        let folder = self.config.root.join("benches/apps").join(app);
        let target = std::env::consts::ARCH;
        let mut command = shell::command(
            self.config.program("lambkin"),
            &["publish", "--alias", "live", "--target", target, "--store", &self.store()],
            &folder,
        );
        command.envs(self.variables());
        let output = command.output().context("lambkin cannot be started")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{app} could not be published:\n{errors}");
        Ok(())
    }

    fn store(&self) -> String {
        let folder = || format!("file://{}", self.path("store").display());
        self.store.as_ref().map_or_else(folder, |bucket| bucket.url.clone())
    }

    /// What the store needs of the environment.
    fn variables(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.store.iter().flat_map(|bucket| bucket.variables.clone())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn profile(&self, app: &str, calls: u64) -> anyhow::Result<Profile> {
        Profile::parse(&self.run(app, calls, &[])?)
    }

    /// The text of a profile.
    fn run(&self, app: &str, calls: u64, options: &[&str]) -> anyhow::Result<String> {
        let file = self.path("profile");
        let mut command = valgrind::callgrind(self.config)
            .context("valgrind is missing: `cargo xtask setup` says how to get it")?;
        command.arg("--quiet").arg(format!("--callgrind-out-file={}", file.display()));
        command.args(options).arg(&self.host);
        self.serve(app, calls, command)?;
        let profile = fs_err::read_to_string(&file)?;
        fs_err::remove_file(&file)?;
        Ok(profile)
    }

    /// Runs `command`, which is the host, until it has answered `calls` events and waits for the next.
    fn serve(&self, app: &str, calls: u64, mut command: Command) -> anyhow::Result<()> {
        let api = RuntimeApi::start(calls)?;
        // valgrind finds itself by these two; the host is to see the same on every machine.
        let library = command.get_envs().find(|(name, _)| *name == "VALGRIND_LIB");
        let library = library.and_then(|(_, value)| value).map(ToOwned::to_owned);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        if let Some(library) = library {
            command.env("VALGRIND_LIB", library);
        }
        command.envs(variables(&api)).envs(self.variables());
        command.env("LAMBKIN_STORE", self.store());
        command.env("LAMBKIN_APP", format!("bench-{app}@live"));
        command.env("LAMBKIN_CACHE_DIR", self.path("cache"));
        let log = fs_err::File::create(self.path("log"))?;
        let output: Stdio = log.try_clone()?.into_parts().0.into();
        command.stdin(Stdio::null()).stdout(output).stderr(log.into_parts().0);
        let mut host = Host(command.spawn().context("the host cannot be started")?);
        host.wait_until_answered(&api).and_then(|()| host.end()).with_context(|| {
            let log = fs_err::read_to_string(self.path("log")).unwrap_or_default();
            format!("{app}, {calls} calls: the host wrote {log}")
        })
    }
}

/// What Lambda sets, and what keeps the host from doing things now and then: the alias is read once.
fn variables(api: &RuntimeApi) -> [(&'static str, &str); 9] {
    [
        ("AWS_LAMBDA_RUNTIME_API", api.address()),
        ("AWS_LAMBDA_FUNCTION_NAME", "count"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/count"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "count"),
        ("AWS_REGION", "us-east-1"),
        ("LAMBKIN_LOG_LEVEL", "error"),
        ("LAMBKIN_ALIAS_MAX_AGE_MS", "86400000"),
    ]
}

/// The host's process; it ends when this is dropped.
struct Host(Child);

impl Host {
    fn wait_until_answered(&mut self, api: &RuntimeApi) -> anyhow::Result<()> {
        let started = Instant::now();
        while !api.is_over(LOOK)? {
            if let Some(status) = self.0.try_wait()? {
                anyhow::bail!("the host ended before it had answered: {status}");
            }
            ensure!(started.elapsed() < PATIENCE, "the host has not answered in time");
        }
        let mut quiet = 0;
        while quiet < QUIET_LOOKS {
            quiet = if sleeps(self.0.id())? { quiet + 1 } else { 0 };
            ensure!(started.elapsed() < PATIENCE, "the host does not come to rest");
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Ends it such that callgrind writes its profile.
    fn end(&mut self) -> anyhow::Result<()> {
        let id = self.0.id().to_string();
        shell::run(shell::command("kill", &["-TERM", &id], Path::new("/")))?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Already gone when it was ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether no thread of a process runs or is about to: the state follows the name in `/proc/<id>/task/<id>/stat`.
fn sleeps(id: u32) -> anyhow::Result<bool> {
    for thread in fs_err::read_dir(format!("/proc/{id}/task"))? {
        // A thread may end while one looks.
        let Ok(stat) = fs_err::read_to_string(thread?.path().join("stat")) else { continue };
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if state != Some('S') {
            return Ok(false);
        }
    }
    Ok(true)
}
