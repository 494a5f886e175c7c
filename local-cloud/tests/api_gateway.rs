//! The HTTP API, the function URL and the load balancer before a function on AWS's own Python runtime client, or a streaming one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use lambkin_local_cloud::api_gateway::{Access, Definition, Server, Settings, StartError};
use lambkin_protocol::manifest::{
    Api as ApiSettings, ApiType, Cors, Payload, ResponseTransferMode,
};
use lambkin_protocol::routes::Route;
use serde_json::{Value, json};
use support::{Logged, get, logged, open, python_bootstrap, python_function, send};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const ANY_PORT: &str = "127.0.0.1:0";

fn route(key: &str) -> Route {
    let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
    let methods = Some(vec![method.to_owned()]);
    // There is one function behind the API.
    Route { path: path.to_owned(), methods, ..Route::default() }
}

fn routes_of(keys: &[&str]) -> Definition {
    Definition { routes: keys.iter().map(|key| route(key)).collect(), ..Definition::default() }
}

/// An HTTP API, what it logs, and the function behind it.
struct Api {
    server: Server,
    accesses: Arc<Mutex<Vec<Access>>>,
    logged: Logged,
}

impl Api {
    async fn start(logged: Logged, routes: &[&str], adjust: impl FnOnce(&mut Settings)) -> Self {
        let accesses = Arc::new(Mutex::new(Vec::new()));
        let mut settings =
            Settings::new(ANY_PORT.parse().unwrap(), routes_of(routes), logged.function.clone());
        let sink = Arc::clone(&accesses);
        settings.on_request = Arc::new(move |access| sink.lock().unwrap().push(access.clone()));
        adjust(&mut settings);
        Self { server: Server::start(settings).await.unwrap(), accesses, logged }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn last(&self) -> Access {
        self.accesses.lock().unwrap().last().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_a_2_0_event_and_its_answer_a_response() {
    let api =
        Api::start(python_function(|_| ()), &["POST /items/{id}", "ANY /{proxy+}"], |_| ()).await;
    let request = Request::post("/items/a%20b?x=1&x=2&y=%C5%BE")
        .header("Content-Type", "application/json")
        .header("X-Multi", "one")
        .header("X-Multi", "two")
        .header("Cookie", "a=1; b=2")
        .header("User-Agent", "tests")
        .body(br#"{"n":1}"#.to_vec())
        .unwrap();
    let reply = send(api.address(), request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let event = reply.json();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /items/{id}");
    assert_eq!(event["rawPath"], "/items/a%20b");
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=%C5%BE");
    assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "ž" }));
    assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(r#"{"n":1}"#), &json!(false)));
    let headers = &event["headers"];
    assert_eq!(headers["x-multi"], "one,two");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(headers["x-forwarded-port"], api.address().port().to_string());
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert!(
        headers.get("cookie").is_none()
            && headers["x-amzn-trace-id"].as_str().unwrap().starts_with("Root=1-")
    );
    let context = &event["requestContext"];
    assert_eq!(context["http"]["method"], "POST");
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["http"]["userAgent"], "tests");
    assert_eq!(
        (&context["stage"], &context["domainName"]),
        (&json!("$default"), &json!("127.0.0.1"))
    );
    assert_eq!(context["requestId"], reply.headers["apigw-requestid"].to_str().unwrap());
    let access = api.last();
    assert_eq!((access.method.as_str(), access.path.as_str()), ("POST", "/items/a%20b"));
    assert_eq!(
        (access.route_key.as_deref(), access.status.as_u16()),
        (Some("POST /items/{id}"), 200)
    );
    assert_eq!(access.request_id, context["requestId"]);
    assert!(access.error.is_none() && access.duration > Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_body_goes_in_and_out_as_it_is() {
    let api = Api::start(python_function(|_| ()), &["ANY /{proxy+}"], |_| ()).await;
    let request = Request::put("/echo").body(vec![0, 159, 146, 150]).unwrap();
    let event = send(api.address(), request).await.json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("AJ+Slg=="), &json!(true)));
    let reply = get(api.address(), "/cookies").await;
    assert_eq!((reply.status, reply.text()), (201, "hi"));
    let cookies: Vec<_> =
        reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(cookies, ["a=1", "b=2; Path=/"]);
    assert_eq!(reply.headers["x-one"], "1");
    // What the function said about the connection was not its to say.
    assert_eq!(reply.headers["content-length"], "2");
    assert!(reply.headers.get("connection").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_route_answers_and_routes_change_while_it_runs() {
    let routes = ["GET /items/{id}", "ANY /items/{id}", "GET /items/new", "ANY /{proxy+}"];
    let api = Api::start(python_function(|_| ()), &routes, |_| ()).await;
    for (method, path, key, parameters) in [
        ("GET", "/items/new", "GET /items/new", None),
        ("GET", "/items/7", "GET /items/{id}", Some(json!({ "id": "7" }))),
        ("PATCH", "/items/7", "ANY /items/{id}", Some(json!({ "id": "7" }))),
        ("POST", "/items/new", "ANY /items/{id}", Some(json!({ "id": "new" }))),
        ("GET", "/deep/er", "ANY /{proxy+}", Some(json!({ "proxy": "deep/er" }))),
    ] {
        let event =
            send(api.address(), Request::builder().method(method).uri(path).body(vec![]).unwrap())
                .await
                .json();
        assert_eq!(event["routeKey"], key);
        assert_eq!(event.get("pathParameters"), parameters.as_ref(), "{method} {path}");
    }
    api.server.deploy("tested", routes_of(&["GET /only", "$default"])).unwrap();
    assert_eq!(get(api.address(), "/only").await.json()["routeKey"], "GET /only");
    assert_eq!(get(api.address(), "/items/7").await.json()["routeKey"], "$default");
    api.server.deploy("tested", routes_of(&["GET /only"])).unwrap();
    for request in [Request::get("/items/7"), Request::post("/only"), Request::get("/")] {
        let reply = send(api.address(), request.body(vec![]).unwrap()).await;
        assert_eq!((reply.status, reply.text()), (404, r#"{"message":"Not Found"}"#));
        assert!(reply.headers.contains_key("apigw-requestid"));
        assert_eq!(api.last().route_key, None);
    }
    let refused = api.server.deploy("tested", routes_of(&["GET /a", "GET /a"]));
    assert!(refused.is_err());
    assert_eq!(get(api.address(), "/only").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_behind_it_is_answered_as_api_gateway_does() {
    let api = Api::start(python_function(|_| ()), &["ANY /{proxy+}"], |settings| {
        settings.integration_timeout = Some(Duration::from_secs(2));
    })
    .await;
    // The first request waits for the sandbox's Init too, which counts as well.
    let _ = get(api.address(), "/echo").await;
    for (path, status, body, why) in [
        ("/fail", 500, r#"{"message":"Internal Server Error"}"#, "boom"),
        ("/malformed", 500, r#"{"message":"Internal Server Error"}"#, "statusCode"),
        ("/wait", 503, r#"{"message":"Service Unavailable"}"#, "took more than 2s"),
    ] {
        let reply = get(api.address(), path).await;
        assert_eq!((reply.status, reply.text()), (status, body), "{path}");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert!(api.last().error.unwrap().contains(why), "{:?}", api.last());
    }
    api.logged.function.stop().await;
    assert_eq!(get(api.address(), "/echo").await.status, 500);
    assert_eq!(api.last().error.as_deref(), Some("the function is stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_without_a_status_code_is_the_body() {
    let api = Api::start(python_function(|_| ()), &["ANY /{proxy+}"], |_| ()).await;
    let reply = get(api.address(), "/plain").await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "any": "json" })));
    assert_eq!(reply.headers["content-type"], "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limits_is_refused() {
    let api = Api::start(python_function(|_| ()), &["ANY /{proxy+}"], |_| ()).await;
    // Ten megabytes are API Gateway's limit; six, after base64, are Lambda's.
    for size in [10 * 1024 * 1024 + 1, 5 * 1024 * 1024] {
        let reply = send(api.address(), Request::post("/echo").body(vec![0; size]).unwrap()).await;
        assert_eq!(
            (reply.status, reply.text()),
            (413, r#"{"message":"Request Entity Too Large"}"#),
            "{size}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_beyond_the_limit_is_refused() {
    let api = Api::start(python_function(|_| ()), &["ANY /{proxy+}"], |_| ()).await;
    let request = Request::get("/echo").header("x-long", "x".repeat(10_240)).body(vec![]).unwrap();
    assert_eq!(send(api.address(), request).await.status, 431);
    let request = Request::get("/echo").header("x-long", "x".repeat(9_000)).body(vec![]).unwrap();
    assert_eq!(send(api.address(), request).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_is_the_gateways_and_not_the_functions() {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let cors = Cors {
        allow_origins: owned(&["https://shop.example"]),
        allow_methods: owned(&["GET", "PUT"]),
        allow_headers: owned(&["content-type"]),
        expose_headers: owned(&["x-count"]),
        max_age_seconds: Some(60),
        allow_credentials: true,
    };
    // There is no route for OPTIONS.
    let api = Api::start(python_function(|_| ()), &["GET /cors"], |settings| {
        settings.apis[0].definition.api.cors = Some(cors);
    })
    .await;
    let preflight = |origin: &str| {
        let request = Request::options("/cors").header("origin", origin);
        request.header("access-control-request-method", "PUT").body(vec![]).unwrap()
    };
    let reply = send(api.address(), preflight("https://shop.example")).await;
    assert_eq!((reply.status, reply.text()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", "https://shop.example"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "content-type"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "60"),
    ] {
        assert_eq!(reply.headers[name], value);
    }
    let reply = send(api.address(), preflight("https://other.example")).await;
    assert_eq!(reply.status, 204);
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
    // What is no preflight goes to the routes.
    let bare = Request::options("/cors").header("origin", "https://shop.example");
    assert_eq!(send(api.address(), bare.body(vec![]).unwrap()).await.status, 404);
    let inits = api.logged.folder.path().join("inits");
    assert!(!inits.exists(), "the function was started for a preflight");

    let request = Request::get("/cors").header("origin", "https://shop.example");
    let reply = send(api.address(), request.body(vec![]).unwrap()).await;
    assert_eq!((reply.status, reply.text()), (200, "shared"));
    assert!(inits.exists());
    assert_eq!(reply.headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(reply.headers["access-control-expose-headers"], "x-count");
    assert_eq!(reply.headers["x-count"], "7");
    assert!(!reply.headers.contains_key("access-control-max-age"));
    let reply = get(api.address(), "/cors").await;
    assert!(!reply.headers.contains_key("access-control-allow-origin"), "no origin asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_has_a_name_variables_and_format_1_0() {
    let api =
        Api::start(python_function(|_| ()), &["GET /items/{id}", "GET /malformed"], |settings| {
            settings.apis[0].definition.api = ApiSettings {
                payload: Some(Payload::One),
                stage: Some("test".to_owned()),
                stage_variables: [("table".to_owned(), "t-1".to_owned())].into(),
                ..ApiSettings::default()
            };
        })
        .await;
    let request = Request::get("/test/items/a%20b?x=1&x=2").header("X-Multi", "one");
    let request = request.header("x-multi", "two").body(vec![]).unwrap();
    let event = send(api.address(), request).await.json();
    assert_eq!((&event["version"], &event["resource"]), (&json!("1.0"), &json!("/items/{id}")));
    assert_eq!(event["path"], "/test/items/a%20b");
    assert_eq!(event["headers"]["x-multi"], "two");
    assert_eq!(event["multiValueHeaders"]["x-multi"], json!(["one", "two"]));
    assert_eq!(event["queryStringParameters"], json!({ "x": "2" }));
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "x": ["1", "2"] }));
    assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
    assert_eq!(event["stageVariables"], json!({ "table": "t-1" }));
    assert_eq!(event["requestContext"]["stage"], "test");
    assert_eq!(event["requestContext"]["authorizer"], json!({ "claims": null, "scopes": null }));
    assert_eq!((event.get("body"), event.get("cookies")), (Some(&Value::Null), None));
    assert_eq!(get(api.address(), "/items/1").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn head_has_no_body() {
    let api = Api::start(python_function(|_| ()), &["ANY /{proxy+}"], |_| ()).await;
    let reply = send(api.address(), Request::head("/cookies").body(vec![]).unwrap()).await;
    assert_eq!((reply.status, reply.text()), (201, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_that_overlap_are_refused_at_the_start() {
    let logged = python_function(|_| ());
    let routes = routes_of(&["GET /a", "GET /a"]);
    let settings = Settings::new(ANY_PORT.parse().unwrap(), routes, logged.function.clone());
    assert!(matches!(Server::start(settings).await, Err(StartError::Definition(_))));
}

/// A function URL before a function, and what it logs.
async fn function_url(logged: Logged) -> Api {
    Api::start(logged, &[], |settings| {
        settings.apis[0].definition.api = ApiSettings {
            kind: ApiType::FunctionUrl,
            response_transfer_mode: ResponseTransferMode::Stream,
            ..ApiSettings::default()
        };
    })
    .await
}

fn streaming_function() -> Logged {
    logged(
        |folder| python_bootstrap(folder, "-m raw"),
        |settings| settings.timeout = Duration::from_secs(5),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_url_streams_piece_by_piece() {
    let api = function_url(streaming_function()).await;
    let gate = TcpListener::bind(ANY_PORT).await.unwrap();
    let path = format!("/?gate={}", gate.local_addr().unwrap().port());
    let response = open(api.address(), Request::get(path).body(vec![]).unwrap()).await;
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["x-a"], "1");
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["c=1", "d=2"]);
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first,");
    // Only now does the function go on.
    let (mut opened, _) = gate.accept().await.unwrap();
    opened.write_all(b"!").await.unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "second");
    assert_eq!(api.last().status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_mid_stream_breaks_the_connection_off() {
    let api = function_url(streaming_function()).await;
    for end in ["/error", "/crash"] {
        let response = open(api.address(), Request::get(end).body(vec![]).unwrap()).await;
        assert_eq!(response.status(), 202);
        let body = response.into_body().collect().await;
        assert!(body.is_err(), "{end}: {body:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_url_answers_buffered_functions_too() {
    let api = function_url(python_function(|_| ())).await;
    let request = Request::get("/any/path?a=1").header("cookie", "a=1; b=2").body(vec![]).unwrap();
    let event: Value = send(api.address(), request).await.json();
    assert_eq!((&event["routeKey"], &event["rawPath"]), (&json!("$default"), &json!("/any/path")));
    assert_eq!(event["requestContext"]["accountId"], "anonymous");
    // Unlike an HTTP API it leaves the cookies in the headers.
    assert_eq!(
        (&event["cookies"], &event["headers"]["cookie"]),
        (&json!(["a=1", "b=2"]), &json!("a=1; b=2"))
    );
    let reply = get(api.address(), "/fail").await;
    assert_eq!((reply.status, reply.text()), (502, "Internal Server Error"));
    assert!(api.last().error.as_deref().unwrap().contains("boom"));
    let reply =
        send(api.address(), Request::post("/").body(vec![0; 6 * 1024 * 1024 + 1]).unwrap()).await;
    assert_eq!(reply.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buffered_function_url_collects_what_a_function_streams_and_answers_preflights() {
    let cors = Cors { allow_origins: vec!["https://a.example".to_owned()], ..Cors::default() };
    let api = Api::start(python_function(|_| ()), &[], |settings| {
        settings.apis[0].definition.api =
            ApiSettings { kind: ApiType::FunctionUrl, cors: Some(cors), ..ApiSettings::default() };
    })
    .await;
    let preflight = Request::options("/any")
        .header("origin", "https://a.example")
        .header("access-control-request-method", "GET");
    let reply = send(api.address(), preflight.body(vec![]).unwrap()).await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
    let request = Request::get("/any").header("origin", "https://a.example");
    let reply = send(api.address(), request.body(vec![]).unwrap()).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
    assert_eq!(reply.json()["rawPath"], "/any");
}

/// A load balancer before the Python function.
async fn balancer(multi_value_headers: bool) -> Api {
    Api::start(python_function(|_| ()), &[], |settings| {
        settings.apis[0].definition.api =
            ApiSettings { kind: ApiType::Alb, multi_value_headers, ..ApiSettings::default() };
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_balancer_sends_its_own_event_and_reads_its_own_answer() {
    let request = || {
        let request =
            Request::post("/exactly?x=a%20b&x=2").header("content-type", "application/json");
        request.header("x-multi", "one").header("x-multi", "two")
    };
    let api = balancer(false).await;
    let event = send(api.address(), Request::get("/any?x=a%20b&x=c+d").body(vec![]).unwrap()).await;
    let event = event.json();
    let arn = event["requestContext"]["elb"]["targetGroupArn"].as_str().unwrap();
    assert!(arn.contains(":targetgroup/"), "{event}");
    assert_eq!(
        (&event["path"], &event["queryStringParameters"]),
        (&json!("/any"), &json!({ "x": "c+d" }))
    );
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(""), &json!(false)));

    let answer = br#"{"statusCode":201,"statusDescription":"201 Created","headers":{"x-a":"1"},"body":"done"}"#;
    let reply = send(api.address(), request().body(answer.to_vec()).unwrap()).await;
    assert_eq!(
        (reply.status, reply.text(), &reply.headers["x-a"]),
        (201, "done", &"1".parse().unwrap())
    );
    for malformed in ["{}", "[]", r#"{"statusCode":"x"}"#] {
        let reply =
            send(api.address(), request().body(malformed.as_bytes().to_vec()).unwrap()).await;
        assert_eq!((reply.status, &reply.headers["server"]), (502, &"awselb/2.0".parse().unwrap()));
        assert!(reply.text().contains("<h1>502 Bad Gateway</h1>"), "{reply:?}");
    }
    assert_eq!(get(api.address(), "/fail").await.status, 502);
    let reply =
        send(api.address(), Request::post("/").body(vec![0; 1024 * 1024 + 1]).unwrap()).await;
    assert_eq!(reply.status, 413);

    let api = balancer(true).await;
    let answer =
        br#"{"statusCode":200,"headers":{"x-a":"1"},"multiValueHeaders":{"x-b":["1","2"]}}"#;
    let reply = send(api.address(), request().body(answer.to_vec()).unwrap()).await;
    let values: Vec<_> = reply.headers.get_all("x-b").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert!(!reply.headers.contains_key("x-a"));
    let event =
        send(api.address(), Request::get("/any?x=1&x=2").body(vec![]).unwrap()).await.json();
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "x": ["1", "2"] }));
    assert!(event.get("headers").is_none());
}
