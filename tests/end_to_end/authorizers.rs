//! Routes with an authorizer: the host finds the component that decides, and answers no event that went past it.

use crate::server::Server;
use crate::stage::{Host, Stage, guest, http_event};
use lambkin_tests::case::Request;
use lambkin_tests::client::{self, Answer};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;

const MANIFEST: &str = "
    lambkin = 1
    [app]
    name = 'shop'
    [component.items]
    language = 'wasm'
    source = 'items.wasm'
    [component.decides]
    language = 'wasm'
    source = 'decides.wasm'
    [authorizer.tokens]
    type = 'request'
    component = 'decides'
    identity_source = ['$request.header.Authorization']
    [[route]]
    path = '/open'
    component = 'items'
    [[route]]
    path = '/{proxy+}'
    component = 'items'
    authorizer = 'tokens'
";

/// The app of this manifest, written.
fn app(stage: &Stage, manifest: &str) -> PathBuf {
    let folder = stage.app("shop");
    fs_err::create_dir_all(&folder).unwrap();
    for (name, built) in [("items", "function"), ("decides", "authorizer")] {
        fs_err::copy(guest(built), folder.join(format!("{name}.wasm"))).unwrap();
    }
    fs_err::write(folder.join("lambkin.toml"), manifest).unwrap();
    folder
}

fn host(stage: &Stage, manifest: &str) -> Host {
    let folder = app(stage, manifest);
    stage.lambkin(&folder, &["publish", "--target", std::env::consts::ARCH]).unwrap();
    stage.host(&[("LAMBKIN_APP", "shop@live")])
}

/// An event as it comes through a route of API Gateway that has asked an authorizer, or has not.
fn event(path: &str, authorizer: &Value) -> Value {
    let mut event = http_event("api.example.com", path);
    if !authorizer.is_null() {
        event["requestContext"]["authorizer"] = authorizer.clone();
    }
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizers_event_goes_to_the_component_that_guards_the_route() {
    let stage = Stage::start().await;
    let host = host(&stage, MANIFEST);
    let arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/$default/GET/items/1";
    let asked = json!({
        "version": "2.0", "type": "REQUEST", "routeArn": arn, "routeKey": "ANY /{proxy+}",
        "identitySource": ["let me in"], "headers": { "authorization": "let me in" },
        "rawPath": "/items/1", "requestContext": { "http": { "method": "GET" } },
    });
    let answer = host.invoke(&asked).await.unwrap();
    assert_eq!(answer, json!({ "isAuthorized": true, "context": { "asked": arn } }));
    // A REST API's, which tells nothing but the ARN, and asks for another method.
    let arn = arn.replace("$default/GET", "prod/DELETE");
    let token = json!({ "type": "TOKEN", "authorizationToken": "let me in", "methodArn": arn });
    let answer = host.invoke(&token).await.unwrap();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
    assert_eq!(answer["context"]["asked"], arn);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_authorizer_in_the_release_its_event_has_a_route_of_its_own() {
    let stage = Stage::start().await;
    let (before, _) = MANIFEST.split_once("[authorizer.tokens]").unwrap();
    let routes = "[[route]]\npath = '/events/authorizer'\ncomponent = 'decides'\n";
    let host = host(&stage, &format!("{before}{routes}"));
    let token =
        json!({ "type": "TOKEN", "authorizationToken": "no", "methodArn": "arn:a/b/GET/c" });
    let answer = host.invoke(&token).await.unwrap();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_route_answers_only_what_went_through_its_authorizer() {
    let stage = Stage::start().await;
    let host = host(&stage, MANIFEST);
    let status = async |event: Value| host.invoke(&event).await.unwrap()["statusCode"].clone();
    // The function's answer is JSON without a status, which API Gateway takes for a 200.
    let passed = Value::Null;
    assert_eq!(status(event("/open", &Value::Null)).await, passed);
    assert_eq!(status(event("/items/1", &json!({ "lambda": { "a": 1 } }))).await, passed);
    assert_eq!(status(event("/items/1", &json!({ "lambda": null }))).await, passed);
    for said in [Value::Null, json!({}), json!({ "jwt": {} }), json!({ "iam": { "userId": "u" } })]
    {
        let answer = host.invoke(&event("/items/1", &said)).await.unwrap();
        assert_eq!(answer["statusCode"], 403, "{said}");
        assert_eq!(answer["body"], r#"{"message":"Forbidden"}"#);
    }
    let mut url = event("/items/1", &json!({ "lambda": {}, "iam": {} }));
    url["requestContext"]["domainName"] = json!("abc.lambda-url.eu-central-1.on.aws");
    assert_eq!(status(url).await, 403);
    let balancer = json!({
        "requestContext": { "elb": { "targetGroupArn": "arn" }, "authorizer": { "principalId": "me" } },
        "httpMethod": "GET", "path": "/items/1", "headers": {}, "body": "", "isBase64Encoded": false,
    });
    assert_eq!(status(balancer).await, 403);
    host.log.wait_for_text("attach the authorizer to the route in API Gateway").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_opened_only_by_who_went_through_its_authorizer() {
    let stage = Stage::start().await;
    // The second authorizer's component would answer without a policy.
    let websocket = "[authorizer.other]
    type = 'request'
    component = 'items'
    [[websocket.route]]
    key = '$connect'
    component = 'items'
    authorizer = 'tokens'
    [[websocket.route]]
    key = 'say'
    component = 'items'\n";
    let host = host(&stage, &format!("{MANIFEST}{websocket}"));
    let domain = "abcdef.execute-api.eu-central-1.amazonaws.com";
    let event = |key: &str, kind: &str, authorizer: Value| {
        let context = json!({
            "routeKey": key, "eventType": kind, "connectionId": "AAAA1234=", "domainName": domain,
            "stage": "production", "authorizer": authorizer,
        });
        json!({ "requestContext": context, "isBase64Encoded": false })
    };
    let arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/production/$connect";
    let mut asks = event("$connect", "CONNECT", Value::Null);
    asks["type"] = json!("REQUEST");
    asks["methodArn"] = json!(arn);
    asks["headers"] = json!({ "Authorization": "let me in" });
    let answer = host.invoke(&asks).await.unwrap();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow", "{answer}");
    assert_eq!(answer["context"]["asked"], arn);

    let said = json!({ "principalId": "user-1", "integrationLatency": 3 });
    for (event, is_answered) in [
        (event("$connect", "CONNECT", said), true),
        (event("$connect", "CONNECT", Value::Null), false),
        (event("$connect", "CONNECT", json!({ "claims": {} })), false),
        // Who is connected has been asked.
        (event("say", "MESSAGE", Value::Null), true),
    ] {
        let answer = host.invoke(&event).await.unwrap();
        if is_answered {
            assert_eq!(answer["event"], event);
        } else {
            assert_eq!(answer, json!({ "statusCode": 403 }), "{event}");
        }
    }
    host.log.wait_for_text("attach the authorizer to $connect in API Gateway").unwrap();
}

async fn get(address: SocketAddr, path: &str, token: Option<&str>) -> Answer {
    let mut request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
    if let Some(token) = token {
        request.headers.insert("authorization".to_owned(), token.to_owned());
    }
    client::send(address, &request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lambkin_dev_asks_the_component_as_api_gateway_does() {
    let stage = Stage::start().await;
    let folder = app(&stage, MANIFEST);
    let server = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(&folder);
    });
    assert_eq!(get(server.address, "/open", None).await.status, 200);
    assert_eq!(get(server.address, "/items/1", None).await.status, 401);
    server.wait_for("lacks an identity source of authorizer \"tokens\"");
    assert_eq!(get(server.address, "/items/1", Some("please")).await.status, 403);
    let answer = get(server.address, "/items/1", Some("let me in")).await;
    assert_eq!(answer.status, 200);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let said = &answer["event"]["requestContext"]["authorizer"]["lambda"]["asked"];
    assert!(said.as_str().unwrap().ends_with("/$default/GET/items/1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lambkin_serve_asks_nobody_and_answers_no_guarded_route() {
    let stage = Stage::start().await;
    let folder = app(&stage, MANIFEST);
    let server = Server::start(|command| {
        command.args(["serve", "--addr", "127.0.0.1:0"]).current_dir(&folder);
    });
    assert_eq!(get(server.address, "/open", None).await.status, 200);
    let answer = get(server.address, "/items/1", Some("let me in")).await;
    assert_eq!((answer.status, &*answer.body), (403, br#"{"message":"Forbidden"}"#.as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn lambkin_dev_is_a_rest_api_when_the_manifest_says_so() {
    let stage = Stage::start().await;
    let token = "[api]\n    type = 'rest'\n    [authorizer.tokens]\n    type = 'token'";
    let manifest = MANIFEST
        .replace("[authorizer.tokens]\n    type = 'request'", token)
        .replace("path = '/{proxy+}'", "path = '/items/{id}'");
    let folder = app(&stage, &manifest);
    fs_err::copy(guest("web"), folder.join("items.wasm")).unwrap();
    let server = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(&folder);
    });
    let check = async |path: &str, token: Option<&str>, status: u16| {
        let answer = get(server.address, path, token).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        serde_json::from_slice::<Value>(&answer.body).unwrap()
    };
    let missing = check("/nothing", None, 403).await;
    assert_eq!(missing["message"], "Missing Authentication Token");
    assert_eq!(check("/prod/open", None, 200).await["path"], "/open");
    check("/items/1", None, 401).await;
    let denied = check("/items/1", Some("please"), 403).await;
    assert!(denied["Message"].as_str().unwrap().ends_with("with an explicit deny"), "{denied}");
    let answer = check("/prod/items/1", Some("let me in"), 200).await;
    assert_eq!((&answer["path"], &answer["base"]), (&json!("/items/1"), &json!("/prod")));
}
