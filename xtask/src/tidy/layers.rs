//! Layering: which crate of the workspace may use which, and which outside crate belongs to one part alone.

use super::Finding;
use crate::shell;
use anyhow::Context as _;
use serde::Deserialize;
use std::path::Path;

/// One row of the layering table of ARCHITECTURE.md.
struct Layer {
    package: &'static str,
    /// The crates of the workspace that it may use.
    may_use: &'static [&'static str],
}

const LAYERS: [Layer; 13] = [
    Layer { package: "lambkin-protocol", may_use: &[] },
    Layer { package: "lambkin-engine", may_use: &[] },
    Layer { package: "lambkin-aws", may_use: &[] },
    Layer { package: "lambkin-store", may_use: &["lambkin-aws"] },
    Layer { package: "lambkin-build", may_use: &["lambkin-engine", "lambkin-protocol"] },
    Layer {
        package: "lambkin-host",
        may_use: &["lambkin-aws", "lambkin-engine", "lambkin-protocol", "lambkin-store"],
    },
    Layer { package: "lambkin-local-cloud", may_use: &["lambkin-protocol"] },
    Layer {
        package: "lambkin-cli",
        may_use: &[
            "lambkin-aws",
            "lambkin-build",
            "lambkin-engine",
            "lambkin-host",
            "lambkin-local-cloud",
            "lambkin-protocol",
            "lambkin-store",
        ],
    },
    Layer { package: "lambkin-sdk", may_use: &["lambkin-sdk-macros"] },
    Layer { package: "lambkin-sdk-macros", may_use: &[] },
    Layer {
        package: "lambkin-tests",
        may_use: &[
            "lambkin-build",
            "lambkin-engine",
            "lambkin-local-cloud",
            "lambkin-protocol",
            "lambkin-store",
        ],
    },
    Layer {
        package: "lambkin-benches",
        may_use: &["lambkin-local-cloud", "lambkin-protocol", "lambkin-store"],
    },
    Layer { package: "xtask", may_use: &[] },
];

/// An outside crate that only some parts may know.
struct Confined {
    /// The crate, or how the names of its family begin.
    prefix: &'static str,
    to: &'static [&'static str],
}

const CONFINED: [Confined; 7] = [
    Confined { prefix: "wasmtime", to: &["lambkin-engine", "lambkin-build"] },
    Confined { prefix: "cranelift", to: &["lambkin-engine"] },
    Confined { prefix: "aws-sdk-s3", to: &["lambkin-store"] },
    Confined { prefix: "aws-sigv4", to: &["lambkin-aws", "lambkin-local-cloud", "lambkin-store"] },
    Confined { prefix: "lambda_runtime", to: &["lambkin-host"] },
    Confined { prefix: "s3s", to: &["lambkin-local-cloud"] },
    Confined { prefix: "clap", to: &["lambkin-benches", "lambkin-cli"] },
];

/// What the pure conversions of the protocol must do without.
const NOT_IN_PROTOCOL: [&str; 5] = ["tokio", "hyper", "reqwest", "fs-err", "tempfile"];

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None`: what ships; `Some("dev")`: tests; `Some("build")`: build scripts.
    kind: Option<String>,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// The workspace's packages as cargo sees them.
pub(super) fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps"];
    let text = shell::output(shell::command("cargo", &arguments, root))?;
    let metadata: Metadata =
        serde_json::from_str(&text).context("could not read what cargo metadata said")?;
    Ok(metadata.packages)
}

/// What ships must keep to the table; tests may use what they like.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let ours: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let Some(layer) = LAYERS.iter().find(|layer| layer.package == package.name) else {
            findings.push(broken(format!(
                "{} has no row in the layering table of xtask/src/tidy",
                package.name
            )));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
        {
            findings.extend(check_dependency(
                layer,
                dependency,
                ours.contains(&dependency.name.as_str()),
            ));
        }
    }
    findings
}

fn check_dependency(layer: &Layer, dependency: &Dependency, ours: bool) -> Option<Finding> {
    let (package, name) = (layer.package, dependency.name.as_str());
    if ours && !layer.may_use.contains(&name) {
        return Some(broken(format!("{package} may not use {name}")));
    }
    if package == "lambkin-host"
        && name == "lambkin-engine"
        && dependency.features.iter().any(|it| it == "compile")
    {
        return Some(broken(
            "lambkin-host may not have the compiler: feature compile of lambkin-engine".to_owned(),
        ));
    }
    if package == "lambkin-protocol" && NOT_IN_PROTOCOL.contains(&name) {
        return Some(broken(format!("lambkin-protocol is pure and may not use {name}")));
    }
    let confined = CONFINED.iter().find(|confined| name.starts_with(confined.prefix))?;
    let free = confined.to.contains(&package) || package == "lambkin-tests";
    (!free).then(|| {
        broken(format!("{package} may not use {name}: it belongs to {}", confined.to.join(" and ")))
    })
}

fn broken(text: String) -> Finding {
    Finding::Broken(text)
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Package, check};

    fn package(name: &str, dependency: &str, kind: Option<&str>, feature: Option<&str>) -> Package {
        let dependency = Dependency {
            name: dependency.to_owned(),
            kind: kind.map(str::to_owned),
            features: feature.map(str::to_owned).into_iter().collect(),
        };
        Package { name: name.to_owned(), dependencies: vec![dependency] }
    }

    fn broken(package: Package) -> usize {
        let engine = Package { name: "lambkin-engine".to_owned(), dependencies: Vec::new() };
        check(&[package, engine]).len()
    }

    #[test]
    fn a_layer_knows_only_those_below_it() {
        assert_eq!(broken(package("lambkin-host", "lambkin-engine", None, None)), 0);
        assert_eq!(broken(package("lambkin-local-cloud", "lambkin-engine", None, None)), 1);
        assert_eq!(broken(package("lambkin-local-cloud", "lambkin-engine", Some("dev"), None)), 0);
    }

    #[test]
    fn the_host_has_no_compiler() {
        assert_eq!(broken(package("lambkin-host", "lambkin-engine", None, Some("compile"))), 1);
    }

    #[test]
    fn outside_crates_stay_where_they_belong() {
        assert_eq!(broken(package("lambkin-cli", "wasmtime-wasi", None, None)), 1);
        assert_eq!(broken(package("lambkin-store", "aws-sdk-s3", None, None)), 0);
        assert_eq!(broken(package("lambkin-protocol", "tokio", None, None)), 1);
        assert_eq!(broken(package("lambkin-unheard-of", "serde", None, None)), 1);
    }
}
