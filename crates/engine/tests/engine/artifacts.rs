//! Artifacts: made for either CPU, loaded from memory and from files, and refused when they do not fit.

use crate::support::{artifact, component, engine, invocation, wasm};
use lambkin_engine::{
    Allocator, ArtifactSource, Engine, Granted, ImportError, LoadError, Settings, Target, World,
    compile, fingerprint,
};

/// The one of the two targets that this machine is not.
fn other() -> Target {
    let current = Target::current();
    Target::ALL.into_iter().find(|&target| target != current).unwrap()
}

#[tokio::test]
async fn a_file_is_mapped_and_both_allocators_run_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), artifact(&wasm("function"))).unwrap();
    for allocator in [Allocator::OnDemand, Allocator::Pooling] {
        let settings = Settings { concurrency: 4, allocator, ..Settings::default() };
        let component =
            Engine::new(&settings).unwrap().load(ArtifactSource::File(file.path())).unwrap();
        for _ in 0..10 {
            assert_eq!(
                component.function("1", invocation().0).await.unwrap().0,
                "1",
                "{allocator:?}"
            );
        }
    }
}

#[test]
fn artifacts_are_repeatable() {
    let wasm = wasm("function");
    for target in Target::ALL {
        assert_eq!(
            compile::compile(&wasm, target, None).unwrap(),
            compile::compile(&wasm, target, None).unwrap()
        );
    }
    assert_eq!(artifact(&wasm), compile::compile(&wasm, Target::current(), None).unwrap());
}

#[test]
fn an_artifact_for_the_other_cpu_is_refused_by_name() {
    let artifact = compile::compile(&wasm("function"), other(), None).unwrap();
    let error = engine().load(ArtifactSource::Bytes(&artifact)).unwrap_err();
    let LoadError::OtherTarget { found, expected } = &error else { panic!("{error}") };
    assert_eq!((found.as_str(), *expected), (other().as_str(), Target::current()));
}

#[test]
fn an_artifact_of_another_engine_is_refused_by_name() {
    let mut artifact = artifact(&wasm("function"));
    let ours = fingerprint();
    let at = artifact.windows(ours.len()).position(|window| window == ours.as_bytes()).unwrap();
    artifact[at + ours.len() - 1] = b'0';
    let error = engine().load(ArtifactSource::Bytes(&artifact)).unwrap_err();
    let LoadError::OtherEngine { found, expected } = &error else { panic!("{error}") };
    assert_eq!((found.strip_suffix('0'), expected), (ours.get(..ours.len() - 1), &ours));
}

#[test]
fn a_truncated_artifact_is_refused() {
    let artifact = artifact(&wasm("function"));
    let folder = tempfile::tempdir().unwrap();
    for length in [5, 100, artifact.len() / 2, artifact.len() - 1] {
        let truncated = &artifact[..length];
        assert!(
            matches!(
                engine().load(ArtifactSource::Bytes(truncated)),
                Err(LoadError::Damaged { .. })
            ),
            "{length}"
        );
        let file = folder.path().join(length.to_string());
        fs_err::write(&file, truncated).unwrap();
        assert!(
            matches!(engine().load(ArtifactSource::File(&file)), Err(LoadError::Damaged { .. })),
            "{length}"
        );
    }
    let missing = engine().load(ArtifactSource::File(&folder.path().join("missing"))).unwrap_err();
    assert!(matches!(missing, LoadError::Read(_)), "{missing}");
}

#[test]
fn wasm_that_was_not_compiled_is_refused() {
    let error = engine().load(ArtifactSource::Bytes(&wasm("function"))).unwrap_err();
    assert!(error.to_string().contains("a component that has not been compiled"), "{error}");
}

#[test]
fn an_unknown_import_is_refused_before_and_after_compiling() {
    let wasm = wasm("unknown");
    let expected = ImportError::Unknown {
        import: "wasi:http/outgoing-handlers@0.2.0".to_owned(),
        nearest: "wasi:http/outgoing-handler@0.2.x".to_owned(),
    };
    let inspection = compile::inspect(&wasm).unwrap();
    assert_eq!(compile::check_imports(&inspection, Granted::default()), Err(expected.clone()));
    let error = engine().load(ArtifactSource::Bytes(&artifact(&wasm))).unwrap_err();
    let LoadError::Import(found) = error else { panic!("{error}") };
    assert_eq!(found, expected);
}

#[test]
fn configuration_has_to_be_granted() {
    let inspection = compile::inspect(&wasm("configured")).unwrap();
    let error = compile::check_imports(&inspection, Granted::default()).unwrap_err();
    assert!(error.to_string().contains("`[component.<name>.config]`"), "{error}");
    assert_eq!(compile::check_imports(&inspection, Granted { config: true }), Ok(()));
}

#[test]
fn inspecting_agrees_with_loading() {
    for (guest, world) in [
        ("http", World::Http),
        ("http-async", World::HttpAsync),
        ("function", World::Function),
        ("async-function", World::AsyncFunction),
        ("command", World::Command),
    ] {
        let inspection = compile::inspect(&wasm(guest)).unwrap();
        assert_eq!((inspection.world, component(guest).world()), (world, world), "{guest}");
        assert_eq!(inspection.imports, component(guest).imports(), "{guest}");
    }
}

/// Loading asks the machine for each CPU feature that an artifact names; none beyond x86-64-v3 and N1 may be among them.
#[test]
fn artifacts_ask_for_no_more_than_their_target_has() {
    for (target, allowed) in [(Target::X86_64, "avx2"), (Target::Aarch64, "lse")] {
        let artifact = compile::compile(&wasm("function"), target, None).unwrap();
        let enabled = enabled_features(&artifact);
        assert!(enabled.iter().any(|feature| feature == allowed), "{target}: {enabled:?}");
        let beyond = ["avx512", "vnni", "pauth", "fp16", "dotprod", "i8mm"];
        assert!(
            enabled.iter().all(|feature| !beyond.iter().any(|part| feature.contains(part))),
            "{target}: {enabled:?}"
        );
    }
}

/// Features that are on in an artifact's engine section: `has_<name>`, the tag of a boolean (1), and its value.
fn enabled_features(artifact: &[u8]) -> Vec<String> {
    let starts = artifact
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"has_")
        .map(|(at, _)| at + 4);
    let feature = |at: usize| {
        let length = artifact[at..]
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
        let name = std::str::from_utf8(&artifact[at..at + length]).ok()?;
        (artifact[at + length] == 2 && artifact[at + length + 1] == 1).then(|| name.to_owned())
    };
    starts.filter_map(feature).collect()
}
