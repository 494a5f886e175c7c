//! The scene of a test: an embedded S3 of its own, apps published to it, and hosts that serve them.

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use lambkin_local_cloud::lambda::{Answer, Function, InvokeOptions, Settings};
use lambkin_protocol::alias;
use lambkin_tests::cloud::{Cloud, Store};
use lambkin_tests::log::Log;
use lambkin_tests::programs::{self, Programs};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tempfile::TempDir;

/// A store and the apps in it.
pub(crate) struct Stage {
    cloud: Cloud,
    folder: TempDir,
}

/// A host that serves from the store.
pub(crate) struct Host {
    /// The function that invokes it.
    pub(crate) function: Function,
    /// What it logs.
    pub(crate) log: Arc<Log>,
}

/// The components that all tests share: built once, by `lambkin build`, as a user builds them.
static GUESTS: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("end_to_end/guest");
    let build = || {
        let lambkin = Programs::find()?.lambkin;
        programs::run(Command::new(lambkin).arg("build").current_dir(&folder))
    };
    build().map(|_| folder.join(".lambkin/components")).map_err(|error| format!("{error:#}"))
});

/// The component of the guest `name`, built.
pub(crate) fn guest(name: &str) -> PathBuf {
    let components = GUESTS.as_ref().map_err(|error| anyhow!("{error}")).unwrap();
    components.join(format!("{name}.wasm"))
}

impl Stage {
    /// An empty store.
    pub(crate) async fn start() -> Self {
        let cloud = Cloud::start().await.unwrap();
        Self { cloud, folder: tempfile::tempdir().unwrap() }
    }

    /// What reaches the store.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        self.cloud.environment(Store::S3)
    }

    /// Where the S3 server listens: `http://…`.
    pub(crate) fn endpoint(&self) -> String {
        self.environment()["AWS_ENDPOINT_URL_S3"].clone()
    }

    /// The folder of the app `name`.
    pub(crate) fn app(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Publishes `guest` (`web` or `function`) as the app `name` with `VERSION` in its environment; gives the release.
    pub(crate) fn publish(&self, name: &str, guest: &str, version: &str) -> String {
        self.publish_for(name, guest, (version, std::env::consts::ARCH))
    }

    /// The same, with `reuse` as it stands in the manifest.
    pub(crate) fn publish_reused(&self, name: &str, guest: &str, reuse: &str) -> String {
        self.write_app(name, guest, &format!("reuse = {reuse}"));
        self.publish_app(name, std::env::consts::ARCH)
    }

    /// The same, with a release that is too large to ride along in its alias.
    pub(crate) fn publish_large(&self, name: &str, guest: &str, version: &str) -> String {
        let version = format!("{version}', LARGE = '{}", "x".repeat(alias::MAX_RELEASE));
        self.publish(name, guest, &version)
    }

    /// The same, compiled for the processor `target`.
    pub(crate) fn publish_for(
        &self,
        name: &str,
        guest: &str,
        (version, target): (&str, &str),
    ) -> String {
        self.write_app(name, guest, &format!("environment = {{ VERSION = '{version}' }}"));
        self.publish_app(name, target)
    }

    /// Writes the app `name`, of one component with `settings`.
    fn write_app(&self, name: &str, guest: &str, settings: &str) {
        let folder = self.app(name);
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::copy(self::guest(guest), folder.join("guest.wasm")).unwrap();
        let manifest = format!(
            "lambkin = 1\n\n[app]\nname = '{name}'\n\n[component.guest]\nlanguage = 'wasm'\n\
             source = 'guest.wasm'\n{settings}\n\n\
             [[route]]\npath = '$default'\ncomponent = 'guest'\n"
        );
        fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    }

    /// Publishes the app `name` for the processor `target`; gives the release.
    pub(crate) fn publish_app(&self, name: &str, target: &str) -> String {
        let report = self.lambkin(&self.app(name), &["publish", "--target", target]).unwrap();
        report["release"].as_str().unwrap().to_owned()
    }

    /// Runs `lambkin` in `folder` on this store and gives what it says in JSON.
    pub(crate) fn lambkin(&self, folder: &Path, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.cloud.programs().lambkin);
        command.args(arguments).args(["--format", "json"]).current_dir(folder);
        let text = programs::run(command.envs(self.environment()))?;
        serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
    }

    /// A host on this store, with `variables` over the usual ones; no process yet.
    pub(crate) fn host(&self, variables: &[(&str, &str)]) -> Host {
        self.host_with(variables, |settings| settings)
    }

    /// The same, with other settings of the function.
    pub(crate) fn host_with(
        &self,
        variables: &[(&str, &str)],
        change: impl FnOnce(Settings) -> Settings,
    ) -> Host {
        let mut environment = self.environment();
        let cache = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        environment.insert("LAMBKIN_CACHE_DIR".to_owned(), cache.display().to_string());
        for (name, value) in variables {
            environment.insert((*name).to_owned(), (*value).to_owned());
        }
        let log = Arc::new(Log::default());
        let lines = Arc::clone(&log);
        let settings = Settings {
            memory_mb: 512,
            timeout: Duration::from_secs(20),
            environment,
            max_sandboxes: 1,
            on_log: Arc::new(move |line| lines.push(line)),
            ..Settings::new(&self.cloud.programs().bootstrap, "end-to-end")
        };
        Host { function: Function::start(change(settings)).unwrap(), log }
    }
}

impl Host {
    /// Sends an event; the error is what Lambda tells the caller of a failed invocation.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<Value, Value> {
        self.send(event.to_string()).await
    }

    /// The same with an event that may not be JSON.
    pub(crate) async fn send(&self, event: impl Into<Bytes>) -> Result<Value, Value> {
        let answer = self.function.invoke(event.into(), InvokeOptions::default()).await.unwrap();
        match answer.into_buffered().await {
            Answer::FunctionError { payload, .. } => Err(serde_json::from_slice(&payload).unwrap()),
            Answer::Buffered(payload) => Ok(serde_json::from_slice(&payload).unwrap()),
            Answer::Streaming(_) => unreachable!("it was collected"),
        }
    }

    /// Sends a GET request and gives the status and the JSON of the answer.
    pub(crate) async fn get(&self, domain: &str, path: &str) -> (u64, Value) {
        let answer = self.invoke(&http_event(domain, path)).await.unwrap();
        let body = answer["body"].as_str().unwrap_or_default();
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
        (answer["statusCode"].as_u64().unwrap(), body)
    }

    /// How many host processes there were: one, when nothing ended it.
    pub(crate) fn processes(&self) -> u64 {
        self.log.newest_sandbox()
    }
}

/// An HTTP API's event for a GET request, as API Gateway sends it through its `$default` route.
pub(crate) fn http_event(domain: &str, path: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": domain },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": domain,
            "domainPrefix": "api",
            "http": {
                "method": "GET", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "tests",
            },
            "requestId": "request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1_795_341_600_000_u64,
        },
        "isBase64Encoded": false,
    })
}
