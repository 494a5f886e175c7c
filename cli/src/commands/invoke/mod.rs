//! `lambkin invoke`: one Lambda event through the real host, on this machine.

mod template;

use crate::args;
use crate::config;
use crate::hint::{WithHint as _, hinted};
use crate::output::Output;
use crate::project::Project;
use crate::publish::Destination;
use crate::settings;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use lambkin_engine::Target;
use lambkin_local_cloud::lambda::{self, Answer, InvokeOptions};
use lambkin_store::{S3Access, Store};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The alias that a local invocation publishes to.
const ALIAS: &str = "invoke";

/// What the host is to serve, and where from.
struct Served {
    app: String,
    alias: String,
    store: String,
    access: S3Access,
}

pub(crate) async fn run(arguments: &args::Invoke, output: &Output) -> Result<ExitCode> {
    let event = event(arguments, output)?;
    let bootstrap = settings::bootstrap(arguments.bootstrap.as_deref())?;
    let served = match (&arguments.app, &arguments.store.store) {
        (Some(target), Some(store)) => {
            let (app, alias) = settings::app_and_alias(target);
            Served { app, alias, store: store.clone(), access: config::s3_access() }
        }
        _ => publish_here(arguments, output).await?,
    };
    let cache = settings::home()?.path().join("invoke-cache");
    let mut environment = environment(&served);
    environment.insert("LAMBKIN_CACHE_DIR".to_owned(), cache.display().to_string());
    let printer = *output;
    let function = lambda::Function::start(lambda::Settings {
        timeout: Duration::from_secs(arguments.timeout),
        memory_mb: arguments.memory,
        max_sandboxes: 1,
        on_log: Arc::new(move |line| super::logs::print(&printer, &line.text)),
        environment,
        ..lambda::Settings::new(bootstrap, served.app.as_str())
    })?;
    let answer = function.invoke(event, InvokeOptions::default()).await;
    let outcome = print(answer?, output).await;
    function.stop().await;
    outcome
}

/// The event as it is given, or made of what is given.
fn event(arguments: &args::Invoke, output: &Output) -> Result<Bytes> {
    let Some(service) = arguments.event_template else {
        return read_event(arguments.event.as_deref().unwrap_or(Path::new("-")));
    };
    // What a store has is served as it is: its triggers are not known here.
    let triggers = match &arguments.app {
        None => Project::load(&arguments.source.project)?.manifest.trigger,
        Some(_) => Vec::new(),
    };
    if arguments.app.is_none() && !template::is_expected(service, &triggers) {
        output.warn("the app has no trigger of this type: the event goes by the routes, as POST /events/<type>");
    }
    let carried = arguments.event.as_deref().map(read).transpose()?;
    let carried = carried.map(String::from_utf8).transpose().with_hint(
        "what the event carries is not UTF-8".to_owned(),
        "write it as text; base64 for a stream's binary records",
    )?;
    template::event(service, &triggers, carried.as_deref())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("the event cannot be read from standard input")?;
    } else {
        bytes = fs_err::read(path)?;
    }
    Ok(bytes)
}

fn read_event(path: &Path) -> Result<Bytes> {
    let bytes = read(path)?;
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        return Err(hinted(
            format!("the event in {} is not JSON: {error}", path.display()),
            "an event is one JSON document, for example {}",
        ));
    }
    Ok(bytes.into())
}

/// Builds the app here and publishes it to a folder of its own.
async fn publish_here(arguments: &args::Invoke, output: &Output) -> Result<Served> {
    let project = Project::load(&arguments.source.project)?;
    let home = settings::home()?;
    let folder = project.work().join("store");
    let url = folder.display().to_string();
    let store = Store::open(&url, &S3Access::default())?;
    let built = crate::publish::build_all(&project, &home, output).await?;
    let targets = [Target::current()];
    let to = Destination::local(&store, &targets, &home);
    let published = crate::publish::publish(&project, &built, to, &Output::quiet()).await?;
    let app = project.manifest.app.name.clone();
    crate::publish::move_alias(&store, (&app, ALIAS), &published.id, None).await?;
    Ok(Served { app, alias: ALIAS.to_owned(), store: url, access: S3Access::default() })
}

fn environment(served: &Served) -> BTreeMap<String, String> {
    let access = &served.access;
    let pairs = [
        ("LAMBKIN_STORE", Some(served.store.clone())),
        ("LAMBKIN_APP", Some(format!("{}@{}", served.app, served.alias))),
        ("LAMBKIN_ALLOW_PRIVATE_NETWORK", Some("1".to_owned())),
        ("AWS_ENDPOINT_URL_S3", access.endpoint.clone()),
        ("AWS_REGION", Some(access.region.clone())),
        ("AWS_ACCESS_KEY_ID", Some(access.access_key_id.clone())),
        ("AWS_SECRET_ACCESS_KEY", Some(access.secret_access_key.clone())),
        ("AWS_SESSION_TOKEN", access.session_token.clone()),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Prints the payload as it is; a function error makes the command fail.
async fn print(answer: Answer, output: &Output) -> Result<ExitCode> {
    match answer.into_buffered().await {
        Answer::FunctionError { payload, .. } => {
            output.raw(&String::from_utf8_lossy(&payload));
            Ok(ExitCode::FAILURE)
        }
        Answer::Buffered(payload) => {
            output.raw(&String::from_utf8_lossy(&payload));
            Ok(ExitCode::SUCCESS)
        }
        // `into_buffered` leaves no other.
        Answer::Streaming(_) => Ok(ExitCode::FAILURE),
    }
}
