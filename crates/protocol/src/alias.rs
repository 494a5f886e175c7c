//! An alias: the name that points to one release of an app, or to several with weights.
//!
//! Small releases ride along in the alias document, so that a host that starts asks the store once instead of twice. A
//! release is named by its own digest: what rides along is believed only when it fits its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::release;

/// The version of the alias document this crate writes and reads.
pub const VERSION: u32 = 2;

/// The largest release that rides along, in bytes: reading an alias again must stay cheap.
pub const MAX_RELEASE: usize = 32 * 1024;

/// The document behind an alias, stored as `apps/<app>/aliases/<alias>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The document's version, [`VERSION`].
    pub lambkin_alias: u32,
    /// The releases the alias points to. At least one, and at least one with a weight above zero.
    pub targets: Vec<Target>,
    /// The release it pointed to before, for a rollback without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When it was moved, RFC 3339, as told by who moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// Release documents by their ids, as they are stored: those of the targets that are small enough.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub releases: BTreeMap<String, String>,
}

/// One release behind an alias, and its share of the invocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The id of the release.
    pub release: String,
    /// Its share, relative to the sum of all weights.
    pub weight: u32,
}

/// Why an alias document is refused.
#[derive(Debug, thiserror::Error)]
pub enum AliasError {
    /// It is not the JSON of an alias.
    #[error("the alias document is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a newer Lambkin.
    #[error("the alias document has version {found}, newer than the {VERSION} this Lambkin knows")]
    Newer {
        /// The version it names.
        found: u32,
    },
    /// It points nowhere.
    #[error("the alias has no target with a weight above zero")]
    NoTarget,
    /// It points to something that cannot be a release.
    #[error("the alias points to `{release}`, which is not the id of a release")]
    BadRelease {
        /// What it names as a release.
        release: String,
    },
}

impl Alias {
    /// The release it points to, when it points to one only.
    pub fn only(&self) -> Option<&str> {
        match self.targets.as_slice() {
            [target] => Some(&target.release),
            _ => None,
        }
    }

    /// An alias that points to one release only.
    pub fn single(release: impl Into<String>) -> Self {
        let target = Target { release: release.into(), weight: 100 };
        Self { targets: vec![target], ..Self::to_nothing() }
    }

    /// An alias that sends `percent` of the invocations to `release` and the rest to `base`, which is what a rollback
    /// goes to.
    pub fn canary(base: impl Into<String>, release: impl Into<String>, percent: u8) -> Self {
        let share = u32::from(percent.min(100));
        let previous = base.into();
        let base = Target { release: previous.clone(), weight: 100 - share };
        let targets = vec![base, Target { release: release.into(), weight: share }];
        Self { targets, previous: Some(previous), ..Self::to_nothing() }
    }

    fn to_nothing() -> Self {
        Self {
            lambkin_alias: VERSION,
            targets: Vec::new(),
            previous: None,
            updated: None,
            releases: BTreeMap::new(),
        }
    }

    /// Lets a release's document ride along, unless it is too large or is not text.
    pub fn carry(&mut self, id: &str, document: &[u8]) {
        if document.len() > MAX_RELEASE {
            return;
        }
        if let Ok(text) = std::str::from_utf8(document) {
            self.releases.insert(id.to_owned(), text.to_owned());
        }
    }

    /// The document of the release `id`, if it rides along and fits its name.
    pub fn carried(&self, id: &str) -> Option<&[u8]> {
        let document = self.releases.get(id)?.as_bytes();
        (release::id_of(document) == id).then_some(document)
    }

    /// The release for one invocation. `seed` is any evenly spread number: equal seeds choose equally.
    ///
    /// Returns an empty string only for an alias without targets, which [`Alias::parse`] refuses.
    pub fn choose(&self, seed: u64) -> &str {
        let total: u64 = self.targets.iter().map(|target| u64::from(target.weight)).sum();
        let mut point = seed.checked_rem(total).unwrap_or(0);
        for target in &self.targets {
            let weight = u64::from(target.weight);
            if point < weight {
                return &target.release;
            }
            point -= weight;
        }
        self.targets.first().map_or("", |target| &target.release)
    }

    /// Reads and checks an alias document.
    pub fn parse(bytes: &[u8]) -> Result<Self, AliasError> {
        release::version_of(bytes, "lambkin_alias", VERSION)
            .map_err(|found| AliasError::Newer { found })?;
        let alias: Self = serde_json::from_slice(bytes).map_err(AliasError::Malformed)?;
        if alias.targets.iter().all(|target| target.weight == 0) {
            return Err(AliasError::NoTarget);
        }
        match alias.targets.iter().find(|target| !release::is_id(&target.release)) {
            Some(target) => Err(AliasError::BadRelease { release: target.release.clone() }),
            None => Ok(alias),
        }
    }

    /// The document's bytes, the same for equal aliases.
    pub fn to_bytes(&self) -> Vec<u8> {
        release::json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123";
    const TWO: &str = "fedcba98765432100123";

    #[test]
    fn chooses_by_weight() {
        let target = |release: &str, weight| Target { release: release.to_owned(), weight };
        let alias = Alias {
            targets: vec![target(ONE, 0), target(TWO, 1), target(ONE, 3)],
            ..Alias::single(ONE)
        };
        let chosen: Vec<_> = (0..8).map(|seed| alias.choose(seed)).collect();
        assert_eq!(chosen, [TWO, ONE, ONE, ONE, TWO, ONE, ONE, ONE]);
        assert_eq!(Alias::single(ONE).choose(u64::MAX), ONE);
    }

    #[test]
    fn a_canary_takes_its_share_and_no_more() {
        let alias = Alias::canary(ONE, TWO, 10);
        let to_two = (0..1000).filter(|seed| alias.choose(*seed) == TWO).count();
        assert_eq!((to_two, alias.previous.as_deref(), alias.only()), (100, Some(ONE), None));
    }

    #[test]
    fn carries_small_releases_and_believes_only_what_fits_its_name() {
        let document = br#"{"lambkin_release":1}"#;
        let id = release::id_of(document);
        let mut alias = Alias::single(&id);
        alias.carry(&id, document);
        alias.carry(TWO, document);
        alias.carry(ONE, &vec![b' '; MAX_RELEASE + 1]);
        let alias = Alias::parse(&alias.to_bytes()).unwrap();
        assert_eq!(alias.carried(&id), Some(&document[..]));
        assert_eq!((alias.carried(TWO), alias.carried(ONE)), (None, None));
    }

    #[test]
    fn reads_back_what_it_writes() {
        let alias = Alias {
            previous: Some(TWO.to_owned()),
            updated: Some("2026-11-22T10:00:00Z".to_owned()),
            ..Alias::single(ONE)
        };
        assert_eq!(Alias::parse(&alias.to_bytes()).unwrap(), alias);
    }

    #[test]
    fn refuses_what_points_nowhere_or_is_newer() {
        let refused = |text: &str| Alias::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(refused(r#"{"lambkin_alias":1,"targets":[]}"#).contains("no target"));
        assert!(
            refused(r#"{"lambkin_alias":1,"targets":[{"release":"../x","weight":1}]}"#)
                .contains("`../x`")
        );
        assert!(refused(r#"{"lambkin_alias":3,"shape":"new"}"#).contains("version 3"));
        assert!(refused("{").contains("malformed"));
    }
}
