//! A REST API before a function on AWS's own Python runtime client: events and answers as others recorded them from AWS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use lambkin_local_cloud::api_gateway::{Definition, Server, Settings};
use lambkin_protocol::manifest;
use serde_json::{Value, json};
use support::{Logged, Reply, get, python_function, send};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

struct Api {
    server: Server,
    _logged: Logged,
}

const ROUTES: &str = "
    [[route]]
    path = '/items/{id}'
    methods = ['GET']
    component = 'shop'
    [[route]]
    path = '/{proxy+}'
    component = 'shop'
";

impl Api {
    /// A REST API by what follows `type` in `[api]`, with these further tables.
    async fn start(api: &str, tables: &str) -> Self {
        let text = format!(
            "lambkin = 1\n[app]\nname = 'shop'\n[component.shop]\nlanguage = 'python'\nsource = 'a.py'\n\
             [api]\ntype = 'rest'\n{api}\n{tables}"
        );
        let definition = Definition::from(&manifest::parse(&text).unwrap());
        let logged = python_function(|settings| settings.max_sandboxes = 1);
        let address = "127.0.0.1:0".parse().unwrap();
        let mut settings = Settings::new(address, definition, logged.function.clone());
        settings.integration_timeout = Some(Duration::from_secs(2));
        Self { server: Server::start(settings).await.unwrap(), _logged: logged }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn get(&self, path: &str) -> Reply {
        get(self.address(), path).await
    }

    /// Makes the function give exactly this answer.
    async fn answer(&self, answer: &str) -> Reply {
        let request = Request::post("/exactly").header("content-type", "application/json");
        send(self.address(), request.body(answer.as_bytes().to_vec()).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_has_nulls_and_the_clients_spelling() {
    let api = Api::start("", ROUTES).await;
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    let request = "GET /prod/items/test%2Balias@x?price=10&price=20&name=a+b HTTP/1.1\r\nHost: shop.example.com\r\n\
                   tEsT-HEADeR: aValUE\r\nX-Multi: 1\r\nx-multi: 2\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let event: Value = serde_json::from_str(body).unwrap();
    assert_eq!(event.get("version"), None);
    assert_eq!((&event["resource"], &event["httpMethod"]), (&json!("/items/{id}"), &json!("GET")));
    assert_eq!(event["path"], "/items/test%2Balias@x");
    assert_eq!(event["requestContext"]["path"], "/prod/items/test%2Balias@x");
    assert_eq!(event["pathParameters"], json!({ "id": "test%2Balias@x" }));
    assert_eq!(event["headers"]["tEsT-HEADeR"], "aValUE");
    assert_eq!(event["headers"]["X-Multi"], "2");
    assert_eq!(event["multiValueHeaders"]["X-Multi"], json!(["1", "2"]));
    assert_eq!(event["headers"]["X-Forwarded-Proto"], "http");
    assert_eq!(event["queryStringParameters"], json!({ "price": "20", "name": "a b" }));
    let multi = json!({ "price": ["10", "20"], "name": ["a b"] });
    assert_eq!(event["multiValueQueryStringParameters"], multi);
    for absent in ["body", "stageVariables"] {
        assert_eq!(event.get(absent), Some(&Value::Null), "{absent}");
    }
    let context = &event["requestContext"];
    assert_eq!(
        (&context["stage"], &context["domainName"]),
        (&json!("prod"), &json!("shop.example.com"))
    );
    assert_eq!(context.get("authorizer"), None);
    let id = context["requestId"].as_str().unwrap();
    assert!(id.len() == 36 && head.contains(&format!("x-amzn-requestid: {id}")), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slashes_are_kept_and_dropped_as_recorded() {
    let api = Api::start("", ROUTES).await;
    for (asked, path, proxy) in [
        ("/prod/proxy-value/", "/proxy-value/", "proxy-value"),
        ("/prod/a//b", "/a//b", "a//b"),
        ("/prod//proxy-value", "/proxy-value", "proxy-value"),
        ("/proxy-value", "/proxy-value", "proxy-value"),
    ] {
        let event = api.get(asked).await.json();
        assert_eq!(
            (&event["path"], &event["pathParameters"]["proxy"]),
            (&json!(path), &json!(proxy))
        );
        assert_eq!(event["requestContext"]["path"], asked);
    }
    let event = api.get("/items/7/").await.json();
    assert_eq!((&event["resource"], &event["path"]), (&json!("/items/{id}"), &json!("/items/7/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_resource_or_method_lacks_a_token() {
    let api =
        Api::start("", "[[route]]\npath = '/items'\nmethods = ['GET']\ncomponent = 'shop'").await;
    for request in [Request::get("/"), Request::get("/other"), Request::post("/items")] {
        let reply = send(api.address(), request.body(vec![]).unwrap()).await;
        assert_eq!(
            (reply.status, reply.text()),
            (403, r#"{"message":"Missing Authentication Token"}"#)
        );
        assert_eq!(reply.headers["x-amzn-errortype"], "MissingAuthenticationTokenException");
    }
    assert_eq!(api.get("/items").await.status, 200);
}

/// `test_aws_proxy_response_payload_format_validation` of `LocalStack`, recorded from AWS.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_taken_or_refused_as_recorded() {
    let api = Api::start("", ROUTES).await;
    for (answer, status, body) in [
        (r#"{"headers":{"a":"b"}}"#, 200, ""),
        (r#"{"statusCode":"201","body":"x"}"#, 201, "x"),
        (r#"{"statusCode":200,"headers":null}"#, 200, ""),
        (r#"{"body":"aGk=","isBase64Encoded":true}"#, 200, "aGk="),
    ] {
        let reply = api.answer(answer).await;
        assert_eq!((reply.status, reply.text()), (status, body), "{answer}");
        assert_eq!(reply.headers["content-type"], "application/json");
    }
    for answer in [
        r#"{"statusCode":200,"wrongValue":1}"#,
        r#"{"statusCode":200,"cookies":["a=1"]}"#,
        r#""text""#,
        "null",
        r#"{"statusCode":"test"}"#,
        r#"{"multiValueHeaders":{"a":"b"}}"#,
    ] {
        let reply = api.answer(answer).await;
        assert_eq!(
            (reply.status, reply.text()),
            (502, r#"{"message": "Internal server error"}"#),
            "{answer}"
        );
    }
    let reply =
        api.answer(r#"{"headers":{"x-a":"solo"},"multiValueHeaders":{"x-a":["multi"]}}"#).await;
    let values: Vec<_> = reply.headers.get_all("x-a").iter().collect();
    assert_eq!(values, ["multi", "solo"]);
    assert_eq!(api.get("/fail").await.status, 502);
    let slow = api.get("/wait").await;
    assert_eq!((slow.status, slow.text()), (504, r#"{"message": "Endpoint request timed out"}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_bodies_are_those_of_its_media_types() {
    let api = Api::start(
        "stage = 'v1'\nstage_variables = { table = 't' }\nbinary_media_types = ['image/*']",
        ROUTES,
    )
    .await;
    let request = Request::post("/v1/echo").header("content-type", "image/png");
    let event = send(api.address(), request.body(vec![0, 255]).unwrap()).await.json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("AP8="), &json!(true)));
    assert_eq!(event["stageVariables"], json!({ "table": "t" }));
    let request = Request::post("/echo").header("content-type", "text/plain");
    let event = send(api.address(), request.body(b"hi".to_vec()).unwrap()).await.json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("hi"), &json!(false)));
    let request = Request::post("/exactly").header("accept", "image/png");
    let body = br#"{"headers":{"content-type":"image/png"},"body":"AP8=","isBase64Encoded":true}"#
        .to_vec();
    let reply =
        send(api.address(), request.header("content-type", "application/json").body(body).unwrap())
            .await;
    assert_eq!(reply.body.as_ref(), [0, 255]);
}

const AUTHORIZERS: &str = "
    [authorizer.tokens]
    type = 'token'
    component = 'shop'
    [authorizer.requests]
    type = 'request'
    component = 'shop'
    identity_source = ['method.request.header.Authorization', 'method.request.querystring.k']
    [[route]]
    path = '/token/{id}'
    component = 'shop'
    authorizer = 'tokens'
    [[route]]
    path = '/request'
    component = 'shop'
    authorizer = 'requests'
";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_authorizers_policy_is_kept_for_all_methods() {
    let api = Api::start("", AUTHORIZERS).await;
    let ask = async |method: &str, path: &str, token: &str| {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("Authorization", token);
        }
        send(api.address(), request.body(vec![]).unwrap()).await
    };
    let said = |reply: &Reply| {
        assert_eq!(reply.status, 200, "{reply:?}");
        let mut said = reply.json()["requestContext"]["authorizer"].clone();
        assert!(said["integrationLatency"].is_u64(), "{said}");
        said.as_object_mut().unwrap().remove("integrationLatency");
        said
    };
    let allowed = said(&ask("GET", "/token/1", "allow").await);
    assert_eq!(allowed, json!({ "principalId": "user-1", "count": "1", "token": "allow" }));
    assert_eq!(said(&ask("DELETE", "/token/2", "allow").await), allowed, "it is kept");
    // A policy that names GET alone is kept for PUT too.
    assert_eq!(said(&ask("GET", "/token/1", "get").await)["count"], "2");
    for (method, token, status, body, kind) in [
        (
            "PUT",
            "get",
            403,
            r#"{"Message":"User is not authorized to access this resource"}"#,
            "AccessDeniedException",
        ),
        (
            "GET",
            "deny",
            403,
            r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
            "AccessDeniedException",
        ),
        ("GET", "", 401, r#"{"message":"Unauthorized"}"#, "UnauthorizedException"),
        ("GET", "raise", 401, r#"{"message":"Unauthorized"}"#, "UnauthorizedException"),
        ("GET", "break", 500, r#"{"message":null}"#, "AuthorizerConfigurationException"),
        ("GET", "simple", 500, r#"{"message":null}"#, "AuthorizerConfigurationException"),
    ] {
        let reply = ask(method, "/token/1", token).await;
        assert_eq!((reply.status, reply.text()), (status, body), "{method} {token}");
        assert_eq!(reply.headers["x-amzn-errortype"], kind);
    }
    let event = said(&ask("GET", "/token/1", "echo").await);
    let event: Value = serde_json::from_str(event["event"].as_str().unwrap()).unwrap();
    let arn = "arn:aws:execute-api:us-east-1:000000000000:local/prod/GET/token/1";
    let expected = json!({ "type": "TOKEN", "authorizationToken": "echo", "methodArn": arn });
    assert_eq!(event, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_authorizer_sees_all_but_the_body() {
    let api = Api::start("", AUTHORIZERS).await;
    let request = |path: &str| {
        Request::post(path).header("authorization", "echo").body(b"secret".to_vec()).unwrap()
    };
    assert_eq!(send(api.address(), request("/request")).await.status, 401, "no `k`");
    let reply = send(api.address(), request("/request?k=1")).await.json();
    let said = &reply["requestContext"]["authorizer"];
    let event: Value = serde_json::from_str(said["event"].as_str().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["resource"]), (&json!("REQUEST"), &json!("/request")));
    assert_eq!((event.get("body"), event.get("version")), (None, None));
    assert_eq!(event["queryStringParameters"], json!({ "k": "1" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_streams_wants_a_function_that_does() {
    let api = Api::start("response_transfer_mode = 'stream'", ROUTES).await;
    let reply = api.get("/items/1").await;
    assert_eq!((reply.status, reply.json()), (502, json!({ "message": "Internal server error" })));
}

const KEY: &str = "a-key-of-twenty-chars-1";
const OTHER_KEY: &str = "a-key-of-twenty-chars-2";

/// Routes with and without an API key, before a plan that lets each key ask twice a month.
fn guarded(more: &str) -> String {
    format!(
        "[usage_plan.basic]\napi_keys = {{ ada = '{KEY}', bob = '{OTHER_KEY}' }}\nquota = {{ limit = 2, period = 'month' }}\n\
         [[route]]\npath = '/open'\ncomponent = 'shop'\n\
         [[route]]\npath = '/items/{{id}}'\ncomponent = 'shop'\napi_key_required = true\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_usage_plan_lets_its_keys_in_until_they_are_used_up() {
    let api = Api::start("", &guarded("")).await;
    let ask = async |key: &str| {
        let request = Request::get("/items/1").header("X-API-Key", key);
        send(api.address(), request.body(vec![]).unwrap()).await
    };
    assert_eq!(api.get("/open").await.status, 200);
    for nobody in [api.get("/items/1").await, ask("someone").await] {
        assert_eq!((nobody.status, nobody.json()), (403, json!({ "message": "Forbidden" })));
        assert_eq!(nobody.headers["x-amzn-errortype"], "ForbiddenException");
    }
    let event = ask(KEY).await.json();
    let identity = &event["requestContext"]["identity"];
    assert_eq!((&identity["apiKey"], &identity["apiKeyId"]), (&json!(KEY), &json!("ada")));
    assert_eq!(ask(KEY).await.status, 200);
    let refused = ask(KEY).await;
    assert_eq!((refused.status, refused.json()), (429, json!({ "message": "Limit Exceeded" })));
    assert_eq!(ask(OTHER_KEY).await.status, 200);
    // An event of a route that asks for none has none.
    let event = api.get("/open").await.json();
    assert!(event["requestContext"]["identity"].get("apiKey").is_none(), "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizer_may_name_the_api_key() {
    let authorizer = "authorizer = 'keys'\n[authorizer.keys]\ntype = 'token'\ncomponent = 'shop'\n";
    let api = Api::start("api_key_source = 'authorizer'", &guarded(authorizer)).await;
    let ask = async |token: &str| {
        let request = Request::get("/items/1").header("authorization", token);
        send(api.address(), request.header("x-api-key", KEY).body(vec![]).unwrap()).await
    };
    let event = ask(&format!("key {OTHER_KEY}")).await.json();
    assert_eq!(event["requestContext"]["identity"]["apiKeyId"], "bob");
    // The header counts for nothing.
    assert_eq!(ask("allow").await.status, 403);
    assert_eq!(ask("key someone").await.json(), json!({ "message": "Forbidden" }));
}
