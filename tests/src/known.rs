//! Failures that are known about: pairs of app and case that do not pass yet, each with its reason.

use anyhow::Context as _;
use serde::Deserialize;
use std::path::Path;

/// The list in `known-failures.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFailures {
    #[serde(default)]
    failure: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    app: String,
    case: String,
    reason: String,
}

impl KnownFailures {
    /// Reads the list.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs_err::read_to_string(file)?;
        toml::from_str(&text).with_context(|| file.display().to_string())
    }

    /// Why the pair does not pass, when that is known.
    pub fn reason(&self, app: &str, case: &str) -> Option<&str> {
        let found = self.failure.iter().find(|failure| failure.app == app && failure.case == case);
        found.map(|failure| failure.reason.as_str())
    }

    /// The listed pairs for which `exists` is false: a rename left them behind.
    pub fn strangers(&self, exists: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let strange = self.failure.iter().filter(|failure| !exists(&failure.app, &failure.case));
        strange.map(|failure| format!("{}::{}", failure.app, failure.case)).collect()
    }
}

/// Turns the outcome of a case round when it is known to fail.
pub fn judge(outcome: anyhow::Result<()>, reason: Option<&str>) -> anyhow::Result<()> {
    match (outcome, reason) {
        (outcome, None) => outcome,
        (Err(_), Some(_)) => Ok(()),
        (Ok(()), Some(reason)) => {
            anyhow::bail!(
                "it passes now: take it out of known-failures.toml (it was listed because: {reason})"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KnownFailures, judge};

    #[test]
    fn a_listed_pair_must_fail() {
        let known: KnownFailures =
            toml::from_str("[[failure]]\napp = 'go-http'\ncase = 'oom'\nreason = 'upstream'")
                .unwrap();
        assert_eq!(known.reason("go-http", "oom"), Some("upstream"));
        assert_eq!(known.reason("go-http", "echo"), None);
        assert!(judge(Ok(()), Some("upstream")).is_err());
        assert!(judge(Err(anyhow::anyhow!("boom")), Some("upstream")).is_ok());
        assert!(judge(Err(anyhow::anyhow!("boom")), None).is_err());
        assert_eq!(known.strangers(|_, case| case == "echo"), ["go-http::oom"]);
    }
}
