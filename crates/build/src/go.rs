//! Go components: to be written by this module's owner.
use crate::{Built, Check, Home, Progress, Source};

/// Builds `source` into a component.
pub fn build(_source: &Source, _home: &Home, _progress: Progress<'_>) -> anyhow::Result<Built> {
    anyhow::bail!("not written yet")
}

/// The tools that this language needs.
pub fn check(_home: &Home) -> Vec<Check> {
    Vec::new()
}
