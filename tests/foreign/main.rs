//! Components made with other people's tools, as those tools' own documentation says, on the real `bootstrap`: every case
//! with every component as `foreign::<component>::<case>`, and what a grant changes as `outbound::<component>::<case>`.
//!
//! No source here knows Lambkin: its whole interface is `wasi:http`, and `lambkin publish` is given a finished file.

mod components;
mod outbound;

use anyhow::{Context as _, anyhow};
use components::{COMPONENTS, Recipe};
use lambkin_tests::app::App;
use lambkin_tests::case::Case;
use lambkin_tests::cloud::{Cloud, Store};
use libtest_mimic::{Arguments, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// What all trials share; the cloud is started when the first one runs.
struct Session {
    runtime: Runtime,
    cloud: OnceCell<Result<Cloud, String>>,
    /// Each recipe uses all processors by itself, and those in Rust share a target folder.
    making: Mutex<()>,
}

/// A component and the app around it.
struct Foreign {
    recipe: &'static Recipe,
    file: OnceLock<Result<PathBuf, String>>,
    app: App,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let cases: Vec<Arc<Case>> =
        Case::read_all(&folder().join("cases"))?.into_iter().map(Arc::new).collect();
    let session = Arc::new(Session {
        runtime: Runtime::new().context("the asynchronous runtime")?,
        cloud: OnceCell::new(),
        making: Mutex::new(()),
    });
    let components: Vec<Arc<Foreign>> =
        COMPONENTS.iter().map(|recipe| Arc::new(Foreign::new(recipe))).collect();
    let mut trials = Vec::new();
    for foreign in &components {
        trials.extend(cases.iter().map(|case| answers(&session, foreign, case)));
        if foreign.recipe.fetches {
            trials.extend(outbound::CASES.iter().map(|case| fetches(&session, foreign, case)));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for foreign in components.into_iter().filter_map(Arc::into_inner) {
        session.runtime.block_on(foreign.app.stop());
    }
    Ok(conclusion.exit_code())
}

fn answers(session: &Arc<Session>, foreign: &Arc<Foreign>, case: &Arc<Case>) -> Trial {
    let (session, foreign, case) = (Arc::clone(session), Arc::clone(foreign), Arc::clone(case));
    let name = format!("foreign::{}::{}", foreign.recipe.name, case.name);
    trial(name, move || {
        foreign.made(&session)?;
        session.runtime.block_on(async { foreign.app.run(&case, session.cloud().await?).await })
    })
}

fn fetches(session: &Arc<Session>, foreign: &Arc<Foreign>, case: &'static outbound::Case) -> Trial {
    let (session, foreign) = (Arc::clone(session), Arc::clone(foreign));
    let name = format!("outbound::{}::{}", foreign.recipe.name, case.name);
    trial(name, move || {
        let file = foreign.made(&session)?;
        session.runtime.block_on(async {
            outbound::run(case, foreign.recipe.name, file, session.cloud().await?).await
        })
    })
}

fn trial(name: String, run: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(|error| format!("{error:#}").into()))
}

impl Session {
    /// The cloud, which the first trial starts.
    async fn cloud(&self) -> anyhow::Result<&Cloud> {
        let start = || async { Cloud::start().await.map_err(|error| format!("{error:#}")) };
        self.cloud.get_or_init(start).await.as_ref().map_err(|error| anyhow!("{error}"))
    }
}

impl Foreign {
    fn new(recipe: &'static Recipe) -> Self {
        let app = App::new(&folder().join("components"), recipe.name, Store::S3);
        Self { recipe, file: OnceLock::new(), app }
    }

    /// The component's file, made when the first trial asks for it.
    fn made(&self, session: &Session) -> anyhow::Result<&Path> {
        let make = || {
            let _one_at_a_time = session.making.lock();
            components::make(self.recipe).map_err(|error| format!("{error:#}"))
        };
        self.file.get_or_init(make).as_deref().map_err(|error| anyhow!("{error}"))
    }
}

/// The folder `tests/foreign`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign")
}
