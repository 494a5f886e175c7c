//! The figures that are kept, and the comparison with what was measured.

use super::callgrind::Profile;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A change up to this share of the figure, in percent, is let pass.
const TOLERANCE: u64 = 5;

/// Crates that are kept of each figure: those that execute most.
const CRATES: usize = 25;

/// Crates that are named when a figure has grown.
const NAMED: usize = 8;

/// The file of figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figures {
    /// What they were measured with.
    pub(super) measured_with: Setting,
    /// What is counted, by name.
    pub(super) figures: BTreeMap<String, Figure>,
}

/// What figures depend on beside this repository's own code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    /// Architecture, and the extensions by which libraries choose their code. Figures of another one are not comparable.
    pub(super) processor: String,
    /// The compiler of the host.
    pub(super) rustc: String,
    /// The version that `Cargo.lock` names.
    pub(super) wasmtime: String,
}

/// One count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figure {
    /// All instructions.
    pub(super) instructions: u64,
    /// Those of the crates that execute most, each without what it calls in others.
    pub(super) by_crate: BTreeMap<String, u64>,
}

/// What a figure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It grew by more than the tolerance, or is not kept yet: this fails.
    Worse,
    /// It stayed.
    Same,
    /// It fell by more than the tolerance: the new figure is worth keeping.
    Better,
}

/// One figure's comparison, with a text for whoever reads the log.
#[derive(Debug)]
pub(super) struct Comparison {
    /// What it did.
    pub(super) change: Change,
    text: String,
}

impl From<&Profile> for Figure {
    fn from(profile: &Profile) -> Self {
        let mut crates: Vec<_> =
            profile.0.iter().map(|(name, count)| (name.clone(), *count)).collect();
        crates.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        crates.truncate(CRATES);
        Self { instructions: profile.total(), by_crate: crates.into_iter().collect() }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Compares each figure with the one that is kept. One that only one side has fails as well: nothing guards it.
pub(super) fn compare(
    kept: &BTreeMap<String, Figure>,
    measured: &BTreeMap<String, Figure>,
) -> Vec<Comparison> {
    let names: BTreeSet<&String> = kept.keys().chain(measured.keys()).collect();
    let compare = |name: &String| match (kept.get(name), measured.get(name)) {
        (Some(before), Some(after)) => judge(name, before, after),
        (None, _) => {
            Comparison { change: Change::Worse, text: format!("{name}: no figure is kept") }
        }
        (_, None) => Comparison { change: Change::Worse, text: format!("{name}: is not measured") },
    };
    names.into_iter().map(compare).collect()
}

fn judge(name: &str, before: &Figure, after: &Figure) -> Comparison {
    let (old, new) = (before.instructions, after.instructions);
    let change = if new * 100 > old * (100 + TOLERANCE) {
        Change::Worse
    } else if new * 100 < old * (100 - TOLERANCE) {
        Change::Better
    } else {
        Change::Same
    };
    let mut text = format!("{name}: {new} instructions, {}", share(old, new));
    if change == Change::Worse {
        text.push_str("; what grew most:");
        for (part, old, new) in grown(before, after) {
            text.push_str(&format!("\n    {part}: {old} -> {new} (+{})", new - old));
        }
    }
    Comparison { change, text }
}

/// The crates that grew, most first. One that was not among those kept counts as new.
fn grown<'a>(before: &Figure, after: &'a Figure) -> Vec<(&'a str, u64, u64)> {
    let mut parts: Vec<_> = after
        .by_crate
        .iter()
        .map(|(name, new)| (name.as_str(), before.by_crate.get(name).copied().unwrap_or(0), *new))
        .filter(|(_, old, new)| new > old)
        .collect();
    parts.sort_by_key(|(_, old, new)| std::cmp::Reverse(new - old));
    parts.truncate(NAMED);
    parts
}

#[expect(clippy::cast_precision_loss, reason = "a share is shown with two digits")]
fn share(old: u64, new: u64) -> String {
    format!("{:+.2} % of the {old} that are kept", (new as f64 / old as f64 - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{Change, Comparison, Figure, compare};
    use std::collections::BTreeMap;

    fn figures(host: u64, tokio: u64) -> BTreeMap<String, Figure> {
        let by_crate = [("lambkin_host".to_owned(), host), ("tokio".to_owned(), tokio)].into();
        [("first answer".to_owned(), Figure { instructions: host + tokio, by_crate })].into()
    }

    fn one(kept: &BTreeMap<String, Figure>, measured: &BTreeMap<String, Figure>) -> Comparison {
        let mut all = compare(kept, measured);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn a_rise_fails_and_names_the_place() {
        let comparison = one(&figures(1000, 1000), &figures(1101, 1000));
        assert_eq!(comparison.change, Change::Worse);
        let text = comparison.to_string();
        assert!(
            text.contains("+5.05 %") && text.contains("lambkin_host: 1000 -> 1101 (+101)"),
            "{text}"
        );
        assert!(!text.contains("tokio"), "{text}");
    }

    #[test]
    fn what_is_within_the_tolerance_passes() {
        assert_eq!(one(&figures(1000, 1000), &figures(1100, 1000)).change, Change::Same);
        assert_eq!(one(&figures(1000, 1000), &figures(900, 1000)).change, Change::Same);
    }

    #[test]
    fn a_fall_is_told_apart() {
        assert_eq!(one(&figures(1000, 1000), &figures(899, 1000)).change, Change::Better);
    }

    #[test]
    fn what_only_one_side_has_fails() {
        assert_eq!(one(&figures(1, 1), &BTreeMap::new()).change, Change::Worse);
        assert_eq!(one(&BTreeMap::new(), &figures(1, 1)).change, Change::Worse);
    }
}
