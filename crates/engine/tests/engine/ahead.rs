//! Instances that are made before their invocation comes: when, for whom, and what becomes of those that nobody calls.

use crate::support::{APART, Output, get, invocation, load_into, wasm};
use lambkin_engine::{Component, Engine, Grants, Invocation, Settings, Stream, Teardown};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn engine() -> Engine {
    let settings = Settings { teardown: Teardown::WhenAsked, ..Settings::default() };
    Engine::new(&settings).unwrap()
}

/// An invocation whose instance runs start-up code.
fn starting(start: &str) -> (Invocation, Output) {
    let (mut invocation, output) = invocation();
    invocation.environment.push(("START".to_owned(), start.to_owned()));
    (invocation, output)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}

/// Whether the instance of this invocation began before it.
async fn began_before(function: &Component, invocation: Invocation) -> bool {
    let called = now();
    let (started, _) = function.function("started", invocation).await.unwrap();
    started.parse::<u64>().unwrap() < called
}

/// Has the engine make an instance for an invocation like that of [`starting`].
async fn prepared(engine: &Engine, function: &Component) {
    for _ in 0..2 {
        function.function("calls", starting("").0).await.unwrap();
        engine.between_invocations().await;
    }
}

fn folders(folder: &Path) -> usize {
    fs_err::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn between_two_invocations_the_next_instance_is_made() {
    let engine = engine();
    let function = load_into(&engine, &wasm("function"));
    // After the first one, which may be the last, none is made.
    for _ in 0..2 {
        engine.between_invocations().await;
        assert!(!began_before(&function, starting("").0).await);
    }
    for _ in 0..20 {
        engine.between_invocations().await;
        let (invocation, output) = starting("");
        assert!(began_before(&function, invocation).await);
        // What start-up code writes is in the log of whom the instance served.
        assert_eq!(output.lines(Stream::Stderr), ["start-up", "and more"]);
    }
    engine.between_invocations().await;
    let (calls, usage) = function.function("calls", starting("").0).await.unwrap();
    assert_eq!(calls, "1");
    assert!(usage.peak_memory_bytes > 0);
}

#[tokio::test]
async fn without_being_asked_none_is_made() {
    let engine = Engine::new(&Settings::default()).unwrap();
    let function = load_into(&engine, &wasm("function"));
    function.prepare(&starting("").0).await;
    prepared(&engine, &function).await;
    assert!(!began_before(&function, starting("").0).await);
}

#[tokio::test]
async fn one_can_be_made_before_the_first_invocation() {
    let engine = engine();
    let function = load_into(&engine, &wasm("function"));
    function.prepare(&starting("").0).await;
    assert!(began_before(&function, starting("").0).await);
}

#[tokio::test]
async fn every_world_that_is_called_has_one() {
    for guest in ["function", "async-function", "http", "http-async"] {
        let engine = engine();
        let component = load_into(&engine, &wasm(guest));
        let folder = tempfile::tempdir().unwrap();
        for made in [0, 1, 1] {
            let (mut granted, _) = invocation();
            granted.grants = Grants { tmp: Some(folder.path().to_owned()), ..Grants::default() };
            if guest.contains("http") {
                let answer = component.http(get("/"), granted).await.unwrap();
                drop(answer.response);
                let _ended = answer.usage.await;
            } else {
                component.function("\"x\"", granted).await.unwrap();
            }
            // The invocation's own, or the one that was made for it.
            assert_eq!(folders(folder.path()), 1, "{guest}");
            engine.between_invocations().await;
            assert_eq!(folders(folder.path()), made, "{guest}");
        }
        drop(component);
        assert_eq!(folders(folder.path()), 0, "{guest}: it goes with its component");
    }
}

#[tokio::test]
async fn it_serves_one_app_release_tenant_and_environment() {
    let engine = engine();
    let function = load_into(&engine, &wasm("function"));
    for change in APART {
        prepared(&engine, &function).await;
        let mut other = starting("").0;
        change(&mut other);
        assert!(!began_before(&function, other).await);
    }
}

#[tokio::test]
async fn none_is_made_for_components_that_take_turns() {
    let engine = engine();
    let components = [load_into(&engine, &wasm("function")), load_into(&engine, &wasm("function"))];
    for _ in 0..3 {
        for function in &components {
            assert!(!began_before(function, starting("").0).await);
            engine.between_invocations().await;
        }
    }
    // The second one of the last turn was the first of two in a row.
    let [_, second] = &components;
    assert!(!began_before(second, starting("").0).await);
    engine.between_invocations().await;
    assert!(began_before(second, starting("").0).await);
}

#[tokio::test]
async fn start_up_code_that_fails_or_takes_long_is_left_to_the_invocation() {
    for (start, says) in [("trap", "no start"), ("spin", "did not finish")] {
        let engine = engine();
        let function = load_into(&engine, &wasm("function"));
        let begun = Instant::now();
        function.prepare(&short(start).0).await;
        let (invocation, output) = short(start);
        let error = function.function("calls", invocation).await.unwrap_err();
        assert!(error.to_string().contains(says), "{start}: {error}");
        assert_eq!(output.lines(Stream::Stderr)[0], "start-up");
        assert!(begun.elapsed() < Duration::from_secs(5), "{start}");
        // The engine is none the worse.
        prepared(&engine, &function).await;
        assert!(began_before(&function, starting("").0).await);
    }
}

#[tokio::test]
async fn start_up_code_that_writes_much_writes_to_the_invocations_log_itself() {
    let engine = engine();
    let function = load_into(&engine, &wasm("function"));
    function.prepare(&starting("shout").0).await;
    let (invocation, output) = starting("shout");
    assert!(!began_before(&function, invocation).await);
    assert_eq!(output.lines(Stream::Stderr).len(), 10_001);
}

fn short(start: &str) -> (Invocation, Output) {
    let (mut invocation, output) = starting(start);
    invocation.deadline = Instant::now() + Duration::from_millis(300);
    (invocation, output)
}
