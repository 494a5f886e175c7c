//! Instances that serve several invocations: what stays, for whom, and when it ends.

use crate::support::{APART, call, component, get, invocation, load, wasm};
use lambkin_engine::{Component, Invocation, InvokeError, Reuse, Stream};
use std::time::{Duration, Instant};

/// A component that no other test has instances of.
fn fresh() -> Component {
    load(&wasm("function"))
}

fn reused(max_invocations: u32) -> Invocation {
    let mut invocation = invocation().0;
    invocation.reuse =
        Some(Reuse { max_invocations, max_age: Duration::from_mins(1), max_concurrent: 1 });
    invocation
}

async fn calls(component: &Component, invocation: Invocation) -> String {
    component.function("calls", invocation).await.unwrap().0
}

#[tokio::test]
async fn an_instance_serves_as_many_invocations_as_it_may() {
    let function = fresh();
    for expected in ["1", "2", "3", "1", "2"] {
        assert_eq!(calls(&function, reused(3)).await, expected);
    }
    // Who does not ask for it gets an instance of its own, and leaves the other alone.
    assert_eq!(calls(&function, invocation().0).await, "1");
    assert_eq!(calls(&function, reused(3)).await, "3");
}

#[tokio::test]
async fn an_instance_serves_one_app_release_tenant_and_environment() {
    let function = fresh();
    assert_eq!(calls(&function, reused(100)).await, "1");
    for change in APART {
        let mut other = reused(100);
        change(&mut other);
        assert_eq!(calls(&function, other).await, "1");
    }
    assert_eq!(calls(&function, reused(100)).await, "2");
}

#[tokio::test]
async fn an_instance_that_came_to_a_bad_end_is_gone() {
    let function = fresh();
    for event in ["trap", "exit", "spin"] {
        assert_eq!(calls(&function, reused(100)).await, "1");
        let mut last = reused(100);
        last.deadline = Instant::now() + Duration::from_millis(300);
        function.function(event, last).await.unwrap_err();
        assert_eq!(calls(&function, reused(1)).await, "1", "after {event}");
    }
    // An error of the function's own is no bad end.
    calls(&function, reused(100)).await;
    function.function("\"throw\"", reused(100)).await.unwrap_err();
    assert_ne!(calls(&function, reused(100)).await, "1");
}

#[tokio::test]
async fn an_instance_dies_of_age_and_with_its_component() {
    let function = fresh();
    let short = || {
        let mut invocation = reused(100);
        invocation.reuse = Some(Reuse {
            max_invocations: 100,
            max_age: Duration::from_millis(50),
            max_concurrent: 1,
        });
        invocation
    };
    assert_eq!(calls(&function, short()).await, "1");
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert_eq!(calls(&function, short()).await, "1");
    drop(function);
    assert_eq!(calls(&fresh(), reused(100)).await, "1");
}

#[tokio::test]
async fn each_invocation_has_its_own_deadline_and_output() {
    let function = fresh();
    let mut first = reused(100);
    first.deadline = Instant::now() + Duration::from_millis(200);
    assert_eq!(calls(&function, first).await, "1");
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(calls(&function, reused(100)).await, "2", "the first one's deadline is over");
    let mut late = reused(100);
    late.deadline = Instant::now() + Duration::from_millis(300);
    let error = function.function("spin", late).await.unwrap_err();
    assert!(matches!(error, InvokeError::Timeout { .. }), "{error}");

    for _ in 0..3 {
        let (mut logged, output) = invocation();
        logged.reuse = reused(100).reuse;
        let answer = call("http", get("/log"), logged).await.unwrap();
        answer.end.unwrap();
        assert_eq!(output.lines(Stream::Stdout), ["out 1", "out 2", "unfinished"]);
        assert_eq!(output.lines(Stream::Stderr), ["err 1"]);
    }
}

#[tokio::test]
async fn a_web_handler_keeps_its_instance_and_its_tmp() {
    let folder = tempfile::tempdir().unwrap();
    let given = || {
        let mut invocation = reused(100);
        invocation.grants.tmp = Some(folder.path().to_owned());
        invocation
    };
    for _ in 0..3 {
        let answer = call("http", get("/tmp?kept"), given()).await.unwrap();
        assert!(answer.text().contains("kept"), "{}", answer.text());
        answer.end.unwrap();
        let folders = fs_err::read_dir(folder.path()).unwrap().count();
        assert_eq!(folders, 1, "one instance, one folder");
    }
    // One that exits after its answer is not used again, and takes its folder along.
    let _ = call("http", get("/exit"), given()).await;
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn many_at_once_have_an_instance_each() {
    let function = component("function");
    let all = futures::future::join_all((0..20).map(|_| calls(&function, reused(1000)))).await;
    assert_eq!(all.len(), 20);
}
