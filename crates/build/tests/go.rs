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

#[path = "go/rig.rs"]
mod rig;

use lambkin_build::BuildFailure;
use lambkin_engine::InvokeError;
use rig::{Component, GO_MOD, GO_SUM, TIME, app, build, load};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn runs_handlers_of_aws_lambda_go() {
    let files =
        [("go.mod", GO_MOD), ("go.sum", GO_SUM), ("main.go", include_str!("go/handlers.go"))];
    let root = app("handlers", &files);
    let function = load(&build(&root, ".").unwrap());
    for (name, text) in files {
        assert_eq!(
            fs_err::read_to_string(root.join(name)).unwrap(),
            text,
            "the build changed {name}"
        );
    }
    assert_eq!(
        fs_err::read_dir(&root).unwrap().count(),
        files.len(),
        "the build left files in the source"
    );
    every_signature(&function).await;
    failures(&function).await;
    context(&function).await;
    gateway(&function).await;
    large_events(&function).await;
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
        let answer = function.call(r#"{"name":"lamb"}"#, &[("HANDLER", handler)]).await;
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
        let error = function.call(r#"{"name":"lamb"}"#, &[("HANDLER", handler)]).await.unwrap_err();
        let InvokeError::Function { error_type, error_message, stack_trace } = error else {
            panic!("{handler}: {error:?}")
        };
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
    let error = function.call("{}", &[]).await.unwrap_err();
    assert!(error.to_string().contains("main returned without a call of lambda.Start"), "{error}");
    let error = function.call(r#"{"name": 1}"#, &[("HANDLER", "func(TIn)")]).await.unwrap_err();
    assert!(
        matches!(error, InvokeError::Function { error_type, .. } if error_type == "UnmarshalTypeError")
    );
}

async fn context(function: &Component) {
    let environment = [("HANDLER", "context"), ("GREETING", "ahoj")];
    for _ in 0..2 {
        let answer = function.call("{}", &environment).await.unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["deadline"].take().as_u64().unwrap() > 1_700_000_000_000);
        // The instance is fresh: the handler has been called once.
        assert_eq!(
            answer,
            json!({
                "found": true, "limited": true, "deadline": null, "calls": 1, "requestId": "request-1",
                "arn": "arn:aws:lambda:eu-west-1:1:function:shop", "title": "Shop", "custom": {"k": "v"},
                "function": "shop", "memory": 256, "greeting": "ahoj"
            })
        );
    }
    let started = std::time::Instant::now();
    let error =
        function.call("{}", &[("HANDLER", "deadline"), ("SECONDS", "1")]).await.unwrap_err();
    let InvokeError::Function { error_type, error_message, .. } = error else {
        panic!("{error:?}")
    };
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
    let answer = function.call(&event.to_string(), &[("HANDLER", "gateway")]).await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(201), &json!("PATCH 42")));

    let answer = function.call("{}", &[("HANDLER", "stream")]).await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
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
        let event = json!({ "name": "x".repeat(size) }).to_string();
        let answer = function.call(&event, &[("HANDLER", "length")]).await.unwrap();
        assert_eq!(answer, size.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_an_ordinary_web_server() {
    let root = app("web", &[("main.go", include_str!("go/web.go"))]);
    let web = load(&build(&root, "main.go").unwrap());

    let response = web.request("GET /hello/ada", Vec::new()).await.unwrap();
    assert_eq!(response.body(), "hello ada of shop.example from 203.0.113.7:0");
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["content-length"], "44");
    assert_eq!(response.headers().get_all("x-multi").iter().collect::<Vec<_>>(), ["one", "two"]);

    let response = web.request("PROPFIND /method?q=%C3%BC", Vec::new()).await.unwrap();
    assert_eq!(response.body(), "PROPFIND -1 ü");
    let response = web.request("GET /stream", Vec::new()).await.unwrap();
    assert_eq!(response.body(), "0;1;2;");
    let response = web.request("GET /empty", Vec::new()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
    let response = web.request("GET /nowhere", Vec::new()).await.unwrap();
    assert_eq!(response.status().as_u16(), 404);

    let body: Vec<u8> =
        (0..5_000_000_u32).map(|index| index.to_le_bytes()[(index % 3) as usize]).collect();
    let response = web.request("POST /echo", body.clone()).await.unwrap();
    assert!(response.body() == &body, "the body changed on its way");
    let response = web.request("POST /length", vec![7; 30_000_000]).await.unwrap();
    assert_eq!(response.body(), "30000000 <nil>");

    let response = web.request("GET /fetch", Vec::new()).await.unwrap();
    let text = String::from_utf8_lossy(response.body()).into_owned();
    assert!(text.starts_with("Get \"https://example.com/\": wasi:http "), "{text}");
    let error = web.request("GET /throw", Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("boom"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_a_command() {
    let program = "package main\n\nimport (\n\t\"io\"\n\t\"os\"\n)\n\nfunc main() {\n\tio.WriteString(os.Stdout, \"> \")\n\tio.Copy(os.Stdout, os.Stdin)\n}\n";
    let root =
        app("command", &[("go.mod", "module command\n\ngo 1.24\n"), ("cmd/run/main.go", program)]);
    let command = load(&build(&root, "cmd/run").unwrap());
    assert_eq!(command.run("event").await.unwrap(), "> event");
}

#[test]
fn names_the_file_and_line_of_a_compile_error() {
    let program = "package main\n\nfunc main() {\n\tundefined()\n}\n";
    let root = app("broken", &[("go.mod", "module broken\n\ngo 1.24\n"), ("src/main.go", program)]);
    let error = build(&root, "src").unwrap_err();
    let failure = error.downcast::<BuildFailure>().unwrap();
    assert!(failure.output.contains("src/main.go:4:2: undefined: undefined"), "{failure}");
    assert_eq!(failure.summary, "go build failed: exit status: 1");
}

#[test]
fn builds_the_same_bytes_twice() {
    let root = app("again", &[("main.go", include_str!("go/web.go"))]);
    assert!(build(&root, ".").unwrap() == build(&root, ".").unwrap());
}

#[test]
fn says_that_a_package_is_no_program() {
    let error = build(&app("empty", &[("main.go", "package other\n")]), ".").unwrap_err();
    assert!(error.to_string().contains("which is not a main package"), "{error}");
}
