//! Python components: small apps are built by the real tool, from the real index, and called on the engine.
//!
//! Builds are kept between runs (`CARGO_TARGET_TMPDIR`), so that only what has changed is built again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "python/origin.rs"]
mod origin;
#[path = "python/outbound.rs"]
mod outbound;
mod rig;
#[path = "rig/origin.rs"]
mod server;

use http::Method;
use lambkin_build::order::Runtime;
use lambkin_build::python;
use lambkin_engine::InvokeError;
use rig::{App, Language};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wasmparser::{DataKind, Operator, Payload};

const PYTHON: Language = Language { name: "python", build: python::build };
const FUNCTION: &str = include_str!("python/function.py");
const HELPER: &str = include_str!("python/helper.py");
const FLASK: &str = include_str!("python/flask_app.py");
const STARLETTE: &str = include_str!("python/starlette_app.py");

#[tokio::test(flavor = "multi_thread")]
async fn runs_an_existing_lambda_handler() {
    let app = App::new(PYTHON, "function")
        .file("src/app.py", FUNCTION)
        .file("src/helper.py", HELPER)
        .file("src/late.py", "VALUE = 'late'\n")
        .file("src/requirements.txt", "aws-lambda-powertools==3.37.0\n")
        .handler("app.lambda_handler");
    let function = app.component("src").with(&[("GREETING", "ahoj")]);

    // Imports inside functions, codecs and strptime work without files; coroutines and executors without threads.
    let reached = function.call(json!({"op": "reach"})).await.unwrap();
    assert_eq!(
        reached,
        json!({
            "late": "late", "uuid": 36, "date": "2020-01-02", "codec": "e9", "gathered": [1, 2, 3],
            "pooled": [0, 1, 4], "number": 1.50, "greeting": "Grüße", "nothing": null
        })
    );

    let context = function.call(json!({"op": "context"})).await.unwrap();
    assert_eq!(context["aws_request_id"], rig::REQUEST_ID);
    assert_eq!(context["memory_limit_in_mb"], "256");
    assert_eq!(
        context["function"],
        json!(["shop", "$LATEST", "arn:aws:lambda:eu-west-1:1:function:shop"])
    );
    assert_eq!(context["log"], json!(["/aws/lambda/shop", "stream"]));
    assert_eq!(context["identity"], Value::Null);
    assert_eq!(context["client"], json!({"custom": {"k": "v"}, "title": "Shop"}));
    assert!(context["remaining"].as_i64().unwrap() > 1000, "{context}");

    freshness(&function).await;
    reuse(&function.reused()).await;
    failures(&function).await;
    output(&function).await;

    // A resolver of aws-lambda-powertools: routes, parameters and its own JSON.
    let event = json!({
        "version": "2.0", "rawPath": "/items/42", "headers": {}, "queryStringParameters": {"q": "1"},
        "requestContext": {"http": {"method": "GET"}, "stage": "$default"}
    });
    let answer = function.call(event).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["body"], r#"{"id":"42","q":"1"}"#);
}

/// An instance that serves several invocations keeps what it had, after a handler's error too.
async fn reuse(function: &rig::Component) {
    for expected in [1, 2, 3, 1] {
        assert_eq!(function.call(json!({"op": "calls"})).await.unwrap(), expected);
    }
    function.call(json!({"op": "lookup"})).await.unwrap_err();
    assert_eq!(function.call(json!({"op": "calls"})).await.unwrap(), 2);
}

/// Two instances differ, and the environment of the invocation decides what was read when the module ran.
async fn freshness(function: &rig::Component) {
    let first = function.call(json!({"op": "fresh"})).await.unwrap();
    let second = function.call(json!({"op": "fresh"})).await.unwrap();
    for key in ["random", "token", "uuid", "now", "module_random", "module_now"] {
        assert_ne!(first[key], second[key], "{key} is frozen");
    }
    assert_eq!(first["greeting"], "ahoj");
    assert_eq!(first["module_greeting"], "ahoj");
    assert_eq!(first["function_name"], "shop");
}

async fn failures(function: &rig::Component) {
    let error = function.call(json!({"op": "raise"})).await.unwrap_err();
    let InvokeError::Function { error_type, error_message, stack_trace } = error else {
        panic!("{error:?}")
    };
    assert_eq!((error_type.as_str(), error_message.as_str()), ("OutOfStock", "boom"));
    assert!(stack_trace[0].starts_with("File \"helper.py\", line "), "{stack_trace:?}");
    assert!(stack_trace[0].ends_with("raise OutOfStock(\"boom\")"), "{stack_trace:?}");
    assert!(stack_trace.last().unwrap().contains("File \"app.py\""), "{stack_trace:?}");

    for (op, expected_type, expected_message) in [
        (
            "bytes",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type bytes is not JSON serializable",
        ),
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("lookup", "KeyError", "'missing'"),
    ] {
        let error = function.call(json!({ "op": op })).await.unwrap_err();
        let InvokeError::Function { error_type, error_message, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (error_type.as_str(), error_message.as_str()),
            (expected_type, expected_message)
        );
    }

    let error = function.call(json!({"op": "hoard"})).await.unwrap_err();
    assert!(matches!(error, InvokeError::OutOfMemory { .. }), "{error:?}");
}

async fn output(function: &rig::Component) {
    function.take_output();
    function.call(json!({"op": "log"})).await.unwrap();
    let lines = function.take_output();
    assert!(lines.contains(&"stdout printed".to_owned()), "{lines:?}");
    assert!(lines.contains(&"stderr printed".to_owned()), "{lines:?}");
    let logged = lines.iter().find(|line| line.ends_with("\tlogged 7")).expect("a log line");
    assert!(logged.starts_with("stdout [INFO]\t"), "{logged}");
    assert!(logged.contains("Z\t8f5b1a2e-0000-4000-8000-000000000001\t"), "{logged}");
}

#[test]
fn a_component_is_one_module_and_what_brings_it_the_hosts_functions() {
    let handler = "def handler(event, context):\n    return event\n";
    let app = App::new(PYTHON, "linked").file("app.py", handler).handler("app.handler");
    let wasm = app.build("app.py").unwrap().wasm;
    let payloads = wasmparser::Parser::new(0).parse_all(&wasm).map(Result::unwrap);
    let is_module = |payload: &Payload<'_>| matches!(payload, Payload::ModuleSection { .. });
    // A build makes fourteen of them where componentize-py links in another way than `fuse.rs` knows.
    assert_eq!(payloads.filter(is_module).count(), 3);
    rig::assert_hot_first(&wasm, Runtime::Python);
}

/// A handler that tells what of the string hashes can be seen.
const HASHES: &str = "
import os, sys

def handler(event, context):
    return [hash('a string'), list({'one', 'two', 'three', 'four'}), os.environ.get('PYTHONHASHSEED'), sys.flags.hash_randomization]
";

#[tokio::test(flavor = "multi_thread")]
async fn two_builds_are_nearly_the_same_bytes() {
    let build =
        |name: &'static str| App::new(PYTHON, name).file("app.py", HASHES).handler("app.handler");
    let (first, second) = (build("hashes"), build("hashes-again"));
    let images = [&first, &second].map(|app| app.build("app.py").unwrap().wasm);
    let [one, other] = &images;
    // What is drawn and read when a snapshot is taken: a seed of `random`, the time.
    let differ = one.iter().zip(other).filter(|(one, other)| one != other).count();
    assert_eq!(one.len(), other.len());
    assert!(differ < one.len() / 500, "{differ} of {} bytes differ", one.len());

    let [hashes, again] = [&first, &second].map(|app| app.component("app.py"));
    let seen = hashes.call(json!({})).await.unwrap();
    assert_eq!(seen, again.call(json!({})).await.unwrap());
    assert_eq!((&seen[2], &seen[3]), (&Value::Null, &json!(0)));
}

/// The pages of 4 KiB that a component's heap begins with, by their addresses; none that is empty.
fn pages(wasm: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    let mut pages = BTreeMap::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let Payload::DataSection(segments) = payload.unwrap() else { continue };
        for segment in segments {
            let segment = segment.unwrap();
            let DataKind::Active { offset_expr, .. } = segment.kind else { continue };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read().unwrap()
            else {
                continue;
            };
            for (at, byte) in (usize::try_from(value).unwrap()..).zip(segment.data) {
                pages.entry(at / 4096).or_insert_with(|| vec![0; 4096])[at % 4096] = *byte;
            }
        }
    }
    pages
}

#[test]
fn two_apps_have_much_of_their_heaps_in_common() {
    let one = App::new(PYTHON, "common").file("app.py", HASHES).handler("app.handler");
    let other = "from dataclasses import dataclass\n\n@dataclass\nclass Answer:\n    text: str\n\ndef answer(event, context):\n    return Answer('x').text\n";
    let other = App::new(PYTHON, "common-too")
        .file("service.py", other)
        .file("more.json", "{}")
        .handler("service.answer");
    let one = pages(&one.build("app.py").unwrap().wasm);
    let other = pages(&other.build(".").unwrap().wasm);
    let same = one.iter().filter(|(at, page)| other.get(at) == Some(page)).count();
    // A quarter where something of an app's own comes first.
    assert!(same > one.len() / 3, "{same} of {} pages are the same", one.len());
}

/// A handler that tells which objects are immortal, and drops one that has a finalizer and one that somebody waits for.
/// Its module puts something in the place of `json.dumps` that is of no use before a call.
const LIFETIMES: &str = "
import json, sys, weakref

def dumps(*values, dumps=json.dumps, **options):
    return dumps(*values, **options) if 'event' in globals() else 1 / 0

json.dumps = dumps

class Plain: pass
class Closing(Plain):
    def __del__(self): ended.append('closed')

ended, nested = [], {'a list': ['a string of the module', 1.5, 10 ** 9, Plain()]}
closing, watched = Closing(), Plain()
weakref.finalize(watched, ended.append, 'watched')

def handler(event, context):
    global closing, watched
    globals()['event'] = event
    lasting = [handler, handler.__code__, Plain, nested, nested['a list'], *nested['a list'], json.loads, ended]
    mortal = [closing, watched, [], Plain()]
    report = [[sys._is_immortal(one) for one in objects] for objects in (lasting, mortal)]
    lasting = mortal = closing = watched = None
    return [*([*set(one)] for one in report), ended, len(nested.popitem())]
";

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_the_snapshot_are_immortal_where_nobody_can_tell() {
    let app = App::new(PYTHON, "lifetimes").file("app.py", LIFETIMES).handler("app.handler");
    let function = app.component("app.py");
    let told = function.call(json!({})).await.unwrap();
    assert_eq!(told, json!([[true], [false], ["closed", "watched"], 2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_flask_app() {
    let app = App::new(PYTHON, "flask")
        .file("web/app.py", FLASK)
        .file("web/requirements.txt", "flask==3.1.3\n");
    let web = app.component("web/app.py").with(&[("GREETING", "ahoj")]);

    let answer = web.request(Method::GET, "/items/a%20b?q=1&q=2", &[], "").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"id": "a b", "q": ["1", "2"]})));
    let answer = web
        .request(Method::POST, "/echo", &[("content-type", "application/json")], r#"{"n": 1}"#)
        .await;
    assert_eq!(answer.json(), json!({"n": 1}));
    let answer = web.request(Method::GET, "/cookies", &[("cookie", "a=1; b=2")], "").await;
    assert_eq!(answer.header("set-cookie"), ["seen=a.b; Path=/", "second=2; Path=/"]);
    let answer = web.request(Method::GET, "/nowhere", &[], "").await;
    assert_eq!(answer.status, 404);
    let answer = web.request(Method::GET, "/throw", &[], "").await;
    assert_eq!(answer.status, 500);
    assert!(web.take_output().iter().any(|line| line.contains("ZeroDivisionError")));
    let answer = web.request(Method::HEAD, "/items/1", &[], "").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let answer = web.request(Method::GET, "/stream", &[], "").await;
    assert_eq!(answer.text(), "part 0\npart 1\npart 2\n");
    let answer = web
        .request(Method::GET, "/environment", &[("x-lambkin-request-id", "request-1")], "")
        .await;
    assert_eq!(answer.json(), json!({"greeting": "ahoj", "id": "request-1"}));

    let large = "x".repeat(5 * 1024 * 1024);
    let answer = web.request(Method::POST, "/bytes", &[], large.clone()).await;
    assert_eq!(answer.body.len(), large.len());
    assert_eq!(answer.header("content-type"), ["application/octet-stream"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_starlette_app() {
    let app = App::new(PYTHON, "starlette")
        .file("src/shop/__init__.py", "")
        .file("src/shop/app.py", STARLETTE)
        .file(
            "pyproject.toml",
            "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['starlette==1.10.0']\n",
        )
        .handler("app:site");
    let web = app.component("src/shop");

    let answer = web.request(Method::GET, "/items/gr%C3%BC%C3%9Fe?q=1", &[], "").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"id": "grüße", "q": "1", "started": true}))
    );
    let answer = web.request(Method::GET, "/plain", &[], "").await;
    assert_eq!(answer.text(), "from a plain function");
    let answer = web.request(Method::GET, "/stream", &[], "").await;
    assert_eq!(answer.text(), "0,1,2,");
    let answer = web.request(Method::GET, "/throw", &[], "").await;
    assert_eq!((answer.status, answer.text()), (500, "Internal Server Error"));
    assert!(web.take_output().iter().any(|line| line.contains("RuntimeError: boom")));
    let large = "y".repeat(300_000);
    let answer = web.request(Method::POST, "/length", &[], large).await;
    assert_eq!(answer.json()["length"], 300_000);
    assert!(answer.json()["chunks"].as_i64().unwrap() > 1);
    assert!(web.take_output().contains(&"stdout stopped".to_owned()));
}

#[test]
fn names_what_is_wrong_with_an_app() {
    let app = App::new(PYTHON, "missing")
        .file("app.py", "import json\n\ndef handler(event, context):\n    import nowhere.at_all\n");
    let text = app.failure("app.py");
    assert!(text.ends_with("app.py:4: there is no module nowhere.at_all"), "{text}");

    let app = App::new(PYTHON, "taken")
        .file("site.py", "def handler(event, context): ...\n")
        .handler("site.handler");
    let text = app.failure(".");
    assert!(text.ends_with("give the app's own another name"), "{text}");

    let app =
        App::new(PYTHON, "syntax").file("app.py", "def handler(event, context):\n    return (1\n");
    let text = app.failure("app.py");
    assert!(text.contains("SyntaxError: '(' was never closed"), "{text}");
    assert!(text.contains("app.py:2: '(' was never closed"), "{text}");

    let app = App::new(PYTHON, "native")
        .file("app.py", "from pydantic import BaseModel\n\ndef handler(event, context): ...\n")
        .file("requirements.txt", "pydantic==2.14.3\n");
    let text = app.failure("app.py");
    assert!(text.contains("pydantic_core 2."), "{text}");
    assert!(text.contains("needs native code (pydantic_core._pydantic_core)"), "{text}");
}
