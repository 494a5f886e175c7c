//! One function that serves many apps, by domain and base path.

use crate::server::{PATIENCE, Server};
use crate::stage::{Stage, guest};
use lambkin_tests::case::Request;
use lambkin_tests::client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_answers_for_the_names_that_have_no_domain_of_their_own() {
    let stage = Stage::start().await;
    for app in ["shop", "blog"] {
        stage.publish(app, "web", app);
    }
    let folder = stage.app("shop");
    for (domain, app) in [("*.example.com", "blog@live"), (DOMAIN, "shop@live")] {
        stage.lambkin(&folder, &["domain", domain, "--app", app]).unwrap();
    }
    let host = stage.host(&[]);
    assert_eq!(host.get(DOMAIN, "/").await.1["version"], "shop");
    // Twice: what was found by the wildcard is remembered.
    for _ in 0..2 {
        assert_eq!(host.get("anna.example.com", "/").await.1["version"], "blog");
    }
    assert_eq!(host.get("a.anna.example.com", "/").await.0, 404);
    // A domain of the name's own wins as soon as the host has looked again.
    stage.lambkin(&folder, &["domain", "anna.example.com", "--app", "shop@live"]).unwrap();
    let is_shop = async || host.get("anna.example.com", "/").await.1["version"] == "shop";
    let deadline = Instant::now() + PATIENCE;
    while !is_shop().await {
        assert!(Instant::now() < deadline, "the wildcard keeps answering");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_of_one_app_is_told_its_base_paths() {
    let stage = Stage::start().await;
    stage.publish("shop", "web", "1");
    let host =
        stage.host(&[("LAMBKIN_APP", "shop@live"), ("LAMBKIN_BASE_PATHS", "store, store/v2")]);
    for (path, inner, base) in [
        ("/store/v2/items/1", "/items/1", json!("/store/v2")),
        ("/store/v3", "/v3", json!("/store")),
        ("/store", "/", json!("/store")),
        // The API's own address has no base path.
        ("/items/1", "/items/1", Value::Null),
        ("/stores", "/stores", Value::Null),
    ] {
        let (status, seen) = host.get(DOMAIN, path).await;
        assert_eq!((status, &seen["path"], &seen["base"]), (200, &json!(inner), &base), "{path}");
    }
}

/// An app in a folder of its own, of one web component.
fn app(stage: &Stage, name: &str, tables: &str) -> PathBuf {
    let folder = stage.app(name);
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::copy(guest("web"), folder.join("web.wasm")).unwrap();
    let manifest = format!(
        "lambkin = 1\n[app]\nname = '{name}'\n[component.web]\nlanguage = 'wasm'\nsource = 'web.wasm'\n\
         environment = {{ VERSION = '{name}' }}\n{tables}[[route]]\npath = '/{{proxy+}}'\ncomponent = 'web'\n"
    );
    fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn lambkin_dev_serves_several_apps_under_custom_domains() {
    let stage = Stage::start().await;
    let shop = app(&stage, "shop", "");
    let blog = app(&stage, "blog", "[api]\ntype = 'rest'\n");
    let server = Server::start(|command| {
        command.args(["dev", "--listen", "127.0.0.1:0"]).current_dir(&shop);
        command.args([
            "--domain",
            "api.example.com/shop=.",
            "--domain",
            "api.example.com/news/v2=../blog",
        ]);
        command.args(["--domain", "*.blog.localhost=../blog"]);
    });
    let port = server.address.port();
    server.wait_for(&format!("http://api.example.com:{port}/news/v2  (blog)"));
    let get = async |domain: &str, path: &str| {
        let mut request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        request.headers.insert("host".to_owned(), domain.to_owned());
        let answer = client::send(server.address, &request).await.unwrap();
        (answer.status, serde_json::from_slice::<Value>(&answer.body).unwrap())
    };
    for (domain, path, app, inner, base) in [
        ("127.0.0.1", "/a", "shop", "/a", Value::Null),
        ("api.example.com", "/shop/a/b", "shop", "/a/b", json!("/shop")),
        ("api.example.com", "/news/v2/a", "blog", "/a", json!("/news/v2")),
        ("anna.blog.localhost", "/a", "blog", "/a", Value::Null),
    ] {
        let (status, seen) = get(domain, path).await;
        assert_eq!(
            (status, &seen["version"], &seen["path"], &seen["base"]),
            (200, &json!(app), &json!(inner), &base),
            "{domain}{path}"
        );
    }
    assert_eq!(get("api.example.com", "/elsewhere").await.0, 403);
    server.wait_for("no API is mapped to this path of the domain");

    // The other app's folder is watched, and taken.
    let manifest = blog.join("lambkin.toml");
    let text =
        fs_err::read_to_string(&manifest).unwrap().replace("VERSION = 'blog'", "VERSION = 'new'");
    fs_err::write(&manifest, text).unwrap();
    server.wait_for("Reloaded");
    assert_eq!(get("api.example.com", "/news/v2/a").await.1["version"], "new");
    assert_eq!(get("127.0.0.1", "/a").await.1["version"], "shop");
    let error = stage.lambkin(&blog, &["dev", "--listen", "127.0.0.1:0"]).unwrap_err().to_string();
    assert!(error.contains("another `lambkin dev` serves"), "{error}");
    let twice = ["dev", "--domain", "a.test=.", "--domain", "a.test=../blog"];
    let error = stage.lambkin(&shop, &twice).unwrap_err().to_string();
    assert!(error.contains("a.test/ is mapped to two apps"), "{error}");
}
