//! Every conformance case with every app, on the real `bootstrap` under the local cloud: `conformance::<app>::<case>`.
//!
//! A pair that is not there fails, unless `known-failures.toml` lists it; a listed pair that passes fails too.

use anyhow::Context as _;
use lambkin_tests::app::App;
use lambkin_tests::case::Case;
use lambkin_tests::cloud::{self, Cloud, Store};
use lambkin_tests::known::{self, KnownFailures};
use lambkin_tests::{conformance_folder, template};
use libtest_mimic::{Arguments, Trial};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The apps that must be there: each language in both kinds, and a command.
const APPS: [&str; 11] = [
    "command",
    "go-function",
    "go-http",
    "javascript-function",
    "javascript-http",
    "python-function",
    "python-http",
    "rust-function",
    "rust-http",
    "typescript-function",
    "typescript-http",
];

/// The case that shows that an app is served from a folder as well as from S3.
const FOLDER_CASE: &str = "items";

/// What all trials share; the cloud is started when the first one runs.
struct Session {
    runtime: Runtime,
    cloud: OnceCell<Result<Cloud, String>>,
    known: KnownFailures,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let folder = conformance_folder();
    let cases: Vec<Arc<Case>> =
        Case::read_all(&folder.join("cases"))?.into_iter().map(Arc::new).collect();
    let session = Arc::new(Session {
        runtime: Runtime::new().context("the asynchronous runtime")?,
        cloud: OnceCell::new(),
        known: KnownFailures::read(&folder.join("known-failures.toml"))?,
    });
    let names = app_names()?;
    let apps = |store| -> Vec<Arc<App>> {
        names.iter().map(|name| Arc::new(App::new(&folder.join("apps"), name, store))).collect()
    };
    let (from_s3, from_folder) = (apps(Store::S3), apps(Store::Folder));
    let from_peer = if cloud::peer().is_some() { apps(Store::Peer) } else { Vec::new() };
    let mut trials = vec![list_of_known_failures(&session, &from_s3, &cases)];
    for app in &from_s3 {
        trials.extend(cases.iter().filter(|case| case.kinds.contains(&app.kind)).map(|case| {
            trial(format!("conformance::{}::{}", app.name, case.name), &session, app, case)
        }));
    }
    for app in &from_folder {
        trials.extend(cases.iter().filter(|case| case.name == FOLDER_CASE).map(|case| {
            trial(format!("folder_store::{}::{}", app.name, case.name), &session, app, case)
        }));
    }
    for app in &from_peer {
        trials.extend(cases.iter().filter(|case| case.kinds.contains(&app.kind)).map(|case| {
            trial(format!("independent_s3::{}::{}", app.name, case.name), &session, app, case)
        }));
    }
    trials.extend(template::names()?.into_iter().map(|name| template_trial(name, &session)));
    let example = Arc::clone(&session);
    trials.push(Trial::test("examples::polyglot", move || {
        let outcome =
            example.runtime.block_on(async { template::polyglot(example.cloud().await?).await });
        outcome.map_err(|error| format!("{error:#}").into())
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    for app in from_s3.into_iter().chain(from_folder).chain(from_peer) {
        if let Some(app) = Arc::into_inner(app) {
            session.runtime.block_on(app.stop());
        }
    }
    Ok(conclusion.exit_code())
}

/// The apps that must be there and those that are.
fn app_names() -> anyhow::Result<BTreeSet<String>> {
    let mut names: BTreeSet<String> = APPS.into_iter().map(str::to_owned).collect();
    for entry in fs_err::read_dir(conformance_folder().join("apps"))? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

impl Session {
    /// The cloud, which the first trial starts.
    async fn cloud(&self) -> anyhow::Result<&Cloud> {
        let start = || async { Cloud::start().await.map_err(|error| format!("{error:#}")) };
        self.cloud.get_or_init(start).await.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }
}

fn trial(name: String, session: &Arc<Session>, app: &Arc<App>, case: &Arc<Case>) -> Trial {
    let (session, app, case) = (Arc::clone(session), Arc::clone(app), Arc::clone(case));
    Trial::test(name, move || {
        let outcome =
            session.runtime.block_on(async { app.run(&case, session.cloud().await?).await });
        let reason = session.known.reason(&app.name, &case.name);
        known::judge(outcome, reason).map_err(|error| format!("{error:#}").into())
    })
}

fn template_trial(name: String, session: &Arc<Session>) -> Trial {
    let session = Arc::clone(session);
    Trial::test(format!("templates::{name}"), move || {
        let outcome =
            session.runtime.block_on(async { template::run(&name, session.cloud().await?).await });
        outcome.map_err(|error| format!("{error:#}").into())
    })
}

fn list_of_known_failures(session: &Arc<Session>, apps: &[Arc<App>], cases: &[Arc<Case>]) -> Trial {
    let mut pairs = BTreeSet::new();
    for app in apps {
        for case in cases.iter().filter(|case| case.kinds.contains(&app.kind)) {
            pairs.insert((app.name.clone(), case.name.clone()));
        }
    }
    let strangers =
        session.known.strangers(|app, case| pairs.contains(&(app.to_owned(), case.to_owned())));
    Trial::test("known_failures_name_pairs_that_exist", move || {
        if strangers.is_empty() {
            Ok(())
        } else {
            Err(format!("no such pairs: {}", strangers.join(", ")).into())
        }
    })
}
