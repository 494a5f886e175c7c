//! One function that serves many apps, by domain and base path.

use crate::stage::Stage;
use serde_json::{Value, json};

const DOMAIN: &str = "api.example.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_maps_its_base_paths_to_apps() {
    let stage = Stage::start().await;
    for app in ["shop", "blog"] {
        stage.publish(app, "web", app);
    }
    let folder = stage.app("shop");
    for (app, base_path) in [("shop@live", "shop/v2"), ("blog@live", "")] {
        let arguments = ["domain", DOMAIN, "--app", app, "--base-path", base_path];
        stage.lambkin(&folder, &arguments).unwrap();
    }
    let host = stage.host(&[]);
    let (status, shop) = host.get(DOMAIN, "/shop/v2/items/1").await;
    assert_eq!(
        (status, &shop["version"], &shop["path"]),
        (200, &json!("shop"), &json!("/items/1"))
    );
    assert_eq!(shop["base"], "/shop/v2");
    let (_, blog) = host.get(DOMAIN, "/shopping").await;
    assert_eq!((&blog["version"], &blog["path"]), (&json!("blog"), &json!("/shopping")));
    // Domain names have no case.
    assert_eq!(host.get("API.Example.COM", "/shop/v2/x").await.1["version"], "shop");
    assert_eq!(host.processes(), 1);
}

/// An event of a WebSocket API at `domain`.
fn websocket_event(domain: &str) -> Value {
    json!({
        "requestContext": {
            "routeKey": "say", "eventType": "MESSAGE", "connectionId": "L0SM9cOFvHcCIhw=",
            "domainName": domain, "stage": "live",
        },
        "body": "hi",
        "isBase64Encoded": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_of_a_domain_goes_to_the_app_at_its_root() {
    let stage = Stage::start().await;
    stage.publish("talk", "function", "1");
    let folder = stage.app("talk");
    stage.lambkin(&folder, &["domain", DOMAIN, "--app", "talk@live", "--base-path", ""]).unwrap();
    let host = stage.host(&[]);
    let answer = host.invoke(&websocket_event(DOMAIN)).await.unwrap();
    assert_eq!((&answer["version"], &answer["event"]["body"]), (&json!("1"), &json!("hi")));
    let error = host.invoke(&websocket_event("other.example.com")).await.unwrap_err();
    assert_eq!(error["errorType"], "Runtime.UnknownDomain");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_a_404_and_the_log_says_how_to_map_it() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "1");
    let folder = stage.app("shop");
    stage
        .lambkin(&folder, &["domain", DOMAIN, "--app", "shop@live", "--base-path", "shop"])
        .unwrap();
    let host = stage.host(&[]);
    let not_found = (404, json!({ "message": "Not Found" }));
    assert_eq!(host.get("other.example.com", "/").await, not_found);
    assert_eq!(host.get(DOMAIN, "/elsewhere").await, not_found);
    host.log.wait_for_text("lambkin domain other.example.com --app").unwrap();
    assert_eq!(host.get(DOMAIN, "/shop/x").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_points_to_an_app_that_is_not_there_says_so() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "1");
    let folder = stage.app("shop");
    stage.lambkin(&folder, &["domain", DOMAIN, "--app", "shop@staging"]).unwrap();
    let host = stage.host(&[]);
    let error = host.invoke(&crate::stage::http_event(DOMAIN, "/")).await.unwrap_err();
    assert_eq!(error["errorType"], "Runtime.UnknownAlias");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("lambkin publish --alias staging"), "{message}");
    // It is published now: the same process serves it.
    stage
        .lambkin(&folder, &["publish", "--alias", "staging", "--target", "x86_64,aarch64"])
        .unwrap();
    assert_eq!(host.get(DOMAIN, "/").await.0, 200);
    assert_eq!(host.processes(), 1);
}
