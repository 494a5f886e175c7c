//! Instances of WASI 0.3 that serve several invocations: one after the other, and at once.

use crate::support::{Output, call, component, get, invocation, load, wasm};
use lambkin_engine::{Component, Invocation, InvokeError, Reuse, Stream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A function that no other test has instances of.
fn fresh() -> Component {
    load(&wasm("async-function"))
}

/// An invocation whose instance serves so many at once.
fn shared(max_concurrent: u32) -> Invocation {
    let mut invocation = invocation().0;
    let (max_invocations, max_age) = (1000, Duration::from_mins(1));
    invocation.reuse = Some(Reuse { max_invocations, max_age, max_concurrent });
    invocation
}

/// One that must end after so many milliseconds.
fn short(milliseconds: u64, max_concurrent: u32) -> Invocation {
    let mut invocation = shared(max_concurrent);
    invocation.deadline = Instant::now() + Duration::from_millis(milliseconds);
    invocation
}

async fn ask(
    function: &Component,
    event: &str,
    invocation: Invocation,
) -> Result<String, InvokeError> {
    function.function(event, invocation).await.map(|(answer, _)| answer)
}

async fn calls(function: &Component, max_concurrent: u32) -> String {
    ask(function, "calls", shared(max_concurrent)).await.unwrap()
}

#[tokio::test]
async fn an_instance_serves_one_after_the_other_as_many_as_it_may() {
    let function = fresh();
    for expected in ["1", "2", "3", "1", "2"] {
        let mut invocation = shared(1);
        invocation.reuse.as_mut().unwrap().max_invocations = 3;
        assert_eq!(ask(&function, "calls", invocation).await.unwrap(), expected);
    }
    // Who does not ask for it gets an instance of its own, and leaves the other alone.
    assert_eq!(ask(&function, "calls", invocation().0).await.unwrap(), "1");
    assert_eq!(calls(&function, 1).await, "3");
}

#[tokio::test]
async fn several_at_once_meet_in_one_instance_each_with_its_own_context() {
    let function = fresh();
    // Each waits for the other seven: none would end in an instance of its own.
    let meetings = (0..8).map(|index| {
        let mut invocation = shared(8);
        invocation.context.request_id = format!("request-{index}");
        let function = function.clone();
        async move { ask(&function, "meet 8", invocation).await.unwrap() }
    });
    let met = futures::future::join_all(meetings.map(tokio::spawn)).await;
    for (index, answer) in met.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), format!("request-{index}"));
    }
}

#[tokio::test]
async fn no_more_than_allowed_are_in_an_instance_at_once() {
    for (most, expected) in [(1, ["1", "1", "1"]), (2, ["1", "1", "2"]), (3, ["1", "2", "3"])] {
        let function = fresh();
        let event = |_| ask(&function, "calls 200", shared(most));
        let mut answers: Vec<_> = futures::future::join_all((0..3).map(event))
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        answers.sort();
        assert_eq!(answers, expected, "at most {most}");
    }
}

#[tokio::test]
async fn an_instance_is_never_shared_by_others() {
    let changes: [fn(&mut Invocation); 6] = [
        |one| one.context.app = "other".to_owned(),
        |one| one.context.release = "other".to_owned(),
        |one| one.context.tenant = Some("other".to_owned()),
        |one| one.environment.push(("A".to_owned(), "b".to_owned())),
        |one| one.grants.http.push("https://api.example.com".to_owned()),
        |one| one.limits.memory_bytes -= 1,
    ];
    let function = fresh();
    let others = changes.into_iter().map(|change| {
        let mut other = shared(100);
        change(&mut other);
        ask(&function, "calls 200", other)
    });
    for answer in futures::future::join_all(others).await {
        assert_eq!(answer.unwrap(), "1");
    }
}

#[tokio::test]
async fn a_trap_takes_the_others_along_and_nobody_enters_after_it() {
    let function = fresh();
    let (bystander, culprit) = tokio::join!(
        ask(&function, "calls 2000", shared(2)),
        ask(&function, "trap 100", shared(2)),
    );
    let culprit = culprit.unwrap_err();
    assert!(culprit.to_string().contains("an asynchronous end"), "{culprit}");
    assert_eq!(culprit.error_type(), "Runtime.Trap");
    let bystander = bystander.unwrap_err();
    assert_eq!(bystander.error_type(), "Runtime.InstanceLost");
    assert!(bystander.to_string().contains("the guest trapped"), "{bystander}");
    assert_eq!(calls(&function, 2).await, "1");
}

#[tokio::test]
async fn an_exit_ends_the_instance() {
    let function = fresh();
    assert_eq!(calls(&function, 1).await, "1");
    assert_eq!(ask(&function, "exit", shared(1)).await.unwrap_err(), InvokeError::NoResponse);
    assert_eq!(calls(&function, 1).await, "1");
    // An error of the function's own is no bad end.
    ask(&function, "throw", shared(1)).await.unwrap_err();
    assert_eq!(calls(&function, 1).await, "3");
}

#[tokio::test]
async fn one_that_runs_out_of_time_closes_the_instance_and_the_others_end() {
    let function = fresh();
    let (bystander, late, newcomer) = tokio::join!(
        ask(&function, "calls 500", shared(3)),
        ask(&function, "9000", short(100, 3)),
        async {
            sleep(Duration::from_millis(250)).await;
            calls(&function, 3).await
        },
    );
    assert!(matches!(late.unwrap_err(), InvokeError::Timeout { .. }));
    assert_eq!(bystander.unwrap(), "1");
    assert_eq!(newcomer, "1", "it found the door closed");
}

#[tokio::test]
async fn one_that_computes_beyond_its_deadline_ends_the_instance() {
    let function = fresh();
    let started = Instant::now();
    let (bystander, culprit) = tokio::join!(
        ask(&function, "calls 5000", shared(2)),
        ask(&function, "spin", short(300, 2)),
    );
    let culprit = culprit.unwrap_err();
    assert!(matches!(culprit, InvokeError::Timeout { .. }), "{culprit}");
    let bystander = bystander.unwrap_err();
    assert!(matches!(bystander, InvokeError::InstanceLost { .. }), "{bystander}");
    assert!(started.elapsed() < Duration::from_millis(4500), "{:?}", started.elapsed());
    assert_eq!(calls(&function, 2).await, "1");
}

#[tokio::test]
async fn one_that_is_given_up_closes_the_instance() {
    let function = fresh();
    assert_eq!(calls(&function, 2).await, "1");
    let given_up = ask(&function, "9000", shared(2));
    tokio::time::timeout(Duration::from_millis(100), given_up).await.unwrap_err();
    assert_eq!(calls(&function, 2).await, "1");
}

#[tokio::test]
async fn an_instance_dies_of_age_and_its_deadlines_are_each_their_own() {
    let function = fresh();
    let young = || {
        let mut invocation = short(150, 1);
        invocation.reuse.as_mut().unwrap().max_age = Duration::from_millis(400);
        invocation
    };
    assert_eq!(ask(&function, "calls", young()).await.unwrap(), "1");
    sleep(Duration::from_millis(250)).await;
    assert_eq!(ask(&function, "calls", young()).await.unwrap(), "2", "the first deadline is over");
    sleep(Duration::from_millis(250)).await;
    assert_eq!(ask(&function, "calls", young()).await.unwrap(), "1", "it is too old");
}

#[tokio::test]
async fn a_line_goes_to_its_invocation_and_one_of_several_to_what_they_share() {
    let function = fresh();
    let several = Output::default();
    let given = |id: &str| {
        let (mut invocation, own) = invocation();
        invocation.reuse = shared(2).reuse;
        invocation.context.request_id = id.to_owned();
        invocation.output_of_several = Some(several.sink());
        (invocation, own)
    };
    for id in ["a", "b"] {
        let (invocation, own) = given(id);
        ask(&function, "print", invocation).await.unwrap();
        assert_eq!(own.lines(Stream::Stdout), [format!("from {id}")]);
    }
    let ((first, first_own), (second, second_own)) = (given("c"), given("d"));
    let (first, second) =
        tokio::join!(ask(&function, "calls 200", first), ask(&function, "print 100", second));
    assert_eq!((first.unwrap(), second.unwrap()), ("3".to_owned(), "4".to_owned()));
    assert_eq!(several.lines(Stream::Stdout), ["from d"]);
    assert!(first_own.lines(Stream::Stdout).is_empty());
    assert!(second_own.lines(Stream::Stdout).is_empty());
}

#[tokio::test]
async fn a_web_handler_keeps_its_instance() {
    let given = |release: &str, most| {
        let mut invocation = shared(most);
        invocation.context.release = release.to_owned();
        invocation
    };
    for expected in ["1", "2", "3"] {
        let answer = call("http-async", get("/calls"), given("one", 1)).await.unwrap();
        assert_eq!((answer.status, answer.text()), (200, expected));
        answer.end.unwrap();
    }
    let at_once = (0..3).map(|_| call("http-async", get("/calls?200"), given("two", 3)));
    let mut texts = Vec::new();
    for answer in futures::future::join_all(at_once).await {
        let answer = answer.unwrap();
        texts.push(answer.text().to_owned());
        answer.end.unwrap();
    }
    texts.sort();
    assert_eq!(texts, ["1", "2", "3"]);
    // An answer that is an error is no bad end.
    call("http-async", get("/error"), given("two", 3)).await.unwrap_err();
    let answer = call("http-async", get("/calls"), given("two", 3)).await.unwrap();
    assert_eq!(answer.text(), "5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_share_instances_without_mixing_bodies() {
    let asked = (0..200_u32).map(|index| async move {
        let mut invocation = shared(16);
        invocation.context.release = "echo".to_owned();
        let text = index.to_string().repeat(10_000);
        let request = ::http::Request::post("https://shop.example/echo");
        let body = crate::support::body(text.clone());
        let answer = call("http-async", request.body(body).unwrap(), invocation).await.unwrap();
        assert_eq!(answer.text(), text);
        answer.end.unwrap();
    });
    futures::future::join_all(asked.map(tokio::spawn)).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test]
async fn the_bodies_of_all_break_off_with_their_instance() {
    let given = || {
        let mut invocation = shared(2);
        invocation.context.release = "half".to_owned();
        invocation
    };
    let (bystander, culprit) = tokio::join!(
        call("http-async", get("/trickle"), given()),
        call("http-async", get("/half"), given()),
    );
    let (bystander, culprit) = (bystander.unwrap(), culprit.unwrap());
    assert!(culprit.body.is_err() && bystander.body.is_err());
    let culprit = culprit.end.unwrap_err();
    assert!(culprit.to_string().contains("no second half"), "{culprit}");
    assert_eq!(bystander.end.unwrap_err().error_type(), "Runtime.InstanceLost");
}

#[tokio::test]
async fn a_body_that_runs_out_of_time_breaks_off_while_others_go_on() {
    let given = |milliseconds| {
        let mut invocation = short(milliseconds, 2);
        invocation.context.release = "trickle".to_owned();
        invocation
    };
    component("http-async");
    let started = Instant::now();
    let (late, other) = tokio::join!(
        async {
            let late = call("http-async", get("/trickle"), given(200)).await.unwrap();
            (late, started.elapsed())
        },
        call("http-async", get("/calls?800"), given(5000)),
    );
    let (late, elapsed) = late;
    assert!(late.body.is_err() && elapsed < Duration::from_millis(700), "{elapsed:?}");
    assert!(matches!(late.end.unwrap_err(), InvokeError::Timeout { .. }));
    assert_eq!(other.unwrap().text(), "2");
}

#[tokio::test]
async fn a_component_that_is_gone_takes_its_instances_along() {
    let function = fresh();
    assert_eq!(calls(&function, 1).await, "1");
    drop(function);
    assert_eq!(calls(&fresh(), 1).await, "1");
    let held = Arc::new(fresh());
    let last = Arc::clone(&held);
    let running = tokio::spawn(async move { ask(&last, "calls 200", shared(1)).await });
    sleep(Duration::from_millis(50)).await;
    drop(held);
    assert_eq!(running.await.unwrap().unwrap(), "1");
}
