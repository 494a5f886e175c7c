//! Deadlines and memory bounds, in every world.

use crate::support::{MIB, call, component, get, invocation, text};
use lambkin_engine::{Fault, Grants, Invocation, InvokeError};
use std::time::{Duration, Instant};

fn short() -> Invocation {
    let mut invocation = invocation().0;
    invocation.deadline = Instant::now() + Duration::from_millis(200);
    invocation
}

/// The guest was stopped by its deadline, not long before and not long after.
fn assert_timeout(error: &InvokeError, started: Instant) {
    assert!(matches!(error, InvokeError::Timeout { .. }), "{error}");
    assert_eq!((error.fault(), error.error_type().as_str()), (Fault::Guest, "Sandbox.Timedout"));
    let elapsed = started.elapsed();
    assert!(
        elapsed >= Duration::from_millis(190) && elapsed < Duration::from_secs(3),
        "{elapsed:?}"
    );
}

#[tokio::test]
async fn a_guest_that_spins_is_stopped() {
    for guest in ["http", "http-async"] {
        component(guest);
        let started = Instant::now();
        assert_timeout(&call(guest, get("/spin"), short()).await.unwrap_err(), started);
    }
    for guest in ["function", "async-function"] {
        let component = component(guest);
        let started = Instant::now();
        assert_timeout(&component.function("spin", short()).await.unwrap_err(), started);
    }
    let component = component("command");
    let started = Instant::now();
    assert_timeout(&component.command("spin".into(), short()).await.unwrap_err(), started);
}

#[tokio::test]
async fn a_guest_that_waits_is_stopped() {
    for guest in ["http", "http-async"] {
        component(guest);
        let started = Instant::now();
        assert_timeout(&call(guest, get("/wait?60000"), short()).await.unwrap_err(), started);
    }
    let component = component("async-function");
    let started = Instant::now();
    assert_timeout(&component.function("60000", short()).await.unwrap_err(), started);
}

/// On one thread: a guest that burns the CPU must let others have their turn.
#[tokio::test]
async fn a_spinning_guest_does_not_starve_the_others() {
    component("http");
    let mut spin = short();
    spin.deadline = Instant::now() + Duration::from_secs(5);
    let spinning = call("http", get("/spin"), spin);
    let others = async {
        for _ in 0..5 {
            assert_eq!(text("http", "/wait?10").await, "waited");
        }
        Instant::now()
    };
    let started = Instant::now();
    let (outcome, done) = tokio::join!(spinning, others);
    assert!(matches!(outcome.unwrap_err(), InvokeError::Timeout { .. }));
    assert!(done - started < Duration::from_secs(4), "{:?}", done - started);
}

#[tokio::test]
async fn a_deadline_in_the_past_stops_at_once() {
    let mut late = invocation().0;
    late.deadline = Instant::now();
    let error = component("function").function("1", late).await.unwrap_err();
    assert!(matches!(error, InvokeError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn too_much_memory_is_told_as_such() {
    let error = call("http", get("/oom"), invocation().0).await.unwrap_err();
    assert_eq!(error, InvokeError::OutOfMemory { limit_bytes: 64 * MIB });
    assert_eq!((error.fault(), error.error_type().as_str()), (Fault::Guest, "Runtime.OutOfMemory"));
    let mut small = invocation().0;
    small.limits.memory_bytes = 20 * MIB;
    let error = component("function").function("memory", small).await.unwrap_err();
    assert_eq!(error, InvokeError::OutOfMemory { limit_bytes: 20 * MIB });
}

#[tokio::test]
async fn a_component_larger_than_the_bound_is_out_of_memory() {
    let mut tiny = invocation().0;
    tiny.limits.memory_bytes = 64 * 1024;
    let error = component("function").function("1", tiny).await.unwrap_err();
    assert_eq!(error, InvokeError::OutOfMemory { limit_bytes: 64 * 1024 });
}

#[tokio::test]
async fn tmp_is_empty_and_private_and_gone_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let (mut granted, _) = invocation();
    granted.grants = Grants { tmp: Some(folder.path().to_owned()), ..Grants::default() };
    assert_eq!(call("http", get("/tmp?kept"), granted).await.unwrap().text(), "Ok(\"kept\")");
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0, "it is gone with its guest");
    let denied = text("http", "/tmp?kept").await;
    assert!(denied.starts_with("Err("), "{denied}");
    let (mut missing, _) = invocation();
    missing.grants.tmp = Some(folder.path().join("none"));
    let error = call("http", get("/tmp?kept"), missing).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Config, "{error}");
}

/// A host function that panics fails its own invocation; the engine goes on.
#[tokio::test]
async fn a_panic_in_the_host_fails_only_its_invocation() {
    for guest in ["http", "http-async"] {
        let (mut panicking, _) = invocation();
        panicking.output = std::sync::Arc::new(|_, line: &str| {
            assert!(!line.starts_with("out 1"), "a broken sink");
        });
        let error = call(guest, get("/log"), panicking).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Host, "{guest}: {error}");
        assert_eq!(text(guest, "/log").await, "logged", "{guest}");
    }
}
