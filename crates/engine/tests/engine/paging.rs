//! Artifacts that are not all there when their component starts: what is touched comes, and nothing is read before.

use crate::support::{MIB, artifact, get, invocation, wasm};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use lambkin_engine::{
    Allocator, ArtifactSource, Component, Engine, Function, InvokeError, Recording, Settings,
    Target, compile,
};

/// A component whose pages come one by one, and what notes them.
fn paged(engine: &Engine, guest: &str) -> (Component, Recording, usize) {
    let artifact = artifact(&wasm(guest));
    let size = artifact.len();
    let recording = Recording::new(Bytes::from(artifact)).unwrap();
    let component = engine.load(ArtifactSource::Paged(recording.paged())).unwrap();
    (component, recording, size)
}

fn touched(recording: &Recording) -> u64 {
    recording.touched().unwrap().iter().map(|range| range.end - range.start).sum()
}

#[tokio::test]
async fn a_guest_finds_what_it_touches() {
    for allocator in [Allocator::Pooling, Allocator::OnDemand] {
        let engine = Engine::new(&Settings { allocator, ..Settings::default() }).unwrap();
        let (function, recording, size) = paged(&engine, "function");
        let loaded = touched(&recording);
        for _ in 0..3 {
            let (answer, _) = function.function("calls", invocation().0).await.unwrap();
            assert_eq!(answer, "1", "{allocator:?}");
        }
        let called = touched(&recording);
        assert!(loaded < called, "{loaded} bytes were there, {called} were touched");
        assert!(called < size as u64, "{called} bytes of {size} were touched");
    }
}

/// A command with so many bytes of memory that it does not touch, none of them zero.
fn with_memory(bytes: usize) -> Recording {
    let text = format!(
        r#"(module
            (memory (export "memory") {})
            (data (i32.const 0) "{}")
            (func (export "_start")))"#,
        bytes.div_ceil(64 << 10),
        "x".repeat(bytes),
    );
    let command = compile::componentize(&wat::parse_str(text).unwrap()).unwrap();
    Recording::new(Bytes::from(artifact(&command))).unwrap()
}

#[tokio::test]
async fn what_is_left_of_a_small_memory_counts_as_touched() {
    let engine = Engine::new(&Settings::default()).unwrap();
    for (bytes, least, most) in [(0, 0, MIB), (MIB, MIB, 2 * MIB), (4 * MIB, 0, MIB)] {
        let recording = with_memory(usize::try_from(bytes).unwrap());
        let component = engine.load(ArtifactSource::Paged(recording.paged())).unwrap();
        component.command(Bytes::new(), invocation().0).await.unwrap();
        let touched = touched(&recording);
        assert!((least..most).contains(&touched), "{touched} bytes of a memory of {bytes}");
    }
}

#[tokio::test]
async fn a_trap_is_told_though_what_says_where_code_traps_is_not_there() {
    let engine = Engine::new(&Settings::default()).unwrap();
    let (function, recording, _) = paged(&engine, "function");
    let before = touched(&recording);
    let error = function.function("trap", invocation().0).await.unwrap_err();
    assert!(matches!(error, InvokeError::Trap { .. }), "{error:?}");
    assert!(before < touched(&recording));
}

#[tokio::test]
async fn what_is_written_to_a_page_is_the_instances_own() {
    let engine = Engine::new(&Settings::default()).unwrap();
    let (function, _recording, _) = paged(&engine, "function");
    let (other, _other_recording, _) = paged(&engine, "http");
    // The slot of the one goes to the other and back, and its memory is mapped anew each time.
    for _ in 0..3 {
        let (answer, _) = function.function("calls", invocation().0).await.unwrap();
        assert_eq!(answer, "1");
        let answer = other.http(get("/hello"), invocation().0).await.unwrap();
        let body = answer.response.into_body().collect().await.unwrap().to_bytes();
        assert!(!body.is_empty());
        answer.usage.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_wait_for_the_same_pages() {
    let engine = Engine::new(&Settings { concurrency: 16, ..Settings::default() }).unwrap();
    let (function, _recording, _) = paged(&engine, "function");
    for _ in 0..4 {
        let calls = (0..16).map(|_| {
            let function = function.clone();
            tokio::spawn(async move { function.function("calls", invocation().0).await.unwrap().0 })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), "1");
        }
    }
}

#[tokio::test]
async fn functions_that_ran_are_told_from_others() {
    let command = r#"(component
        (core module $code
            (func $idle (export "idle") (result i32) (i32.const 1))
            (func $called (result i32) (i32.const 0))
            (func $idle_too (result i32) (call $idle))
            (func $run (export "run") (result i32) (call $called)))
        (core instance $instance (instantiate $code))
        (func $run (result (result)) (canon lift (core func $instance "run")))
        (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#;
    let command = wat::parse_str(command).unwrap();
    let apart = compile::compile_apart(&command, Target::current()).unwrap();
    let recording = Recording::new(Bytes::from(apart)).unwrap();
    let engine = Engine::new(&Settings::default()).unwrap();
    let component = engine.load(ArtifactSource::Paged(recording.paged())).unwrap();
    assert_eq!(recording.functions(&component).unwrap(), [], "loading runs nothing");
    component.command(Bytes::new(), invocation().0).await.unwrap();
    let ran = recording.functions(&component).unwrap();
    assert_eq!(ran, [1, 3].map(|index| Function { module: 0, index }));
}
