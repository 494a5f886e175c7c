//! Go components: ordinary programs are built by the real toolchain and called on the engine.
//!
//! Functions need `aws-lambda-go` from the Go module cache or a proxy; the other programs need the standard library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod rig;

use bytes::Bytes;
use http::Method;
use lambkin_build::go;
use lambkin_build::order::Runtime;
use rig::{Answer, App, Component, Language, TIME};
use serde_json::json;
use std::time::Duration;

const GO: Language = Language { name: "go", build: go::build };
const GO_MOD: &str =
    "module example.com/app\n\ngo 1.20\n\nrequire github.com/aws/aws-lambda-go v1.54.0\n";
const GO_SUM: &str = include_str!("../../../templates/go-function/go.sum");

#[tokio::test(flavor = "multi_thread")]
async fn runs_handlers_of_aws_lambda_go() {
    let files =
        [("go.mod", GO_MOD), ("go.sum", GO_SUM), ("main.go", include_str!("go/handlers.go"))];
    let app = App::new(GO, "handlers").files(&files);
    let function = app.component(".");
    rig::assert_hot_first(&app.build(".").unwrap().wasm, Runtime::Go);
    for (name, text) in files {
        assert_eq!(
            fs_err::read_to_string(app.root().join(name)).unwrap(),
            text,
            "the build changed {name}"
        );
    }
    assert_eq!(
        fs_err::read_dir(app.root()).unwrap().count(),
        files.len(),
        "the build left files in the source"
    );
    every_signature(&function).await;
    failures(&function).await;
    context(&function).await;
    gateway(&function).await;
    large_events(&function).await;
    let reused = function.with(&[("HANDLER", "calls")]).reused();
    for expected in [1, 2, 3, 1] {
        assert_eq!(reused.call(json!({})).await.unwrap(), expected);
    }
}

async fn every_signature(function: &Component) {
    let answers = [
        ("func()", "null"),
        ("func() (TOut, error)", r#"{"name":"out"}"#),
        ("func(TIn)", "null"),
        ("func(TIn) (TOut, error)", r#""lamb""#),
        ("func(context.Context)", "null"),
        ("func(context.Context) (TOut, error)", r#""base""#),
        ("func(context.Context, TIn)", "null"),
        ("func(context.Context, TIn) error", "null"),
        ("func(context.Context, TIn) (T, error)", r#"{"name":"lamb"}"#),
        ("func(json.RawMessage)", r#"{"name":"lamb"}"#),
        ("func(any)", r#"{"name":"lamb"}"#),
        ("io.Reader", "read"),
        ("lambda.Handler", r#"{"raw":{"name":"lamb"}}"#),
    ];
    for (handler, expected) in answers {
        let answer =
            function.with(&[("HANDLER", handler)]).call_with_text(r#"{"name":"lamb"}"#).await;
        assert_eq!(answer.unwrap(), expected, "{handler}");
    }
}

async fn failures(function: &Component) {
    let errors = [
        ("func() error", "errorString", "boom"),
        ("func(TIn) error", "outOfStock", "no more lamb"),
        ("func(context.Context) error", "wrapError", "outer: inner"),
        ("not a function", "errorString", "handler kind int is not func"),
        (
            "three arguments",
            "errorString",
            "handlers may not take more than two arguments, but handler takes 3",
        ),
        ("lambda's own error", "Own", "mine"),
        ("panic", "string", "boom"),
        ("index", "boundsError", "runtime error: index out of range [0] with length 0"),
    ];
    for (handler, expected_type, expected_message) in errors {
        let (error_type, error_message, stack_trace) =
            function.with(&[("HANDLER", handler)]).failure(json!({"name": "lamb"})).await;
        assert_eq!(
            (error_type.as_str(), error_message.as_str()),
            (expected_type, expected_message),
            "{handler}"
        );
        let panicked = ["panic", "index"].contains(&handler);
        assert_eq!(
            panicked,
            stack_trace.iter().any(|frame| frame.contains("/main.go:")),
            "{handler}: {stack_trace:?}"
        );
    }
    let error = function.call(json!({})).await.unwrap_err();
    assert!(error.to_string().contains("main returned without a call of lambda.Start"), "{error}");
    let (error_type, ..) =
        function.with(&[("HANDLER", "func(TIn)")]).failure(json!({"name": 1})).await;
    assert_eq!(error_type, "UnmarshalTypeError");
}

async fn context(function: &Component) {
    let environment = [("HANDLER", "context"), ("GREETING", "ahoj")];
    for _ in 0..2 {
        let mut answer = function.with(&environment).call(json!({})).await.unwrap();
        assert!(answer["deadline"].take().as_u64().unwrap() > 1_700_000_000_000);
        // The instance is fresh: the handler has been called once.
        assert_eq!(
            answer,
            json!({
                "found": true, "limited": true, "deadline": null, "calls": 1, "requestId": rig::REQUEST_ID,
                "arn": "arn:aws:lambda:eu-west-1:1:function:shop", "title": "Shop", "custom": {"k": "v"},
                "function": "shop", "memory": 256, "greeting": "ahoj"
            })
        );
    }
    let started = std::time::Instant::now();
    let hurried = function.with(&[("HANDLER", "deadline")]).told(Duration::from_secs(1));
    let (error_type, error_message, _) = hurried.failure(json!({})).await;
    assert_eq!(
        (error_type.as_str(), error_message.as_str()),
        ("deadlineExceededError", "context deadline exceeded")
    );
    assert!(started.elapsed() < TIME, "the context's deadline passed before the host's");
}

async fn gateway(function: &Component) {
    let event = json!({
        "version": "2.0", "rawPath": "/items/42", "pathParameters": {"id": "42"},
        "requestContext": {"http": {"method": "PATCH"}}
    });
    let answer = function.with(&[("HANDLER", "gateway")]).call(event).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(201), &json!("PATCH 42")));

    let answer = function.with(&[("HANDLER", "stream")]).call(json!({})).await.unwrap();
    assert_eq!(answer["statusCode"], 202);
    assert_eq!(answer["headers"], json!({"x": "y"}));
    assert_eq!(
        (&answer["body"], &answer["isBase64Encoded"]),
        (&json!("c3RyZWFtZWQ="), &json!(true))
    );
}

/// The host allocates the event in the guest, at a size that makes Go want to collect garbage right there.
async fn large_events(function: &Component) {
    for megabytes in [1, 6, 24] {
        let size = megabytes << 20;
        let event = json!({ "name": "x".repeat(size) });
        let answer = function.with(&[("HANDLER", "length")]).call(event).await.unwrap();
        assert_eq!(answer, size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_an_ordinary_web_server() {
    let app = App::new(GO, "web").file("main.go", include_str!("go/web.go"));
    let web = app.component("main.go");

    let answer = send(&web, "GET /hello/ada", Bytes::new()).await;
    assert_eq!(answer.text(), "hello ada of shop.example from 203.0.113.7:0");
    assert_eq!(answer.header("content-type"), ["text/plain; charset=utf-8"]);
    assert_eq!(answer.header("content-length"), ["44"]);
    assert_eq!(answer.header("x-multi"), ["one", "two"]);

    let answer = send(&web, "PROPFIND /method?q=%C3%BC", Bytes::new()).await;
    assert_eq!(answer.text(), "PROPFIND -1 ü");
    let answer = send(&web, "GET /stream", Bytes::new()).await;
    assert_eq!(answer.text(), "0;1;2;");
    let answer = send(&web, "GET /empty", Bytes::new()).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let answer = send(&web, "GET /nowhere", Bytes::new()).await;
    assert_eq!(answer.status, 404);

    let reused = web.reused();
    for _ in 0..4 {
        assert_eq!(send(&reused, "GET /stream", Bytes::new()).await.text(), "0;1;2;");
        assert_eq!(send(&reused, "POST /length", vec![7; 30_000]).await.text(), "30000 <nil>");
    }

    let body: Vec<u8> =
        (0..5_000_000_u32).map(|index| index.to_le_bytes()[(index % 3) as usize]).collect();
    let answer = send(&web, "POST /echo", body.clone()).await;
    assert!(answer.body == body, "the body changed on its way");
    let answer = send(&web, "POST /length", vec![7; 30_000_000]).await;
    assert_eq!(answer.text(), "30000000 <nil>");

    let answer = send(&web, "GET /fetch", Bytes::new()).await;
    let text = answer.text();
    assert!(text.starts_with("Get \"https://example.com/\": wasi:http "), "{text}");
    let error = web.try_request(Method::GET, "/throw", &[], Bytes::new()).await.unwrap_err();
    assert!(error.to_string().contains("boom"), "{error}");
}

async fn send(web: &Component, line: &str, body: impl Into<Bytes>) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let forwarded = [("x-forwarded-for", "203.0.113.7, 10.0.0.1")];
    web.request(method.parse().unwrap(), path, &forwarded, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_a_command() {
    let program = "package main\n\nimport (\n\t\"io\"\n\t\"os\"\n)\n\nfunc main() {\n\tio.WriteString(os.Stdout, \"> \")\n\tio.Copy(os.Stdout, os.Stdin)\n}\n";
    let app = App::new(GO, "command")
        .file("go.mod", "module command\n\ngo 1.24\n")
        .file("cmd/run/main.go", program);
    let command = app.component("cmd/run");
    assert_eq!(command.run("event").await.unwrap(), "> event");
}

#[test]
fn names_the_file_and_line_of_a_compile_error() {
    let program = "package main\n\nfunc main() {\n\tundefined()\n}\n";
    let app = App::new(GO, "broken")
        .file("go.mod", "module broken\n\ngo 1.24\n")
        .file("src/main.go", program);
    let text = app.failure("src");
    assert!(text.contains("src/main.go:4:2: undefined: undefined"), "{text}");
    assert!(text.ends_with("\ngo build failed: exit status: 1"), "{text}");
}

#[test]
fn builds_the_same_bytes_twice() {
    let app = App::new(GO, "again").file("main.go", include_str!("go/web.go"));
    assert!(app.build(".").unwrap().wasm == app.build(".").unwrap().wasm);
}

#[test]
fn says_that_a_package_is_no_program() {
    let app = App::new(GO, "empty").file("main.go", "package other\n");
    let error = app.build(".").unwrap_err();
    assert!(error.to_string().contains("which is not a main package"), "{error}");
}
