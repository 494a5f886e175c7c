//! What the environment tells the command: the one place that reads it.

use anyhow::{Result, anyhow};
use lambkin_store::S3Access;
use std::path::PathBuf;

/// A variable's value, or nothing when it is unset or empty.
#[expect(clippy::disallowed_methods, reason = "this module is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder for downloaded tools and compiled artifacts: `LAMBKIN_HOME`, else `lambkin` in the user's cache folder.
pub(crate) fn home() -> Result<PathBuf> {
    let folder = variable("LAMBKIN_HOME").map(PathBuf::from);
    let cache = || variable("XDG_CACHE_HOME").map(PathBuf::from);
    let user = || variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
    folder
        .or_else(|| cache().or_else(user).map(|cache| cache.join("lambkin")))
        .ok_or_else(|| anyhow!("neither LAMBKIN_HOME nor HOME is set: give a folder for Lambkin's cache in LAMBKIN_HOME"))
}

/// The seed that builds of Python components give to string hashes.
/// <https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED>
pub(crate) fn python_hash_seed() -> Option<String> {
    variable("PYTHONHASHSEED")
}

/// How to reach and sign in to `CloudWatch` Logs.
pub(crate) struct LogsAccess {
    /// Another server than AWS itself.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    /// A file of PEM certificates to trust instead of Mozilla's roots.
    pub(crate) ca_bundle: Option<PathBuf>,
}

/// `CloudWatch` Logs by the names that every AWS SDK uses; the page is the one below.
pub(crate) fn logs_access() -> LogsAccess {
    let S3Access { region, access_key_id, secret_access_key, session_token, ca_bundle, .. } =
        s3_access();
    let endpoint =
        variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS").or_else(|| variable("AWS_ENDPOINT_URL"));
    LogsAccess { endpoint, region, access_key_id, secret_access_key, session_token, ca_bundle }
}

/// The local cloud, which does not check signatures.
pub(crate) fn local_access(endpoint: &str) -> LogsAccess {
    LogsAccess {
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        access_key_id: "local".to_owned(),
        secret_access_key: "local-secret".to_owned(),
        session_token: None,
        ca_bundle: None,
    }
}

/// S3 credentials and endpoint, by the names that every AWS SDK uses.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>
pub(crate) fn s3_access() -> S3Access {
    S3Access {
        endpoint: variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")),
        region: variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_default(),
        access_key_id: variable("AWS_ACCESS_KEY_ID").unwrap_or_default(),
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        session_token: variable("AWS_SESSION_TOKEN"),
        ca_bundle: variable("AWS_CA_BUNDLE").map(PathBuf::from),
    }
}
