//! The real `bootstrap` under Lambda emulators that nobody here wrote: AWS's Runtime Interface Emulator and cargo-lambda.
//!
//! Every trial of [`checks`] runs under both; what only cargo-lambda has, function URLs and streaming, is in
//! [`function_url`]. After each trial the host's process must be the one that it was before.

mod cargo_lambda;
mod checks;
mod emulator;
mod function_url;
mod rie;

use anyhow::{Context as _, anyhow};
use checks::CHECKS;
use emulator::Emulator;
use lambkin_tests::cloud::{Cloud, Store};
use libtest_mimic::{Arguments, Trial};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, OnceCell};

/// What all trials share: each part is started by the first trial that asks for it.
struct Session {
    runtime: Runtime,
    cloud: OnceCell<Result<Cloud, String>>,
    /// One trial at a time: the Runtime Interface Emulator takes one invocation at a time.
    rie: Mutex<Option<Emulator>>,
    cargo_lambda: Mutex<Option<Emulator>>,
}

/// Which emulator a trial runs under.
#[derive(Clone, Copy)]
enum Under {
    Rie,
    CargoLambda,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let session = Arc::new(Session {
        runtime: Runtime::new().context("the asynchronous runtime")?,
        cloud: OnceCell::new(),
        rie: Mutex::new(None),
        cargo_lambda: Mutex::new(None),
    });
    let mut trials = Vec::new();
    for under in [Under::Rie, Under::CargoLambda] {
        for check in &CHECKS {
            trials.push(trial(&session, format!("{}::{}", under.name(), check.name), {
                move |session| session.runtime.block_on(session.check(under, check))
            }));
        }
    }
    for check in &function_url::CHECKS {
        trials.push(trial(&session, format!("function_url::{}", check.name), |session| {
            session.runtime.block_on(session.check(Under::CargoLambda, check))
        }));
    }
    trials.push(trial(
        &session,
        "function_url::a_stream_arrives_chunk_by_chunk".to_owned(),
        |own| own.runtime.block_on(async { function_url::streams(own.cloud().await?).await }),
    ));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The emulators and what they started end here, before the store that the host reads.
    drop(session.rie.blocking_lock().take());
    drop(session.cargo_lambda.blocking_lock().take());
    Ok(conclusion.exit_code())
}

fn trial(
    session: &Arc<Session>,
    name: String,
    run: impl FnOnce(&Session) -> anyhow::Result<()> + Send + 'static,
) -> Trial {
    let session = Arc::clone(session);
    Trial::test(name, move || run(&session).map_err(|error| format!("{error:#}").into()))
}

impl Session {
    /// The cloud, with the app published.
    async fn cloud(&self) -> anyhow::Result<&Cloud> {
        let start = || async {
            let cloud = Cloud::start().await?;
            tokio::task::block_in_place(|| cloud.publish(&app_folder(), Store::S3))?;
            Ok(cloud)
        };
        let start = || async { start().await.map_err(|error: anyhow::Error| format!("{error:#}")) };
        self.cloud.get_or_init(start).await.as_ref().map_err(|error| anyhow!("{error}"))
    }

    async fn check(&self, under: Under, check: &checks::Check) -> anyhow::Result<()> {
        let cloud = self.cloud().await?;
        let place = match under {
            Under::Rie => &self.rie,
            Under::CargoLambda => &self.cargo_lambda,
        };
        let mut place = place.lock().await;
        let emulator = match &mut *place {
            Some(emulator) => emulator,
            empty => empty.insert(match under {
                Under::Rie => rie::start(cloud)?,
                Under::CargoLambda => cargo_lambda::start(cloud)?,
            }),
        };
        emulator.run(check).await
    }
}

impl Under {
    fn name(self) -> &'static str {
        match self {
            Self::Rie => "runtime_interface_emulator",
            Self::CargoLambda => "cargo_lambda",
        }
    }
}

fn app_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("emulators/app")
}
