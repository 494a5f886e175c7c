//! Commands: built for preview 2, and for preview 1 and adapted.

use crate::support::{component, core_wasm, invocation, load};
use lambkin_engine::{Component, Fault, InvokeError, Stream, World, compile};

/// The same program, as a component and as a core module that was made into one.
fn both() -> [Component; 2] {
    let adapted = compile::componentize(&core_wasm("command")).unwrap();
    [component("command"), load(&adapted)]
}

#[tokio::test]
async fn the_event_goes_in_and_the_answer_comes_out() {
    for command in both() {
        assert_eq!(command.world(), World::Command);
        let (invocation, output) = invocation();
        let (answer, usage) = command.command("hello 🐑".into(), invocation).await.unwrap();
        assert_eq!(answer, "HELLO 🐑");
        assert!(usage.peak_memory_bytes > 0);
        assert_eq!(output.lines(Stream::Stderr), ["read 10 bytes"]);
        assert_eq!(output.lines(Stream::Stdout), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_large_event_comes_back_whole() {
    let event = "x".repeat(3_000_000);
    for command in both() {
        let (answer, _) = command.command(event.clone().into(), invocation().0).await.unwrap();
        assert_eq!(answer.len(), event.len());
    }
}

#[tokio::test]
async fn an_exit_code_comes_with_the_end_of_standard_error() {
    for command in both() {
        let error = command.command("exit".into(), invocation().0).await.unwrap_err();
        let InvokeError::Exit { code, stderr_tail } = &error else { panic!("{error}") };
        // Preview 2 knows only success and failure, unless its exit-with-code is used.
        assert!([1, 3].contains(code), "{code}");
        assert_eq!(stderr_tail, "read 4 bytes\nabout to give up\n");
        assert_eq!(
            (error.fault(), error.error_type().as_str()),
            (Fault::Guest, "Runtime.ExitError")
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_memory_bound() {
    for command in both() {
        let error = command.command("flood".into(), invocation().0).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Guest, "{error}");
    }
}

#[tokio::test]
async fn there_are_neither_sockets_nor_files() {
    for command in both() {
        let (sockets, _) = command.command("sockets".into(), invocation().0).await.unwrap();
        assert!(sockets.starts_with(b"Err("), "{sockets:?}");
        let (files, _) = command.command("files".into(), invocation().0).await.unwrap();
        assert!(files.starts_with(b"Err("), "{files:?}");
    }
}
