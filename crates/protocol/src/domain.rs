//! A domain: which app and alias answer under each base path of one host name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{name, release};

/// The version of the domain document this crate writes and reads.
pub const VERSION: u32 = 1;

/// The document behind a domain, stored as `domains/<domain>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// The document's version, [`VERSION`].
    pub lambkin_domain: u32,
    /// Base path without slashes at its ends (`""` catches all, `"shop/v2"`) to what answers under it.
    pub mappings: BTreeMap<String, Mapping>,
}

/// The app, and the alias of it, that answers under one base path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The app's name.
    pub app: String,
    /// The alias's name.
    pub alias: String,
}

/// Why a domain document is refused.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// It is not the JSON of a domain.
    #[error("the domain document is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a newer Lambkin.
    #[error("the domain document has version {found}, newer than the {VERSION} this Lambkin knows")]
    Newer {
        /// The version it names.
        found: u32,
    },
    /// A base path has slashes at its ends or an empty segment.
    #[error("the base path `{base_path}` must have no slash at its ends and no empty segment")]
    BadBasePath {
        /// The refused base path.
        base_path: String,
    },
    /// An app or alias has a name that cannot be.
    #[error("the base path `{base_path}` is mapped to a bad name")]
    BadName {
        /// The base path whose mapping is refused.
        base_path: String,
        /// What is wrong with the name.
        source: name::NameError,
    },
}

impl Domain {
    /// A domain without mappings.
    pub fn empty() -> Self {
        Self { lambkin_domain: VERSION, mappings: BTreeMap::new() }
    }

    /// The mapping with the longest base path that `path` lies under, and the rest of the path, which begins with `/`.
    ///
    /// As API Gateway does for multi-level mappings: whole segments are compared, and `""` is the last resort.
    pub fn resolve<'a>(&'a self, path: &'a str) -> Option<(&'a Mapping, &'a str)> {
        longest(path, |base| self.mappings.get(base))
    }

    /// Reads and checks a domain document.
    pub fn parse(bytes: &[u8]) -> Result<Self, DomainError> {
        release::version_of(bytes, "lambkin_domain", VERSION)
            .map_err(|found| DomainError::Newer { found })?;
        let domain: Self = serde_json::from_slice(bytes).map_err(DomainError::Malformed)?;
        for (base_path, mapping) in &domain.mappings {
            if !is_base_path(base_path) {
                return Err(DomainError::BadBasePath { base_path: base_path.clone() });
            }
            name::check(&mapping.app)
                .and_then(|()| name::check(&mapping.alias))
                .map_err(|source| DomainError::BadName { base_path: base_path.clone(), source })?;
        }
        Ok(domain)
    }

    /// The document's bytes, the same for equal domains.
    pub fn to_bytes(&self) -> Vec<u8> {
        release::json(self)
    }
}

/// What `find` has for the longest base path that `path` lies under, and the rest of the path, which begins with `/`.
///
/// Whole segments are compared, and `""` is the last resort
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html>).
pub fn longest<T>(path: &str, find: impl Fn(&str) -> Option<T>) -> Option<(T, &str)> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let ends = inner.match_indices('/').map(|(at, _)| at).chain([inner.len()]);
    let longest = ends.rev().filter(|end| *end > 0).find_map(|end| {
        let (base, rest) = inner.split_at_checked(end)?;
        Some((find(base)?, if rest.is_empty() { "/" } else { rest }))
    });
    let whole = if path.is_empty() { "/" } else { path };
    longest.or_else(|| Some((find("")?, whole)))
}

/// Whether `text` can be a base path: `""`, or segments without a slash at the ends.
pub fn is_base_path(text: &str) -> bool {
    text.is_empty() || text.split('/').all(|segment| !segment.is_empty())
}

/// The wildcard domain that answers for the host name `name` where there is none of that very name: `*.example.com` for
/// `shop.example.com`, and for no name two levels below it. Nothing for an IP address or a name of one label.
pub fn wildcard(name: &str) -> Option<String> {
    let (_, parent) = name
        .split_once('.')
        .filter(|(label, parent)| !label.is_empty() && *label != "*" && !parent.is_empty())?;
    name.parse::<std::net::IpAddr>().is_err().then(|| format!("*.{parent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(bases: &[&str]) -> Domain {
        let mapping = |base: &&str| Mapping {
            app: format!("app-{}", base.replace('/', "-")),
            alias: "live".to_owned(),
        };
        Domain {
            lambkin_domain: VERSION,
            mappings: bases.iter().map(|base| ((*base).to_owned(), mapping(base))).collect(),
        }
    }

    #[test]
    fn takes_the_longest_base_path_of_whole_segments() {
        let domain = domain(&["", "shop", "shop/v2", "shop/v2/items"]);
        let check = |path: &str, app: &str, rest: &str| {
            let (mapping, found) = domain.resolve(path).unwrap();
            assert_eq!((mapping.app.as_str(), found), (app, rest), "{path}");
        };
        check("/shop/v2/items/7", "app-shop-v2-items", "/7");
        check("/shop/v2/items", "app-shop-v2-items", "/");
        check("/shop/v2/items/", "app-shop-v2-items", "/");
        check("/shop/v2/itemsx", "app-shop-v2", "/itemsx");
        check("/shop/v3", "app-shop", "/v3");
        check("/shopping", "app-", "/shopping");
        check("/", "app-", "/");
        check("", "app-", "/");
    }

    #[test]
    fn finds_nothing_without_a_mapping_that_fits() {
        assert_eq!(domain(&["shop"]).resolve("/other"), None);
        assert_eq!(domain(&["shop"]).resolve("/"), None);
        assert_eq!(domain(&["shop"]).resolve("//shop"), None);
    }

    #[test]
    fn a_wildcard_answers_for_one_level() {
        assert_eq!(wildcard("shop.example.com").as_deref(), Some("*.example.com"));
        assert_eq!(wildcard("a.shop.example.com").as_deref(), Some("*.shop.example.com"));
        assert_eq!(wildcard("shop.localhost").as_deref(), Some("*.localhost"));
        for none in ["localhost", "127.0.0.1", "::1", "", "*.example.com", ".com", "com."] {
            assert_eq!(wildcard(none), None, "{none}");
        }
    }

    #[test]
    fn refuses_bad_base_paths_and_names() {
        let refused = |bytes: &[u8]| Domain::parse(bytes).unwrap_err().to_string();
        assert!(refused(&domain(&["/shop"]).to_bytes()).contains("`/shop`"));
        assert!(refused(&domain(&["A"]).to_bytes()).contains("bad name"));
        assert!(refused(br#"{"lambkin_domain":9}"#).contains("version 9"));
        let good = domain(&["", "shop/v2"]);
        assert!(Domain::parse(&good.to_bytes()).is_err(), "an app may not end with a dash");
    }
}
