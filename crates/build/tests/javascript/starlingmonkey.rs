//! The same on `StarlingMonkey`: one component of each kind, for a build takes ten seconds and more.

use crate::echo;
use crate::rig::{App, Component, REQUEST_ID, assert_hot_first};
use crate::{CLOCK_STEP, JAVASCRIPT, line_of};
use http::Method;
use lambkin_build::JavascriptEngine;
use lambkin_build::order::Runtime;
use serde_json::{Value, json};

const FUNCTION: &str = include_str!("starlingmonkey/function.js");
const WEB: &str = include_str!("starlingmonkey/web.js");

fn app(name: &str) -> App {
    App::new(JAVASCRIPT, name).engine(JavascriptEngine::StarlingMonkey)
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_a_lambda_handler_on_starlingmonkey() {
    let app = app("sm-function").file("function.js", FUNCTION);
    assert_hot_first(&app.build("function.js").unwrap().wasm, Runtime::StarlingMonkey);
    let function = app.component("function.js").with(&[("GREETING", "ahoj")]);
    let loaded = |answer: &Value| answer["loaded"].clone();

    // Characters of one to four bytes, and many of them.
    let event = json!({"op": "echo", "text": "grüße, 羊 🐑; ".repeat(2000)});
    let answer = function.call(event.clone()).await.unwrap();
    assert_eq!(answer["event"], event);
    assert_eq!((&answer["id"], &answer["memory"]), (&json!(REQUEST_ID), &json!("256")));
    assert_eq!(answer["client"]["custom"], json!({"k": "v"}));
    assert!((1000..=30_000).contains(&answer["left"].as_i64().unwrap()), "{answer}");

    fresh(&function).await;
    failures(&function).await;

    let digest = function.call(json!({"op": "digest", "text": "lamb"})).await.unwrap();
    assert_eq!(digest, "9d23384be3fd6cce052968aab1f9e7abd3a8ee88d3748e0eb1912d3beabd5eaa");
    let streamed = function.call(json!({"op": "stream"})).await.unwrap();
    assert_eq!(streamed, "ONE,TWO,THREE");
    let waited = function.call(json!({"op": "wait"})).await.unwrap();
    assert_eq!(waited["order"], json!([100, 200, 300]));
    assert!((295..600).contains(&waited["took"].as_i64().unwrap()), "{waited}");
    let called_back = function.call(json!({"op": "callback"})).await.unwrap();
    assert_eq!(loaded(&called_back), "at the top level");

    function.take_output();
    function.call(json!({"op": "log"})).await.unwrap();
    let lines = function.take_output();
    assert!(lines.contains(&"stdout printed 7".to_owned()), "{lines:?}");
    assert!(lines.contains(&"stderr complained".to_owned()), "{lines:?}");

    let origin = echo::start().await;
    let fetch = json!({"op": "fetch", "url": format!("{}/shop", origin.url())});
    let answer = function.granted(&origin.url()).call(fetch).await.unwrap();
    assert_eq!(
        answer,
        json!({"status": 201, "header": "origin", "text": "POST /shop lamb from the guest"})
    );
    // Without a body: this engine gives up when a refusal overtakes one.
    let fetch = json!({"op": "get", "url": origin.url()});
    let (error_type, ..) = function.failure(fetch).await;
    assert_eq!(error_type, "TypeError", "without a grant nothing is reached");
    origin.stop();
}

async fn fresh(function: &Component) {
    let first = function.call(json!({"op": "fresh"})).await.unwrap();
    tokio::time::sleep(CLOCK_STEP).await;
    let second = function.with(&[("GREETING", "ciao")]).call(json!({"op": "fresh"})).await.unwrap();
    for key in ["random", "uuid", "bytes", "now", "greeting"] {
        assert_ne!(first[key], second[key], "{key} is frozen");
    }
    assert!(second["now"].as_i64() > first["now"].as_i64(), "{first} {second}");
    assert_eq!((&first["greeting"], &second["greeting"]), (&json!("ahoj"), &json!("ciao")));
    assert_eq!((&first["calls"], &second["calls"]), (&json!(1), &json!(1)));
}

async fn failures(function: &Component) {
    let (error_type, message, frames) = function.failure(json!({"op": "sell"})).await;
    assert_eq!((error_type.as_str(), message.as_str()), ("OutOfStock", "no more lamb"));
    let line = line_of(FUNCTION, "throw new OutOfStock");
    assert!(frames[0].starts_with(&format!("at sell (function.js:{line}:")), "{frames:?}");
    assert!(frames.iter().all(|frame| frame.contains("function.js:")), "{frames:?}");
    let (error_type, message, _) = function.failure(json!({"op": "throwText"})).await;
    assert_eq!((error_type.as_str(), message.as_str()), ("string", "just text"));
    let (error_type, ..) = function.failure(json!({"op": "dive"})).await;
    assert_eq!(error_type, "InternalError", "what this engine calls too deep a recursion");
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_requests_on_starlingmonkey() {
    let web = app("sm-web").file("web.js", WEB).component("web.js");
    let web = web.with(&[("GREETING", "ahoj")]);

    let path = "/items/gr%C3%BC%C3%9Fe?q=1";
    let answer = web.request(Method::GET, path, &[("x-one", "1")], "").await;
    assert_eq!(
        answer.json(),
        json!({"method": "GET", "url": "https://shop.example/items/gr%C3%BC%C3%9Fe?q=1", "one": "1", "greeting": "ahoj", "process": "ahoj"})
    );
    assert_eq!(answer.header("set-cookie"), ["a=1", "b=2"]);
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let answer = web.request(Method::POST, "/echo", &[], body.clone()).await;
    assert_eq!(answer.status, 201);
    assert!(answer.body == body, "the body changed on its way");
    let answer = web.request(Method::GET, "/stream", &[], "").await;
    assert_eq!(answer.text(), "one,two,three");

    // The module's top level read the time, a random number and the environment.
    let first = web.request(Method::GET, "/loaded", &[], "").await.json();
    let second = web.with(&[("GREETING", "ciao")]).request(Method::GET, "/loaded", &[], "").await;
    let second = second.json();
    for key in ["started", "chance", "token", "greeting"] {
        assert_ne!(first[key], second[key], "{key} is frozen");
    }
    assert_eq!(second["greeting"], "ciao");

    web.take_output();
    let answer = web.request(Method::GET, "/throw", &[], "").await;
    assert_eq!((answer.status, answer.text()), (500, r#"{"message":"Internal Server Error"}"#));
    let lines = web.take_output();
    let line = line_of(WEB, "throw new TypeError");
    assert!(lines.contains(&"stderr TypeError: boom".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|text| text.contains(&format!("web.js:{line}:"))), "{lines:?}");

    let origin = echo::start().await;
    let path = format!("/fetch?url={}/shop", origin.url());
    let answer = web.granted(&origin.url()).request(Method::GET, &path, &[], "").await;
    assert_eq!(answer.text(), "POST /shop lamb from the guest");
    origin.stop();
}

#[test]
fn names_what_starlingmonkey_cannot_build() {
    let app = app("sm-bad").file(
        "src/node.js",
        "import { createHash } from \"node:crypto\";\nexport const handler = () => createHash(\"md5\");\n",
    );
    let text = app.failure("src/node.js");
    assert!(
        text.contains("src/node.js imports node:crypto, which StarlingMonkey does not have"),
        "{text}"
    );
    assert!(text.contains("engine = \"quickjs\""), "{text}");

    let app = app.file("src/none.js", "export const handle = () => 1;\n");
    let text = app.failure("src/none.js");
    assert!(text.ends_with("it exports handle"), "{text}");

    let app = app.file("src/throws.js", "let shop;\n\nexport const handler = shop.open();\n");
    let text = app.failure("src/throws.js");
    assert!(text.contains("src/throws.js:3:"), "{text}");
    assert!(text.contains("shop is undefined"), "{text}");
}
