//! HTTP components of `wasi:http` 0.2 and 0.3: everything here is asked of both.

use crate::support::{MIB, body, call, component, get, invocation, text};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use lambkin_engine::{Body, Fault, InvokeError, Stream, World};

const BOTH: [&str; 2] = ["http", "http-async"];

#[test]
fn worlds_and_imports_are_known() {
    let (http, http_async) = (component("http"), component("http-async"));
    assert_eq!((http.world(), http_async.world()), (World::Http, World::HttpAsync));
    assert!(
        http.imports().iter().any(|import| import.starts_with("wasi:http/outgoing-handler@0.2."))
    );
    assert!(http_async.imports().iter().any(|import| import.starts_with("wasi:http/client@0.3.")));
}

#[tokio::test]
async fn a_request_is_answered() {
    for guest in BOTH {
        let request =
            ::http::Request::post("https://shop.example/echo?a=b%20c").header("x-echo", "value");
        let answer =
            call(guest, request.body(body("hello")).unwrap(), invocation().0).await.unwrap();
        assert_eq!((answer.status, answer.text()), (201, "hello"), "{guest}");
        assert_eq!(answer.headers["x-echo"], "value", "{guest}");
        let usage = answer.end.unwrap();
        assert!(
            usage.peak_memory_bytes > 0 && usage.peak_memory_bytes < 64 * MIB,
            "{guest}: {usage:?}"
        );
    }
}

#[tokio::test]
async fn method_and_uri_arrive() {
    let request =
        ::http::Request::patch("http://shop.example:81/echo?x=%2F").body(body("")).unwrap();
    let answer = call("http", request, invocation().0).await.unwrap();
    assert_eq!(answer.headers["x-method"], "PATCH");
    assert_eq!(answer.headers["x-uri"], "http://shop.example:81/echo?x=%2F");
}

/// Eight MiB through a guest that echoes: more than any buffer on the way, so both directions must stream.
#[tokio::test]
async fn large_bodies_stream_both_ways() {
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 128;
    for guest in BOTH {
        let (taken, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let chunks = futures::stream::iter(0..CHUNKS).map(move |index| {
            taken.send(index).unwrap();
            Ok(Frame::data(Bytes::from(vec![u8::try_from(index).unwrap(); CHUNK])))
        });
        let request: ::http::Request<Body> =
            get("/echo").map(|_| StreamBody::new(chunks).boxed_unsync());
        let answer = component(guest).http(request, invocation().0).await.unwrap();
        let mut body = answer.response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let taken = std::iter::from_fn(|| seen.try_recv().ok()).count();
        assert!(
            taken < CHUNKS / 2,
            "{guest}: {taken} of {CHUNKS} chunks were taken before the first was answered"
        );
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(first.len() + rest.len(), CHUNK * CHUNKS, "{guest}");
        assert!(
            first.iter().all(|&byte| byte == 0) && rest.ends_with(&vec![127; CHUNK]),
            "{guest}"
        );
        answer.usage.await.unwrap();
    }
}

#[tokio::test]
async fn a_large_answer_of_the_guest_arrives_whole() {
    for guest in BOTH {
        assert_eq!(text(guest, "/large?6000000").await.len(), 6_000_000, "{guest}");
    }
}

#[tokio::test]
async fn a_guest_that_fails_in_its_body_fails_the_body() {
    for guest in BOTH {
        let answer = call(guest, get("/half"), invocation().0).await.unwrap();
        assert_eq!(answer.status, 200, "{guest}");
        assert!(answer.body.is_err(), "{guest}: {:?}", answer.body);
        let end = answer.end.unwrap_err();
        assert!(
            matches!(end, InvokeError::Trap { .. }) && end.to_string().contains("no second half"),
            "{guest}: {end}"
        );
    }
}

#[tokio::test]
async fn output_comes_line_by_line() {
    for (guest, last) in [("http", Some("unfinished")), ("http-async", None)] {
        let (invocation, output) = invocation();
        assert_eq!(call(guest, get("/log"), invocation).await.unwrap().text(), "logged", "{guest}");
        let expected: Vec<_> = ["out 1", "out 2"].into_iter().chain(last).collect();
        assert_eq!(output.lines(Stream::Stdout), expected, "{guest}");
        assert_eq!(output.lines(Stream::Stderr), ["err 1"], "{guest}");
    }
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_nothing_else() {
    for guest in BOTH {
        let (mut invocation, _) = invocation();
        invocation.environment = vec![("GREETING".to_owned(), "ahoj".to_owned())];
        assert_eq!(
            call(guest, get("/env?GREETING"), invocation).await.unwrap().text(),
            "Ok(\"ahoj\")",
            "{guest}"
        );
        assert_eq!(text(guest, "/env?PATH").await, "Err(NotPresent)", "{guest}");
    }
}

#[tokio::test]
async fn each_instance_is_fresh() {
    assert_ne!(text("http", "/fresh").await, text("http", "/fresh").await);
}

#[tokio::test]
async fn a_trap_names_functions_and_tells_the_last_words() {
    let error = call("http", get("/trap?unknown"), invocation().0).await.unwrap_err();
    let InvokeError::Trap { message, backtrace } = &error else { panic!("{error}") };
    assert!(
        message.contains("unreachable") && message.contains("an index that is known"),
        "{message}"
    );
    assert!(
        backtrace.iter().any(|frame| frame.ends_with("a_function_that_traps")),
        "{backtrace:?}"
    );
    assert_eq!((error.fault(), error.error_type().as_str()), (Fault::Guest, "Runtime.Trap"));
    let error = call("http-async", get("/trap"), invocation().0).await.unwrap_err();
    assert!(error.to_string().contains("an asynchronous end"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_an_error_is_told_by_its_name() {
    let error = call("http-async", get("/error"), invocation().0).await.unwrap_err();
    assert_eq!(error, InvokeError::Http { code: "loop-detected".to_owned(), fault: Fault::Guest });
}

#[tokio::test]
async fn a_guest_that_leaves_without_an_answer_gives_no_response() {
    assert_eq!(
        call("http", get("/exit"), invocation().0).await.unwrap_err(),
        InvokeError::NoResponse
    );
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let request = ::http::Request::get("/echo").body(body("")).unwrap();
    let error = call("http", request, invocation().0).await.unwrap_err();
    assert!(matches!(error, InvokeError::Request { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_at_once_do_not_disturb_each_other() {
    for guest in BOTH {
        let calls = (0..100_u32).map(|index| async move {
            let request = ::http::Request::post("https://shop.example/echo")
                .header("x-echo", index.to_string());
            let answer =
                call(guest, request.body(body(index.to_string())).unwrap(), invocation().0)
                    .await
                    .unwrap();
            assert_eq!(
                (answer.text(), &answer.headers["x-echo"]),
                (index.to_string().as_str(), &index.to_string())
            );
        });
        futures::future::join_all(calls).await;
    }
}
