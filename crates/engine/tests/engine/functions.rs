//! Functions: synchronous and asynchronous, what they are told and what they answer.

use crate::support::{MIB, component, core_wasm, invocation, load};
use lambkin_engine::{InvokeError, LambdaFunction, World, compile};
use std::time::Instant;

#[tokio::test]
async fn a_function_answers_its_event() {
    let function = component("function");
    assert_eq!(function.world(), World::Function);
    let (answer, usage) = function.function(r#"{"a":1}"#, invocation().0).await.unwrap();
    assert_eq!(answer, r#"{"a":1}"#);
    assert!(usage.peak_memory_bytes > 0);
}

#[tokio::test]
async fn the_error_of_a_function_comes_with_its_type() {
    for (guest, error_type) in [("function", "TypeError"), ("async-function", "ValueError")] {
        let error = component(guest).function("\"throw\"", invocation().0).await.unwrap_err();
        assert_eq!(error.error_type(), format!("Function.{error_type}"));
        let InvokeError::Function { error_message, .. } = error else { panic!("{error}") };
        assert_eq!(error_message, "boom");
    }
}

#[tokio::test]
async fn the_context_arrives() {
    let (mut invocation, _) = invocation();
    invocation.context.deadline_ms = 1234;
    invocation.context.tenant = Some("blue".to_owned());
    invocation.context.function = LambdaFunction { memory_mb: 512, ..LambdaFunction::default() };
    let (answer, _) = component("function").function("context", invocation).await.unwrap();
    for part in ["request-1", "1234", "Some(\"blue\")", "512"] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
}

#[tokio::test]
async fn the_environment_comes_both_ways() {
    let (mut invocation, _) = invocation();
    invocation.environment = vec![("GREETING".to_owned(), "ahoj".to_owned())];
    let (answer, _) = component("function").function("environment", invocation).await.unwrap();
    assert_eq!(answer, r#"[("GREETING", "ahoj")] [("GREETING", "ahoj")]"#);
}

#[tokio::test]
async fn configuration_is_read_through_wasi_config() {
    let (mut invocation, _) = invocation();
    invocation.config.insert("colour".to_owned(), "green".to_owned());
    let (answer, _) = component("configured").function("colour", invocation.clone()).await.unwrap();
    assert_eq!(answer, "Ok(Some(\"green\"))");
    let (answer, _) = component("configured").function("size", invocation).await.unwrap();
    assert_eq!(answer, "Ok(None)");
}

#[tokio::test]
async fn nothing_stays_from_one_call_to_the_next() {
    for _ in 0..3 {
        assert_eq!(component("function").function("calls", invocation().0).await.unwrap().0, "1");
    }
}

#[tokio::test]
async fn asynchronous_functions_wait_at_the_same_time() {
    let function = component("async-function");
    assert_eq!(function.world(), World::AsyncFunction);
    let started = Instant::now();
    let calls = (0..20).map(|_| function.function("200", invocation().0));
    for outcome in futures::future::join_all(calls).await {
        assert_eq!(outcome.unwrap().0, "200 request-1");
    }
    assert!(started.elapsed().as_millis() < 3500, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_trap_and_an_exit_are_told_apart() {
    let error = component("function").function("trap", invocation().0).await.unwrap_err();
    assert!(error.to_string().contains("no such event"), "{error}");
    let error = component("function").function("exit", invocation().0).await.unwrap_err();
    assert_eq!(error, InvokeError::NoResponse);
}

#[tokio::test]
async fn memory_is_measured() {
    let (answer, usage) = component("function").function("memory", invocation().0).await.unwrap();
    assert_eq!(answer, (40 * MIB).to_string());
    assert!(
        usage.peak_memory_bytes >= 40 * MIB && usage.peak_memory_bytes <= 64 * MIB,
        "{usage:?}"
    );
}

#[tokio::test]
async fn a_core_module_becomes_a_function() {
    let wasm = compile::componentize(&core_wasm("function")).unwrap();
    assert_eq!(compile::inspect(&wasm).unwrap().world, World::Function);
    let component = load(&wasm);
    assert_eq!(component.function("[1]", invocation().0).await.unwrap().0, "[1]");
}

#[tokio::test]
async fn a_component_is_called_only_as_what_it_is() {
    let error =
        component("function").command(bytes::Bytes::new(), invocation().0).await.unwrap_err();
    assert_eq!(error, InvokeError::WrongWorld { found: World::Function, called: "a command" });
    let error = component("http").function("", invocation().0).await.unwrap_err();
    assert_eq!(error, InvokeError::WrongWorld { found: World::Http, called: "a function" });
    let error =
        component("function").http(crate::support::get("/"), invocation().0).await.unwrap_err();
    assert_eq!(
        error,
        InvokeError::WrongWorld { found: World::Function, called: "an HTTP handler" }
    );
}
