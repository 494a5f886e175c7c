//! An app under test: `apps/<language>-<kind>`, published and served when its first case asks for it.

use crate::case::{Case, Kind};
use crate::client::{self, Answer};
use crate::cloud::{Cloud, Served, Store};
use crate::{compare, programs};
use anyhow::{Context as _, anyhow, ensure};
use lambkin_protocol::manifest::{self, Manifest};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tokio::sync::OnceCell;

/// An app under test.
pub struct App {
    /// The folder's name, for example `go-http`.
    pub name: String,
    /// What its handler is.
    pub kind: Kind,
    folder: PathBuf,
    store: Store,
    served: OnceCell<Result<Served, String>>,
}

/// Only one app is built at a time: each build uses all processors by itself, and two must not share a work folder.
static BUILDING: Mutex<()> = Mutex::new(());

impl App {
    /// The app `name` in the folder `apps`, served from `store`.
    pub fn new(apps: &Path, name: &str, store: Store) -> Self {
        let kind = match name.rsplit('-').next() {
            Some("http") => Kind::Http,
            Some("command") => Kind::Command,
            _ => Kind::Function,
        };
        Self {
            name: name.to_owned(),
            kind,
            folder: apps.join(name),
            store,
            served: OnceCell::new(),
        }
    }

    /// Runs one case: every exchange in its order, then what spans them.
    pub async fn run(&self, case: &Case, cloud: &Cloud) -> anyhow::Result<()> {
        let served = self.served(cloud).await?;
        let position = served.log().position();
        let outcome = exchanges(case, served).await;
        outcome.with_context(|| format!("the log is:\n{}\n", served.log().tail(position)))
    }

    /// Ends what was started.
    pub async fn stop(self) {
        if let Some(Ok(served)) = self.served.into_inner() {
            served.stop().await;
        }
    }

    async fn served(&self, cloud: &Cloud) -> anyhow::Result<&Served> {
        let start = || async { self.start(cloud).await.map_err(|error| format!("{error:#}")) };
        self.served.get_or_init(start).await.as_ref().map_err(|error| anyhow!("{error}"))
    }

    async fn start(&self, cloud: &Cloud) -> anyhow::Result<Served> {
        ensure!(self.folder.is_dir(), "there is no app {}", self.name);
        let text = fs_err::read_to_string(self.folder.join("lambkin.toml"))?;
        let manifest: Manifest = manifest::parse(&text).map_err(|error| anyhow!("{error}"))?;
        tokio::task::block_in_place(|| self.publish(cloud))?;
        cloud.serve(&manifest, self.store).await
    }

    fn publish(&self, cloud: &Cloud) -> anyhow::Result<()> {
        let _one_at_a_time = BUILDING.lock();
        if self.kind == Kind::Command {
            compile_command(&self.folder)?;
        }
        cloud.publish(&self.folder, self.store)
    }
}

async fn exchanges(case: &Case, served: &Served) -> anyhow::Result<()> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut sandbox = None;
    for exchange in &case.exchange {
        let position = served.log().position();
        let path = &exchange.request.path;
        let answer = client::send(served.address(), &exchange.request).await?;
        compare::answer(&answer, &exchange.expect).with_context(|| path.clone())?;
        tokio::task::block_in_place(|| {
            exchange.expect.log.iter().try_for_each(|line| served.log().wait_for(line, position))
        })?;
        answers.push(answer);
        let newest = served.log().newest_sandbox();
        let survived = *sandbox.get_or_insert(newest) == newest;
        ensure!(survived || !case.host_survives, "the host's process did not survive");
    }
    case.differ.iter().try_for_each(|pointer| compare::differ(&answers, pointer))?;
    answers.iter().try_for_each(|answer| {
        case.present.iter().try_for_each(|pointer| compare::present(answer, pointer))
    })
}

/// Compiles the command's crate to a core module of WASI preview 1, which is what `lambkin` is given.
fn compile_command(folder: &Path) -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-wasip1";
    let target = folder.join(".lambkin/target");
    let mut command = programs::cargo_for(TARGET);
    command.args(["build", "--release", "--target", TARGET, "--target-dir"]).arg(&target);
    programs::run(command.current_dir(folder))?;
    fs_err::copy(
        target.join(TARGET).join("release/command.wasm"),
        folder.join(".lambkin/command.wasm"),
    )?;
    Ok(())
}
