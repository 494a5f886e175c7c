//! Lambda handlers on `QuickJS`: most tests share one component, which does what its event asks for.

use crate::rig::{App, Component, REQUEST_ID, assert_hot_first};
use crate::{CLOCK_STEP, JAVASCRIPT, line_of};
use lambkin_build::order::Runtime;
use serde_json::{Value, json};
use std::sync::OnceLock;

const STOCK: &str = include_str!("function/stock.js");

/// The component of `function/`.
fn function() -> Component {
    static FUNCTION: OnceLock<Component> = OnceLock::new();
    let component = FUNCTION.get_or_init(|| {
        let app = App::new(JAVASCRIPT, "function").copied("javascript/function");
        app.component("index.js")
    });
    component.with(&[("GREETING", "ahoj")])
}

async fn answer(operation: &str) -> Value {
    function().call(json!({ "op": operation })).await.unwrap()
}

#[test]
fn what_a_first_call_runs_comes_first() {
    let app = App::new(JAVASCRIPT, "order").file("index.js", "exports.handler = async () => 1;");
    assert_hot_first(&app.build("index.js").unwrap().wasm, Runtime::QuickJs);
}

#[tokio::test]
async fn calls_handlers_of_every_shape() {
    let shapes = [
        (
            "index.mjs",
            "export const handler = async (event, context) => ({ n: event.n, id: context.awsRequestId });",
        ),
        (
            "index.cjs",
            "exports.handler = async (event, context) => ({ n: event.n, id: context.awsRequestId });",
        ),
        (
            "index.js",
            "module.exports = { handler(event, context) { return { n: event.n, id: context.awsRequestId }; } };",
        ),
        (
            "index.js",
            "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, { n: event.n, id: context.awsRequestId }), 1); };",
        ),
        (
            "index.js",
            "export function handler(event, context) { return { n: event.n, id: context.awsRequestId }; }",
        ),
        (
            "index.js",
            "export const handler = (event, context) => { context.succeed({ n: event.n, id: context.awsRequestId }); };",
        ),
        (
            "index.ts",
            "export const handler = async (event: { n: number }, context: any): Promise<object> => ({ n: event.n, id: context.awsRequestId });",
        ),
    ];
    for (index, (file, text)) in shapes.into_iter().enumerate() {
        let app = App::new(JAVASCRIPT, &format!("shape-{index}")).file(file, text);
        let answer = app.component(file).call(json!({"n": index})).await.unwrap();
        assert_eq!(answer, json!({"n": index, "id": REQUEST_ID}), "{text}");
    }
}

#[tokio::test]
async fn calls_the_export_that_lambdas_handler_setting_names() {
    let app = App::new(JAVASCRIPT, "named")
        .file("src/orders.js", "export const create = async ({ n }) => n + 1;")
        .handler("orders.create");
    assert_eq!(app.component("src/orders.js").call(json!({"n": 1})).await.unwrap(), 2);
}

#[tokio::test]
async fn a_callbacks_error_fails_the_invocation() {
    let app = App::new(JAVASCRIPT, "callback").file(
        "index.js",
        "exports.handler = (event, context, callback) => callback(new RangeError('too many'));",
    );
    let (error_type, message, _) = app.component("index.js").failure(json!({})).await;
    assert_eq!((error_type.as_str(), message.as_str()), ("RangeError", "too many"));
}

#[tokio::test]
async fn a_thrown_error_names_the_users_own_file_and_line() {
    let (error_type, message, frames) = function().failure(json!({"op": "sell"})).await;
    assert_eq!((error_type.as_str(), message.as_str()), ("OutOfStock", "no more lamb"));
    let line = line_of(STOCK, "throw new OutOfStock");
    assert!(frames[0].starts_with(&format!("at sell (stock.js:{line}:")), "{frames:?}");
    assert!(frames.last().unwrap().contains("index.js:"), "{frames:?}");
    assert!(!frames.iter().any(|frame| frame.contains("lambkin:")), "{frames:?}");

    let (error_type, message, frames) = function().failure(json!({"op": "throwText"})).await;
    assert_eq!((error_type.as_str(), message.as_str()), ("string", "just text"));
    assert!(frames.is_empty(), "{frames:?}");
}

#[tokio::test]
async fn the_context_is_that_of_lambdas_node_runtime() {
    let mut context = answer("context").await;
    let left = context["left"].take().as_i64().unwrap();
    assert!((1000..=30_000).contains(&left), "{left}");
    assert_eq!(
        context,
        json!({
            "callbackWaitsForEmptyEventLoop": true,
            "awsRequestId": REQUEST_ID,
            "functionName": "shop",
            "functionVersion": "$LATEST",
            "invokedFunctionArn": "arn:aws:lambda:eu-west-1:1:function:shop",
            "memoryLimitInMB": "256",
            "logGroupName": "/aws/lambda/shop",
            "logStreamName": "stream",
            "clientContext": {"client": {"app_title": "Shop"}, "custom": {"k": "v"}},
            "lambkin": {"app": "shop", "alias": "live", "release": "", "component": "guest"},
            "left": null
        })
    );
}

#[tokio::test]
async fn timers_overlap_and_end_in_the_order_of_their_delays() {
    let waited = answer("wait").await;
    assert_eq!(waited["order"], json!([100, 200, 300]));
    assert_eq!(waited["ended"], json!([300, 100, 200]));
    let took = waited["took"].as_i64().unwrap();
    assert!(
        (295..600).contains(&took),
        "one after the other they take 600 ms, and these took {took}"
    );
}

#[tokio::test]
async fn a_reused_instance_keeps_its_state_and_serves_on_after_an_error() {
    let function = function().reused();
    for expected in [1, 2, 3, 1] {
        assert_eq!(function.call(json!({"op": "calls"})).await.unwrap(), expected);
    }
    function.call(json!({"op": "throwText"})).await.unwrap_err();
    assert_eq!(function.call(json!({"op": "calls"})).await.unwrap(), 2);
    for _ in 0..4 {
        let waited = function.call(json!({"op": "wait"})).await.unwrap();
        assert_eq!(waited["order"], json!([100, 200, 300]));
    }
}

#[tokio::test]
async fn deep_recursion_is_a_range_error_and_the_next_call_works() {
    let function = function();
    let (error_type, message, _) = function.failure(json!({"op": "dive"})).await;
    assert_eq!(error_type, "RangeError", "{message}");
    assert_eq!(function.call(json!({"op": "calls"})).await.unwrap(), 1);
}

#[tokio::test]
async fn no_invocation_sees_what_another_left_behind() {
    let function = function();
    for _ in 0..2 {
        assert_eq!(function.call(json!({"op": "calls"})).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn each_instance_has_its_own_randomness_and_time() {
    let first = answer("fresh").await;
    tokio::time::sleep(CLOCK_STEP).await;
    let second = answer("fresh").await;
    for key in ["random", "uuid", "node", "bytes"] {
        assert_ne!(first[key], second[key], "{key} is frozen");
    }
    let year_2025 = 1_735_689_600_000;
    assert!(first["now"].as_i64() > Some(year_2025), "{first}");
    assert!(second["now"].as_i64() > first["now"].as_i64(), "{first} {second}");
}

#[tokio::test]
async fn the_environment_is_that_of_the_call() {
    let function = function();
    for greeting in ["ciao", "hej"] {
        let function = function.with(&[("GREETING", greeting)]);
        let expected = json!({"greeting": greeting, "name": "shop", "absent": null});
        assert_eq!(function.call(json!({"op": "environment"})).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_top_level_that_needs_an_instance_runs_in_each() {
    let app = App::new(JAVASCRIPT, "late").copied("javascript/late.js");
    let late = app.component("late.js");
    let first = late.with(&[("GREETING", "ahoj")]).call(json!({})).await.unwrap();
    let second = late.with(&[("GREETING", "ciao")]).call(json!({})).await.unwrap();
    for key in ["started", "chance", "token", "greeting"] {
        assert_ne!(first[key], second[key], "{key} is frozen");
    }
    assert_eq!((&first["greeting"], &second["greeting"]), (&json!("ahoj"), &json!("ciao")));
}

#[tokio::test]
async fn a_top_level_await_is_over_before_the_first_call() {
    assert_eq!(answer("loaded").await, "at the top level");
}

#[tokio::test]
async fn packages_of_npm_are_installed_and_bundled() {
    let odd = function().call(json!({"op": "odd", "number": 3})).await.unwrap();
    assert_eq!(odd, true);
}

#[tokio::test]
async fn has_the_modules_of_node_that_handlers_import() {
    assert_eq!(
        answer("node").await,
        json!({
            "base64": "Z3LDvMOfZQ==",
            "hash": "9d23384be3fd6cce052968aab1f9e7abd3a8ee88d3748e0eb1912d3beabd5eaa",
            "inspected": "{ nested: { list: [ 1, 'two' ] } }",
            "path": "/b.js",
            "file": "/tmp/a b",
            "query": {"a": ["1", "2"], "b": "ü"},
            "store": "request",
            "heard": ["lamb"],
            "url": "https://shop.example/c?q=1",
            "promised": "kept"
        })
    );
}

#[tokio::test]
async fn what_the_console_prints_is_the_guests_output() {
    let function = function();
    function.take_output();
    assert_eq!(function.call(json!({"op": "log"})).await.unwrap(), Value::Null);
    let lines = function.take_output();
    assert!(lines.contains(&"stdout sold 3 of { kind: 'lamb' }".to_owned()), "{lines:?}");
    let error = lines.iter().position(|line| line == "stderr RangeError: too many").unwrap();
    assert!(lines[error + 1].starts_with("stderr     at log (index.js:"), "{lines:?}");
}

#[tokio::test]
async fn calling_what_node_has_and_quickjs_has_not_says_what_to_do_instead() {
    let (error_type, message, _) = function().failure(json!({"op": "connect"})).await;
    assert_eq!(error_type, "UnsupportedError");
    assert!(
        message.starts_with("node:net.connect is not available on Lambkin's QuickJS"),
        "{message}"
    );
    assert!(message.contains("use fetch"), "{message}");
}
