//! What the environment tells the host: the one place that reads it, and the table of every variable.
//!
//! Values are parsed into types here and all problems are reported together, so that an operator fixes them in one go.

use lambkin_protocol::domain;
use lambkin_store::{Package, S3Access};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// One environment variable of the host, for its documentation.
#[cfg(test)]
struct Variable {
    name: &'static str,
    help: &'static str,
    default: &'static str,
}

macro_rules! variables {
    ($($constant:ident = $name:literal, $default:literal, $help:literal;)*) => {
        $(#[doc = $help] pub(crate) const $constant: &str = $name;)*
        /// Every variable that Lambkin defines, for `docs/host-environment.md`.
        #[cfg(test)]
        const VARIABLES: &[Variable] = &[$(Variable { name: $name, help: $help, default: $default }),*];
    };
}

variables! {
    STORE = "LAMBKIN_STORE", "(what `lambkin package` packed)", "Where releases and artifacts are: `s3://bucket/prefix` or `file:///folder`. Required unless the app is in the function's package.";
    APP = "LAMBKIN_APP", "(the packaged app, or many by domain)", "The one app that this function serves: `shop@live`, or `shop` for the alias `live`.";
    BASE_PATHS = "LAMBKIN_BASE_PATHS", "(none)", "The base paths that API mappings of custom domains put the one app under, with commas between: `shop/v2,shop`. They are not part of the paths that its routes see.";
    ALIAS_MAX_AGE_MS = "LAMBKIN_ALIAS_MAX_AGE_MS", "1000", "How old an alias may be, in milliseconds, before it is read again.";
    CACHE_DIR = "LAMBKIN_CACHE_DIR", "/tmp/lambkin", "The folder that artifacts are kept in between invocations.";
    CACHE_DISK_MB = "LAMBKIN_CACHE_DISK_MB", "384", "The most that the artifacts in the cache folder may take, in MiB.";
    CACHE_MEMORY_MB = "LAMBKIN_CACHE_MEMORY_MB", "256", "The most that loaded artifacts may map, in MiB.";
    GUEST_TMP_DIR = "LAMBKIN_GUEST_TMP_DIR", "/tmp/lambkin-guests", "The folder in which a component that is granted `tmp` gets its own, for one invocation.";
    RESPONSE_MODE = "LAMBKIN_RESPONSE_MODE", "buffered", "`buffered` or `stream`: must match the invoke mode of the function URL or REST API.";
    STORE_TIMEOUT_MS = "LAMBKIN_STORE_TIMEOUT_MS", "8000", "How long one read of the store may take, retries included, in milliseconds.";
    ALLOW_PRIVATE_NETWORK = "LAMBKIN_ALLOW_PRIVATE_NETWORK", "0", "`1` lets granted hosts resolve to private addresses; the local cloud sets it.";
    WEBSOCKET_ENDPOINT = "LAMBKIN_WEBSOCKET_ENDPOINT", "(the API that an event came from)", "The WebSocket API whose connections components may post to: `https://<api>.execute-api.<region>.amazonaws.com/<stage>`.";
    LOG_LEVEL = "LAMBKIN_LOG_LEVEL", "info", "The lowest level that is logged: `debug`, `info`, `warn` or `error`.";
}

/// A source of named strings: the process environment, or a map in a test.
pub(crate) trait Strings {
    /// The value of `name`, or nothing when it is unset or empty.
    fn get(&self, name: &str) -> Option<String>;
}

/// The process environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Environment;

impl Strings for Environment {
    #[expect(clippy::disallowed_methods, reason = "this module is where the environment is read")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Strings for HashMap<&str, &str> {
    fn get(&self, name: &str) -> Option<String> {
        HashMap::get(self, name).map(|value| (*value).to_owned()).filter(|value| !value.is_empty())
    }
}

/// Which apps this function serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Apps {
    /// One app, whatever the request's domain is; its routes begin below the base paths.
    One { app: String, alias: String, base_paths: Vec<String> },
    /// Many: the request's domain and base path tell which.
    ByDomain,
}

/// How answers travel back to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    /// The whole answer in one message.
    Buffered,
    /// Lambda's response streaming.
    Stream,
}

/// How severe a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The host's settings.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) store: String,
    /// What came with the host.
    pub(crate) package: Option<Package>,
    pub(crate) access: S3Access,
    pub(crate) apps: Apps,
    pub(crate) alias_max_age: Duration,
    pub(crate) cache_dir: PathBuf,
    pub(crate) cache_disk_bytes: u64,
    pub(crate) cache_memory_bytes: u64,
    pub(crate) guest_tmp_dir: PathBuf,
    pub(crate) response_mode: ResponseMode,
    pub(crate) store_timeout: Duration,
    pub(crate) websocket_endpoint: Option<String>,
    pub(crate) lambda_endpoint: Option<String>,
    pub(crate) allow_private_network: bool,
    pub(crate) log_level: Level,
    pub(crate) concurrency: u32,
    pub(crate) memory_mb: u32,
}

/// Everything that is wrong with the environment, one line each.
#[derive(Debug)]
pub(crate) struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the settings from `strings`; the error lists every problem found.
    pub(crate) fn from_strings(strings: &dyn Strings) -> Result<Self, ConfigError> {
        let mut reader = Reader { strings, problems: Vec::new() };
        let package = reader.package();
        let config = Self {
            store: reader.store(package.as_ref()),
            access: access(strings),
            apps: reader.apps(package.as_ref()),
            package,
            alias_max_age: Duration::from_millis(reader.number(ALIAS_MAX_AGE_MS, 1000)),
            cache_dir: reader.folder(CACHE_DIR, "/tmp/lambkin"),
            cache_disk_bytes: reader.number(CACHE_DISK_MB, 384) << 20,
            cache_memory_bytes: reader.number(CACHE_MEMORY_MB, 256) << 20,
            guest_tmp_dir: reader.folder(GUEST_TMP_DIR, "/tmp/lambkin-guests"),
            response_mode: reader.choice(
                RESPONSE_MODE,
                &[("buffered", ResponseMode::Buffered), ("stream", ResponseMode::Stream)],
            ),
            store_timeout: Duration::from_millis(reader.number(STORE_TIMEOUT_MS, 8000)),
            websocket_endpoint: strings.get(WEBSOCKET_ENDPOINT),
            lambda_endpoint: endpoint(strings, "AWS_ENDPOINT_URL_LAMBDA"),
            allow_private_network: reader
                .choice(ALLOW_PRIVATE_NETWORK, &[("0", false), ("1", true)]),
            log_level: reader.log_level(),
            concurrency: reader.small_number("AWS_LAMBDA_MAX_CONCURRENCY", 1).max(1),
            memory_mb: reader.lambda(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError(reader.problems)) }
    }
}

/// Credentials and endpoint as every AWS SDK names them; Lambda sets the credentials itself.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>
fn access(strings: &dyn Strings) -> S3Access {
    S3Access {
        endpoint: endpoint(strings, "AWS_ENDPOINT_URL_S3"),
        region: strings
            .get("AWS_REGION")
            .or_else(|| strings.get("AWS_DEFAULT_REGION"))
            .unwrap_or_default(),
        access_key_id: strings.get("AWS_ACCESS_KEY_ID").unwrap_or_default(),
        secret_access_key: strings.get("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        session_token: strings.get("AWS_SESSION_TOKEN"),
        ca_bundle: strings.get("AWS_CA_BUNDLE").map(PathBuf::from),
    }
}

/// A service's own endpoint, or that of all services.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
fn endpoint(strings: &dyn Strings, name: &str) -> Option<String> {
    strings.get(name).or_else(|| strings.get("AWS_ENDPOINT_URL"))
}

struct Reader<'a> {
    strings: &'a dyn Strings,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// What lies beside `bootstrap`: Lambda says where that is.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
    fn package(&mut self) -> Option<Package> {
        let root = PathBuf::from(self.strings.get("LAMBDA_TASK_ROOT")?);
        Package::open(&root.join(Package::FOLDER)).unwrap_or_else(|error| {
            self.problems.push(format!("the packaged app cannot be read: {error}"));
            None
        })
    }

    /// The store that is named, else the package, which is one.
    fn store(&mut self, package: Option<&Package>) -> String {
        let packaged = || package.map(|package| package.folder().display().to_string());
        self.strings.get(STORE).or_else(packaged).unwrap_or_else(|| {
            self.problems.push(format!(
                "{STORE} is not set: give the bucket that `lambkin publish --store` wrote to, or make the function's zip with `lambkin package`"
            ));
            String::new()
        })
    }

    fn folder(&self, name: &str, default: &str) -> PathBuf {
        self.strings.get(name).unwrap_or_else(|| default.to_owned()).into()
    }

    fn number(&mut self, name: &str, default: u64) -> u64 {
        let Some(text) = self.strings.get(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{name} is {text:?}: give a whole number"));
            default
        })
    }

    fn small_number(&mut self, name: &str, default: u32) -> u32 {
        u32::try_from(self.number(name, default.into())).unwrap_or_else(|_| {
            self.problems.push(format!("{name} is too large"));
            default
        })
    }

    fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T); 2]) -> T {
        let [first, second] = choices;
        let Some(text) = self.strings.get(name) else { return first.1 };
        if text == first.0 {
            return first.1;
        }
        if text != second.0 {
            self.problems.push(format!("{name} is {text:?}: give `{}` or `{}`", first.0, second.0));
        }
        second.1
    }

    fn apps(&mut self, package: Option<&Package>) -> Apps {
        let Some(text) = self.strings.get(APP) else {
            return match package {
                Some(package) if self.strings.get(STORE).is_none() => {
                    let (app, alias) = (package.app().to_owned(), package.alias().to_owned());
                    Apps::One { app, alias, base_paths: self.base_paths() }
                }
                _ => Apps::ByDomain,
            };
        };
        let (app, alias) = text.split_once('@').unwrap_or((&text, "live"));
        if app.is_empty() || alias.is_empty() {
            self.problems
                .push(format!("{APP} is {text:?}: give `app@alias`, for example `shop@live`"));
        }
        Apps::One { app: app.to_owned(), alias: alias.to_owned(), base_paths: self.base_paths() }
    }

    fn base_paths(&mut self) -> Vec<String> {
        let Some(text) = self.strings.get(BASE_PATHS) else { return Vec::new() };
        let paths = text.split(',').map(|path| path.trim().trim_matches('/').to_owned());
        let paths: Vec<_> = paths.filter(|path| !path.is_empty()).collect();
        if let Some(bad) = paths.iter().find(|path| !domain::is_base_path(path)) {
            let hint = "give base paths as the API mappings have them, for example `shop/v2,shop`";
            self.problems.push(format!("{BASE_PATHS} has {bad:?}: {hint}"));
        }
        paths
    }

    /// Lambda's own log level setting counts when ours is not given.
    fn log_level(&mut self) -> Level {
        let own = self.strings.get(LOG_LEVEL);
        let Some(text) = own.clone().or_else(|| self.strings.get("AWS_LAMBDA_LOG_LEVEL")) else {
            return Level::Info;
        };
        match text.to_ascii_lowercase().as_str() {
            "trace" | "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" => Level::Warn,
            "error" | "fatal" => Level::Error,
            _ => {
                if own.is_some() {
                    self.problems.push(format!(
                        "{LOG_LEVEL} is {text:?}: give `debug`, `info`, `warn` or `error`"
                    ));
                }
                Level::Info
            }
        }
    }

    /// The variables that `lambda_runtime` cannot start without.
    fn lambda(&mut self) -> u32 {
        let missing: Vec<&str> = [
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        ]
        .into_iter()
        .filter(|name| self.strings.get(name).is_none())
        .collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            self.problems.push(format!(
                "{names} not set: bootstrap runs inside Lambda; on your machine use `lambkin dev`"
            ));
        }
        self.small_number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lambda() -> HashMap<&'static str, &'static str> {
        HashMap::from([
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_LAMBDA_FUNCTION_NAME", "shop"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            (STORE, "s3://bucket/prefix"),
        ])
    }

    #[test]
    fn one_app_is_split_at_the_alias() {
        let mut strings = lambda();
        strings.insert(APP, "shop@staging");
        let config = Config::from_strings(&strings).unwrap();
        let one = |alias: &str, base_paths: &[&str]| Apps::One {
            app: "shop".into(),
            alias: alias.into(),
            base_paths: base_paths.iter().map(|&path| path.to_owned()).collect(),
        };
        assert_eq!(config.apps, one("staging", &[]));
        strings.insert(APP, "shop");
        strings.insert(BASE_PATHS, "/shop/v2, shop");
        let config = Config::from_strings(&strings).unwrap();
        assert_eq!(config.apps, one("live", &["shop/v2", "shop"]));
        assert_eq!(config.memory_mb, 256);
    }

    #[test]
    fn all_problems_are_reported_together() {
        let strings =
            HashMap::from([(RESPONSE_MODE, "chunky"), (ALIAS_MAX_AGE_MS, "soon"), (APP, "@live")]);
        let strings =
            strings.into_iter().chain([(BASE_PATHS, "shop//v2")]).collect::<HashMap<_, _>>();
        let message = Config::from_strings(&strings).unwrap_err().to_string();
        for part in [
            STORE,
            RESPONSE_MODE,
            ALIAS_MAX_AGE_MS,
            APP,
            BASE_PATHS,
            "AWS_LAMBDA_RUNTIME_API",
            "lambkin dev",
        ] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }

    #[test]
    fn lambdas_log_level_counts_when_ours_is_absent() {
        let mut strings = lambda();
        strings.insert("AWS_LAMBDA_LOG_LEVEL", "WARN");
        assert_eq!(Config::from_strings(&strings).unwrap().log_level, Level::Warn);
        strings.insert(LOG_LEVEL, "debug");
        assert_eq!(Config::from_strings(&strings).unwrap().log_level, Level::Debug);
    }

    #[test]
    fn the_documentation_lists_every_variable() {
        let mut rows = String::new();
        for Variable { name, default, help } in VARIABLES {
            let default = if default.starts_with('(') {
                (*default).to_owned()
            } else {
                format!("`{default}`")
            };
            rows.push_str(&format!("| `{name}` | {default} | {help} |\n"));
        }
        let page = include_str!("../../docs/host-environment.md");
        assert!(page.contains(&rows), "docs/host-environment.md must hold:\n{rows}");
    }
}
