//! Which of the files that cargo made is the component.

use anyhow::{bail, ensure};
use serde::Deserialize;
use std::path::PathBuf;

/// One line of cargo's `--message-format=json`, as far as it matters here.
///
/// Source: <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    package_id: String,
    #[serde(default)]
    fresh: bool,
}

/// The component's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Artifact {
    pub(super) path: PathBuf,
    /// The id of its package, as cargo's `--package` takes it.
    pub(super) package: String,
    /// Whether cargo found nothing to do.
    pub(super) fresh: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The component among the artifacts in `messages`: the only one, or the one whose target is called `wanted`.
pub(super) fn choose(messages: &str, wanted: Option<&str>) -> anyhow::Result<Artifact> {
    let mut found: Vec<(String, Artifact)> = messages.lines().filter_map(component).collect();
    if let Some(wanted) = wanted {
        let names = names(&found);
        found.retain(|(name, _)| {
            name == wanted || name.replace('-', "_") == wanted.replace('-', "_")
        });
        ensure!(
            !found.is_empty(),
            "no cargo target is called {wanted}, the component's handler; there are: {names}"
        );
    }
    match found.as_slice() {
        [(_, artifact)] => Ok(artifact.clone()),
        [] => bail!(
            "the crate makes no component; add to its Cargo.toml:\n[lib]\ncrate-type = [\"cdylib\"]"
        ),
        _ => {
            bail!("the crate makes several components, set `handler` to one of: {}", names(&found))
        }
    }
}

fn component(line: &str) -> Option<(String, Artifact)> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    let path = message
        .filenames
        .into_iter()
        .find(|path| path.extension().is_some_and(|kind| kind == "wasm"))?;
    let Message { package_id: package, fresh, .. } = message;
    Some((message.target?.name, Artifact { path, package, fresh }))
}

fn names(found: &[(String, Artifact)]) -> String {
    found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::choose;
    use std::path::Path;

    const SHOP: &str =
        r#"{"reason":"compiler-artifact","target":{"name":"shop"},"filenames":["/t/shop.wasm"]}"#;
    const TOOL: &str = r#"{"reason":"compiler-artifact","target":{"name":"my-tool"},"filenames":["/t/my-tool.wasm"]}"#;
    const SERDE: &str = r#"{"reason":"compiler-artifact","target":{"name":"serde"},"filenames":["/t/libserde.rlib"]}"#;

    #[test]
    fn takes_the_only_component() {
        let messages =
            format!("{SERDE}\n{SHOP}\n{{\"reason\":\"build-finished\",\"success\":true}}\n");
        assert_eq!(choose(&messages, None).unwrap().path, Path::new("/t/shop.wasm"));
    }

    #[test]
    fn takes_the_named_one_of_several() {
        let messages = format!("{SHOP}\n{TOOL}\n");
        assert_eq!(choose(&messages, Some("my-tool")).unwrap().path, Path::new("/t/my-tool.wasm"));
        let error = choose(&messages, None).unwrap_err().to_string();
        assert_eq!(
            error,
            "the crate makes several components, set `handler` to one of: shop, my-tool"
        );
        let error = choose(&messages, Some("other")).unwrap_err().to_string();
        assert!(error.ends_with("there are: shop, my-tool"), "{error}");
    }

    #[test]
    fn a_crate_without_a_component_is_told_what_to_add() {
        assert!(choose(SERDE, None).unwrap_err().to_string().contains("crate-type = [\"cdylib\"]"));
    }
}
