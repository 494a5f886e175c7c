//! Web handlers on `QuickJS`.

use crate::echo;
use crate::rig::App;
use crate::{JAVASCRIPT, line_of};
use http::Method;
use serde_json::json;
use std::process::Command;

const TYPESCRIPT: &str = include_str!("typescript/index.ts");

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_hono_app() {
    let app = App::new(JAVASCRIPT, "hono").copied("javascript/hono");
    let web = app.component(".").with(&[("GREETING", "ahoj")]);

    let path = "/api/items/gr%C3%BC%C3%9Fe?q=1&q=2";
    let answer = web.request(Method::GET, path, &[("origin", "https://other.example")], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), ["*"]);
    assert_eq!(answer.json(), json!({"id": "grüße", "q": ["1", "2"], "greeting": "ahoj"}));

    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let answer = web.request(Method::POST, "/echo", &[], body.clone()).await;
    assert_eq!(answer.status, 201);
    assert!(answer.body == body, "the body changed on its way");

    let answer = web.request(Method::GET, "/stream", &[], "").await;
    assert_eq!(answer.text(), "one,two,three");
    let answer = web.request(Method::GET, "/nowhere", &[], "").await;
    assert_eq!(answer.status, 404);

    let answer = web.request(Method::GET, "/throw", &[], "").await;
    assert_eq!((answer.status, answer.text()), (500, r#"{"message":"Internal Server Error"}"#));
    let lines = web.take_output();
    assert!(lines.iter().any(|line| line == "stderr Error: boom"), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("index.js:")), "{lines:?}");

    let origin = echo::start().await;
    let path = format!("/fetch?url={}/shop", origin.url());
    let answer = web.granted(&origin.url()).request(Method::GET, &path, &[], "").await;
    let expected =
        json!({"status": 201, "header": "origin", "text": "POST /shop lamb from the guest"});
    assert_eq!(answer.json(), expected);
    let refused = web.request(Method::GET, &path, &[], "").await;
    assert_eq!(refused.status, 500, "without a grant nothing is reached");
    origin.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_runs_with_its_types_erased() {
    let app = App::new(JAVASCRIPT, "typescript").copied("javascript/typescript");
    let web = app.component("index.ts");
    let answer = web.request(Method::GET, "/1", &[], "").await;
    assert_eq!(answer.json(), json!({"id": "1", "kind": "lamb", "at": "guest"}));
    assert_eq!(web.request(Method::GET, "/2", &[], "").await.status, 404);

    assert_eq!(web.request(Method::GET, "/broken", &[], "").await.status, 500);
    let line = line_of(TYPESCRIPT, "not for sale");
    let lines = web.take_output();
    assert!(lines.contains(&"stderr TypeError: not for sale".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|text| text.contains(&format!("index.ts:{line}:"))), "{lines:?}");
}

#[test]
fn the_types_of_handlers_accept_a_handler_and_refuse_what_is_none() {
    let types = include_str!("../../../../lang-bindings/javascript/types/lambkin.d.ts");
    let app = App::new(JAVASCRIPT, "types")
        .copied("javascript/typescript")
        .file("types/lambkin.d.ts", types)
        .file("package.json", r#"{ "private": true, "dependencies": { "typescript": "5.9.3" } }"#);
    // The build installs what package.json declares, as it does for a user.
    app.build("index.ts").unwrap();
    let check = |file: &str| {
        fs_err::write(
            app.root().join("one.json"),
            format!(r#"{{"extends": "./tsconfig.json", "files": ["{file}"]}}"#),
        )
        .unwrap();
        let mut tsc = Command::new("node");
        tsc.args(["node_modules/typescript/bin/tsc", "--project", "one.json"]);
        let output = tsc.current_dir(app.root()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (accepted, text) = check("index.ts");
    assert!(accepted, "{text}");
    let (accepted, text) = check("wrong.ts");
    assert!(!accepted && text.contains("wrong.ts(3,37): error TS2322"), "{text}");
}
