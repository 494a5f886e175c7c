//! The interfaces that a component may import, and what it may be told about one that it may not.
//!
//! A component is linked with what it imports; whether that leads anywhere is decided at run time by the invocation's
//! grants. Only what the manifest alone can answer (`wasi:config`) is refused beforehand.

mod offered;

pub(crate) use offered::{OFFERED, Offered};

#[cfg(feature = "compile")]
const CONFIG: &str = "wasi:config";

/// What a manifest gives a component, as far as it decides which imports are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Granted {
    /// The component has a table of `wasi:config` values.
    pub config: bool,
}

/// A component imports what it cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No such interface is known.
    #[error(
        "the component imports `{import}`, which Lambkin does not offer; the nearest it offers is `{nearest}`"
    )]
    Unknown {
        /// The import, as the component names it.
        import: String,
        /// The most similar interface that is offered.
        nearest: String,
    },
    /// The interface is known, and its manifest does not grant it.
    #[error(
        "the component imports `{import}`, which is not granted; give it a table `{table}` in lambkin.toml"
    )]
    NotGranted {
        /// The import, as the component names it.
        import: String,
        /// The manifest's table that grants it, with `<name>` for the component's name.
        table: String,
    },
}

/// Checks each import of a component against what is offered.
pub(crate) fn check_known<'a>(
    imports: impl IntoIterator<Item = &'a str>,
) -> Result<(), ImportError> {
    imports.into_iter().try_for_each(|import| {
        if find(import).is_some() {
            return Ok(());
        }
        Err(ImportError::Unknown { import: import.to_owned(), nearest: nearest(import) })
    })
}

/// Checks each import against what is offered and what the manifest grants.
#[cfg(feature = "compile")]
pub(crate) fn check_granted<'a>(
    imports: impl IntoIterator<Item = &'a str> + Clone,
    granted: Granted,
) -> Result<(), ImportError> {
    check_known(imports.clone())?;
    let config = imports.into_iter().find(|import| import.split('/').next() == Some(CONFIG));
    match config {
        Some(import) if !granted.config => Err(ImportError::NotGranted {
            import: import.to_owned(),
            table: "[component.<name>.config]".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// What is offered for an import.
pub(crate) fn find(import: &str) -> Option<&'static Offered> {
    let (name, version) = import.split_once('@')?;
    let is_release = |offered: &str| !version.contains('-') || offered.contains('-');
    OFFERED.iter().find(|offered| {
        offered.name == name && version.starts_with(offered.version) && is_release(offered.version)
    })
}

/// The most similar name that is offered, in the way it would be written in an import.
fn nearest(import: &str) -> String {
    let bare = import.split('@').next().unwrap_or(import);
    let likeness = |offered: &&Offered| strsim::normalized_levenshtein(bare, offered.name);
    let best = OFFERED.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.map_or_else(String::new, |best| {
        let any_patch = |version: &str| {
            if version.ends_with('.') { format!("{version}x") } else { version.to_owned() }
        };
        let alike = OFFERED.iter().filter(|offered| offered.name == best.name);
        let versions: Vec<_> = alike.map(|offered| any_patch(offered.version)).collect();
        format!("{}@{}", best.name, versions.join(" or "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_version_of_wasi_is_known() {
        let imports =
            ["wasi:cli/environment@0.2.0", "wasi:http/types@0.2.12", "wasi:http/client@0.3.0"];
        assert_eq!(check_known(imports), Ok(()));
    }

    #[test]
    fn a_release_candidate_is_not_the_release() {
        let error = check_known(["wasi:http/client@0.3.0-rc-2026-01-01"]).unwrap_err();
        assert!(error.to_string().contains("`wasi:http/client@0.3.x`"), "{error}");
    }

    #[test]
    fn an_unknown_import_is_named_with_the_nearest() {
        for (import, nearest) in [
            ("wasi:http/outgoing-handlers@0.2.0", "wasi:http/outgoing-handler@0.2.x"),
            ("wasi:keyvalue/store@0.2.0", "wasi:config/store@0.2.0-rc.1"),
            ("wasi:cli/environment@0.1.0", "wasi:cli/environment@0.2.x or 0.3.x"),
        ] {
            let expected =
                ImportError::Unknown { import: import.to_owned(), nearest: nearest.to_owned() };
            assert_eq!(check_known([import]), Err(expected));
        }
    }

    #[cfg(feature = "compile")]
    #[test]
    fn configuration_needs_its_table() {
        let imports = ["wasi:config/store@0.2.0-rc.1"];
        assert_eq!(check_granted(imports, Granted { config: true }), Ok(()));
        let error = check_granted(imports, Granted::default()).unwrap_err();
        assert!(error.to_string().contains("[component.<name>.config]"), "{error}");
    }
}
