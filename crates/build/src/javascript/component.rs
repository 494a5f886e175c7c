//! From a snapshot to a component: keeps the one export that the component's kind has and adapts preview 1.

use super::absent;
use crate::Kind;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

/// How the custom sections begin that describe the two exports; without its description an export is not lifted.
const FUNCTION_SECTION: &str = "lambkin:function@";
const HTTP_SECTION: &str = ":proxy:imports and exports";

/// The capabilities that the runtime imports: what a bundle imports of each, how the description begins, the interface.
const CAPABILITIES: [(&str, &str, &str); 3] = [
    ("lambkin/files", "lambkin:files@", "lambkin:files/files@0.1.0"),
    ("lambkin/jobs", "lambkin:jobs@", "lambkin:jobs/jobs@0.1.0"),
    ("lambkin/websocket", "lambkin:websocket@", "lambkin:websocket/connections@0.1.0"),
];

/// Makes a component of `kind` of the runtime's module. Capabilities that are not among the bundle's imports are not the
/// component's either.
pub(super) fn encode(
    core: &[u8],
    kind: Kind,
    imported: &BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    let dropped = match kind {
        Kind::Function => HTTP_SECTION,
        Kind::Http => FUNCTION_SECTION,
        Kind::Command => bail!("a JavaScript component is a function or a web handler"),
    };
    let unused: Vec<_> =
        CAPABILITIES.iter().filter(|(module, ..)| !imported.contains_key(*module)).collect();
    let mut core = core.to_vec();
    for part in unused.iter().map(|(_, section, _)| *section).chain([dropped]) {
        core = without_custom_section(&core, part).context("the snapshot is not a module")?;
    }
    let mut encoder = ComponentEncoder::default().module(&core)?;
    for (_, _, interface) in unused {
        encoder = encoder.adapter(interface, &absent::interface(&core, interface)?)?;
    }
    encoder
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .validate(true)
        .encode()
        .context("the snapshot does not make a component")
}

/// The module without the component types whose section name contains `part`, and without function names, which no
/// user of JavaScript knows.
fn without_custom_section(core: &[u8], part: &str) -> Option<Vec<u8>> {
    let (header, mut rest) = core.split_at_checked(8)?;
    let mut kept = header.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let (size, body) = leb128(after)?;
        let (body, next) = body.split_at_checked(size)?;
        if id != 0 || !is_dropped(body, part)? {
            kept.extend_from_slice(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    Some(kept)
}

fn is_dropped(custom: &[u8], part: &str) -> Option<bool> {
    let (length, text) = leb128(custom)?;
    let name = std::str::from_utf8(text.get(..length)?).ok()?;
    Some(name == "name" || (name.starts_with("component-type:") && name.contains(part)))
}

/// An unsigned number in LEB128 and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(i + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::without_custom_section;

    fn custom(name: &str) -> Vec<u8> {
        let mut section =
            vec![0, u8::try_from(name.len() + 1).unwrap(), u8::try_from(name.len()).unwrap()];
        section.extend(name.bytes());
        section
    }

    #[test]
    fn drops_the_named_component_type_and_the_names() {
        let header = b"\0asm\x01\0\0\0".to_vec();
        let sections = [
            custom("component-type:a:proxy"),
            vec![1, 1, 0],
            custom("name"),
            custom("component-type:b"),
        ];
        let module: Vec<u8> = header.iter().copied().chain(sections.concat()).collect();
        let expected: Vec<u8> =
            header.into_iter().chain([1, 1, 0]).chain(custom("component-type:b")).collect();
        assert_eq!(without_custom_section(&module, "proxy"), Some(expected));
        assert_eq!(without_custom_section(&module[..10], "proxy"), None);
    }
}
