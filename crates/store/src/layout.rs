//! The keys of everything in the store; no other module builds one.
//!
//! Digests and release ids are hex. Names that users choose (apps, aliases such as a git branch, domains) become one
//! path segment each, whatever they contain, so that no name can reach outside its folder.

use std::fmt::Write as _;

/// The folder of all apps.
pub(crate) const APPS: &str = "apps";

pub(crate) fn blob(digest: &str) -> String {
    format!("blobs/{}", segment(digest))
}

pub(crate) fn artifact(engine: &str, target: &str, digest: &str) -> String {
    format!("artifacts/{}/{}/{}", segment(engine), segment(target), segment(digest))
}

/// The first artifact of those that begin alike, which the others may share frames with.
pub(crate) fn family(engine: &str, target: &str, start: &str) -> String {
    format!("families/{}/{}/{}", segment(engine), segment(target), segment(start))
}

pub(crate) fn releases(app: &str) -> String {
    format!("{APPS}/{}/releases", segment(app))
}

pub(crate) fn release(app: &str, id: &str) -> String {
    format!("{}/{}.json", releases(app), segment(id))
}

pub(crate) fn aliases(app: &str) -> String {
    format!("{APPS}/{}/aliases", segment(app))
}

pub(crate) fn alias(app: &str, alias: &str) -> String {
    format!("{}/{}.json", aliases(app), segment(alias))
}

pub(crate) fn domain(name: &str) -> String {
    format!("domains/{}.json", segment(name))
}

/// The name behind the file name of a release, alias or domain; none for other files.
pub(crate) fn name_of_file(file: &str) -> Option<String> {
    file.strip_suffix(".json").map(name)
}

/// The name behind a path segment that one of the functions above made.
pub(crate) fn name(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'~').then(|| after.get(..2).and_then(byte_from_hex)).flatten();
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Escapes as `~XX` what is not a letter, digit, `-`, `_` or inner `.`; `~` itself needs no escape in a URL or a path.
pub(crate) fn segment(name: &str) -> String {
    if name.is_empty() {
        // No name escapes to this, and an empty segment would join two folders.
        return "~".to_owned();
    }
    let mut text = String::with_capacity(name.len());
    for (position, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if position == 0 => text.push_str("~2E"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                text.push(char::from(byte));
            }
            other => {
                // Writing to a String cannot fail.
                let _ = write!(text, "~{other:02X}");
            }
        }
    }
    text
}

fn byte_from_hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_documented_layout() {
        assert_eq!(blob("ab12"), "blobs/ab12");
        assert_eq!(
            artifact("wasmtime-48.0.8-1", "x86_64", "ab"),
            "artifacts/wasmtime-48.0.8-1/x86_64/ab"
        );
        assert_eq!(release("shop", "0a1b"), "apps/shop/releases/0a1b.json");
        assert_eq!(alias("shop", "live"), "apps/shop/aliases/live.json");
        assert_eq!(domain("shop.example.com"), "domains/shop.example.com.json");
    }

    #[test]
    fn names_stay_one_segment_and_come_back() {
        for name in [
            "live",
            "feature/new basket",
            "../../etc/passwd",
            ".",
            "..",
            "a~b",
            "a.json",
            "příliš",
            "~2F",
        ] {
            let key = alias("shop", name);
            assert_eq!(key.split('/').count(), 4, "{key}");
            let segment = key.rsplit('/').next().unwrap();
            assert!(!segment.starts_with('.'), "{key}");
            assert_eq!(name_of_file(segment).as_deref(), Some(name));
        }
    }

    #[test]
    fn an_empty_name_makes_no_empty_segment() {
        assert_eq!(alias("", ""), "apps/~/aliases/~.json");
    }
}
