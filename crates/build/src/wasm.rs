//! Prebuilt WebAssembly: a component passes as it is, a core module of WASI preview 1 goes through the adapter.

use crate::{Built, Check, Home, Progress, Source};
use anyhow::{Context as _, bail};

/// The first four bytes of any WebAssembly binary.
const MAGIC: &[u8] = b"\0asm";

/// The bytes after the magic: a version and a layer, little-endian.
///
/// Source: <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>.
const MODULE: &[u8] = &[1, 0, 0, 0];
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];

/// Reads `source`, a `.wasm` file, and makes a component of it if it is not one yet.
pub fn build(source: &Source, _home: &Home, progress: Progress<'_>) -> anyhow::Result<Built> {
    let path = &source.path;
    if path.is_dir() {
        bail!(
            "{} is a folder; the source of a component in language \"wasm\" is a .wasm file",
            path.display()
        );
    }
    let bytes = fs_err::read(path)?;
    let wasm = match content(&bytes) {
        Content::Component => bytes,
        Content::Module => {
            progress("adapting the core module to WASI 0.2");
            lambkin_engine::compile::componentize(&bytes).with_context(|| {
                format!("could not make a component of the core module {}", path.display())
            })?
        }
        Content::Other(description) => {
            bail!("{} is not a WebAssembly file: it looks like {description}", path.display())
        }
    };
    Ok(Built { wasm, inputs: vec![path.clone()] })
}

/// The tools that this language needs: none.
pub fn check(_home: &Home) -> Vec<Check> {
    Vec::new()
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Component,
    Module,
    Other(String),
}

fn content(bytes: &[u8]) -> Content {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Content::Other(other(bytes).to_owned());
    };
    match rest.get(..4) {
        Some(COMPONENT) => Content::Component,
        Some(MODULE) => Content::Module,
        Some(version) => {
            Content::Other(format!("WebAssembly of an unknown version ({version:02x?})"))
        }
        None => Content::Other("a WebAssembly file that was cut off".to_owned()),
    }
}

/// What a file that is not WebAssembly looks like, by its first bytes.
fn other(bytes: &[u8]) -> &'static str {
    const SIGNATURES: [(&[u8], &str); 8] = [
        (b"\x7fELF", "an ELF file (a native program, or a component compiled ahead of time)"),
        (b"MZ", "a Windows program"),
        (b"\xcf\xfa\xed\xfe", "a macOS program"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"!<arch>", "a static library"),
        (b"#!", "a script"),
    ];
    if bytes.is_empty() {
        return "an empty file";
    }
    if let Some((_, name)) = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return name;
    }
    match std::str::from_utf8(bytes) {
        Ok(text)
            if text.trim_start().starts_with("(module")
                || text.trim_start().starts_with("(component") =>
        {
            "WebAssembly's text format (`wasm-tools parse` makes a binary of it)"
        }
        Ok(_) => "text",
        Err(_) => "data of an unknown kind",
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, build, content};
    use crate::{Home, Source};

    fn check(bytes: &[u8], expect: &str) {
        match content(bytes) {
            Content::Other(description) => assert!(description.contains(expect), "{description}"),
            known => panic!("{known:?} for {expect}"),
        }
    }

    #[test]
    fn tells_what_a_file_looks_like() {
        assert_eq!(content(b"\0asm\x0d\0\x01\0rest"), Content::Component);
        assert_eq!(content(b"\0asm\x01\0\0\0rest"), Content::Module);
        check(b"\0asm\x09\0\0\0", "unknown version");
        check(b"\0asm", "cut off");
        check(b"", "empty");
        check(b"\x7fELF\x02", "ELF");
        check(b"  (module)", "text format");
        check(b"console.log(1)", "text");
        check(b"\xff\xfe\x00", "unknown kind");
    }

    #[test]
    fn a_component_passes_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs_err::write(&path, b"\0asm\x0d\0\x01\0").unwrap();
        let source = source(folder.path(), path.clone());
        let built = build(&source, &Home::new(folder.path()), &|_| {}).unwrap();
        assert_eq!((built.wasm.as_slice(), built.inputs), (&b"\0asm\x0d\0\x01\0"[..], vec![path]));
    }

    #[test]
    fn a_native_program_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        fs_err::write(&path, b"\x7fELF\x02\x01").unwrap();
        let error = build(&source(folder.path(), path), &Home::new(folder.path()), &|_| {})
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("tool is not a WebAssembly file: it looks like an ELF file"),
            "{error}"
        );
    }

    fn source(root: &std::path::Path, path: std::path::PathBuf) -> Source {
        Source {
            name: "guest".to_owned(),
            root: root.to_owned(),
            path,
            handler: None,
            kind: None,
            engine: None,
            hash_seed: None,
            work: root.join("work"),
        }
    }
}
