//! Rust components by the real cargo, of crates without dependencies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use lambkin_build::{BuildFailure, Built, Home, Source, rust};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const LIBRARY: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                       [lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n";

/// An app in a temporary folder, with spaces in its path.
struct App {
    folder: TempDir,
}

impl App {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("an app ").tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        Self { folder }
    }

    fn build(&self) -> anyhow::Result<Built> {
        let root = self.folder.path();
        let source = Source {
            name: "shop".to_owned(),
            root: root.to_owned(),
            path: root.to_owned(),
            handler: None,
            kind: None,
            engine: None,
            hash_seed: None,
            work: root.join(".lambkin"),
        };
        rust::build(&source, &Home::new(root.join("home")), &|_| {})
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

#[test]
fn a_crate_becomes_a_component_and_tells_what_to_watch() {
    let app = App::new(&[
        ("Cargo.toml", LIBRARY),
        (
            "src/lib.rs",
            "const TEXT: &str = include_str!(\"../text.txt\");\npub fn text() -> usize { TEXT.len() }\n",
        ),
        ("text.txt", "hello"),
    ]);
    let built = app.build().unwrap();
    assert_eq!(
        built.wasm.get(..8),
        Some(&b"\0asm\x0d\0\x01\0"[..]),
        "a component, not a core module"
    );
    for watched in ["src", "Cargo.toml", "text.txt"] {
        assert!(built.inputs.contains(&app.path(watched)), "{watched} in {:?}", built.inputs);
    }
    assert!(!app.path("target").exists(), "the user's folder stays clean");
    assert!(
        !built.inputs.iter().any(|path| path.starts_with(app.path(".lambkin"))),
        "{:?}",
        built.inputs
    );
}

#[test]
fn two_checkouts_that_share_a_target_folder_keep_apart() {
    let shared = tempfile::tempdir().unwrap();
    let config = format!("[build]\ntarget-dir = {:?}\n", shared.path());
    let checkout = |text: &str| {
        let source = format!("#[unsafe(no_mangle)]\npub extern \"C\" fn {text}() {{}}\n");
        App::new(&[
            ("Cargo.toml", LIBRARY),
            ("src/lib.rs", &source),
            (".cargo/config.toml", &config),
        ])
    };
    let (one, two) = (checkout("alpha"), checkout("omega"));
    let first = one.build().unwrap().wasm;
    let second = two.build().unwrap().wasm;
    assert_ne!(first, second);
    assert!(one.build().unwrap().wasm == first, "the other checkout's component was taken");
    assert!(two.build().unwrap().wasm == second, "the other checkout's component was taken");
}

#[test]
fn what_does_not_compile_fails_with_the_compilers_own_words() {
    let app = App::new(&[
        ("Cargo.toml", LIBRARY),
        ("src/lib.rs", "pub fn broken() -> u32 { \"text\" }\n"),
    ]);
    let failure = app.build().unwrap_err().downcast::<BuildFailure>().unwrap();
    assert!(failure.output.contains("mismatched types"), "{}", failure.output);
    assert!(failure.output.contains("src/lib.rs:1:"), "{}", failure.output);
    assert!(
        failure.summary.starts_with("cargo build failed: could not compile `shop`"),
        "{}",
        failure.summary
    );
    assert!(!failure.output.contains("\"reason\":"), "no JSON for people: {}", failure.output);
}

#[test]
fn a_broken_manifest_is_cargos_to_explain() {
    let app = App::new(&[("Cargo.toml", "[package]\nname = \n"), ("src/lib.rs", "")]);
    let failure = app.build().unwrap_err().downcast::<BuildFailure>().unwrap();
    assert!(failure.output.contains("Cargo.toml"), "{}", failure.output);
}

#[test]
fn a_folder_without_a_crate_is_named() {
    let app = App::new(&[("src/lib.rs", "")]);
    let text = app.build().unwrap_err().to_string();
    assert!(text.contains("has no Cargo.toml"), "{text}");
}
