//! Authorizers of HTTP APIs: components that decide, on AWS's own Python runtime client, and tokens of an issuer on `PyJWT`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use http::Request;
use lambkin_local_cloud::api_gateway::{Definition, Server, Settings};
use lambkin_protocol::manifest::{self, Manifest};
use serde_json::{Value, json};
use support::{Logged, Reply, event_models, judge, python_function, send, tests};

/// An API before the Python function, by the tables of a manifest below `[app]` and `[component.shop]`.
struct Api {
    server: Server,
    errors: Arc<Mutex<Vec<String>>>,
    logged: Logged,
}

fn manifest(tables: &str) -> Manifest {
    let head = "lambkin = 1\n[app]\nname = 'shop'\n[component.shop]\nlanguage = 'python'\nsource = 'a.py'\n";
    manifest::parse(&format!("{head}{tables}")).unwrap()
}

impl Api {
    async fn start(tables: &str) -> Self {
        let logged = python_function(|settings| settings.max_sandboxes = 1);
        let definition = Definition::from(&manifest(tables));
        let address = "127.0.0.1:0".parse().unwrap();
        let mut settings = Settings::new(address, definition, logged.function.clone());
        let errors = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&errors);
        settings.on_request = Arc::new(move |access| {
            sink.lock().unwrap().push(access.error.clone().unwrap_or_default());
        });
        Self { server: Server::start(settings).await.unwrap(), errors, logged }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn send(&self, method: &str, path: &str, token: Option<&str>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        send(self.address(), request.body(vec![]).unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, Some(token)).await
    }

    fn last_error(&self) -> String {
        self.errors.lock().unwrap().last().unwrap().clone()
    }

    fn was_started(&self) -> bool {
        self.logged.folder.path().join("inits").exists()
    }
}

const REQUEST: &str = "
    [authorizer.tokens]
    type = 'request'
    component = 'shop'
    identity_source = ['$request.header.Authorization']
    [[route]]
    path = '/items/{id}'
    component = 'shop'
    authorizer = 'tokens'
    [[route]]
    path = '/open'
    component = 'shop'
";

fn authorizer(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["requestContext"]["authorizer"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_decides_once_for_each_identity() {
    let api = Api::start(REQUEST).await;
    let reply = api.send("GET", "/items/1", None).await;
    assert_eq!((reply.status, reply.text()), (401, r#"{"message":"Unauthorized"}"#));
    assert!(api.last_error().contains("lacks an identity source"), "{}", api.last_error());
    assert!(!api.was_started(), "nobody is asked without an identity");

    let first = authorizer(&api.get("/items/1", "simple yes").await);
    let context = json!({ "count": 1, "token": "simple yes", "list": [1, { "a": 2 }] });
    assert_eq!(first, json!({ "lambda": context }));
    assert_eq!(authorizer(&api.get("/items/2", "simple yes").await), first, "it is kept");
    let other = authorizer(&api.get("/items/1", "simple too").await);
    assert_eq!(other["lambda"]["count"], 2);

    let open = api.get("/open", "deny").await.json();
    assert_eq!(open["requestContext"].get("authorizer"), None);
    for (token, status, message, why) in [
        ("simple no", 403, "Forbidden", "does not allow"),
        ("deny", 403, "Forbidden", "does not allow"),
        ("break", 500, "Internal Server Error", "boom"),
        ("nonsense", 500, "Internal Server Error", "neither `isAuthorized`"),
        ("raise", 401, "Unauthorized", "raised"),
    ] {
        let reply = api.get("/items/1", token).await;
        assert_eq!(
            (reply.status, reply.json()),
            (status, json!({ "message": message })),
            "{token}"
        );
        assert!(api.last_error().contains(why), "{token}: {}", api.last_error());
    }
    // A deployment forgets what was said.
    api.server.deploy("tested", Definition::from(&manifest(REQUEST))).unwrap();
    let again = authorizer(&api.get("/items/1", "simple yes").await);
    assert_ne!(again, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_policy_decides_for_every_route_by_its_arn() {
    let api = Api::start(REQUEST).await;
    assert_eq!(authorizer(&api.get("/items/1", "get").await)["lambda"]["count"], 1);
    assert_eq!(api.send("PUT", "/items/1", Some("get")).await.status, 403);
    let wanted = "arn:aws:execute-api:us-east-1:000000000000:local/$default/PUT/items/1";
    assert!(api.last_error().contains(wanted), "{}", api.last_error());
    assert_eq!(authorizer(&api.get("/items/1", "get").await)["lambda"]["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_component_is_asked_in_the_format_it_wants() {
    for (payload, arn) in [("2.0", "routeArn"), ("1.0", "methodArn")] {
        let tables = REQUEST.replace(
            "type = 'request'",
            &format!("type = 'request'\npayload = '{payload}'\nttl_seconds = 0"),
        );
        let api = Api::start(&tables).await;
        let said = authorizer(&api.get("/items/a%20b?x=1", "echo").await);
        let event: Value = serde_json::from_str(said["lambda"]["event"].as_str().unwrap()).unwrap();
        assert_eq!((&event["version"], &event["type"]), (&json!(payload), &json!("REQUEST")));
        let expected = "arn:aws:execute-api:us-east-1:000000000000:local/$default/GET/items/a%20b";
        assert_eq!(event[arn], expected);
        let identity = if payload == "2.0" { json!(["echo"]) } else { json!("echo") };
        assert_eq!(event["identitySource"], identity);
        assert_eq!(event["queryStringParameters"], json!({ "x": "1" }));
        assert!(event.get("body").is_none());
        // Nothing is kept without a time.
        let again = authorizer(&api.get("/items/1", "echo").await);
        assert_eq!((&said["lambda"]["count"], &again["lambda"]["count"]), (&json!(1), &json!(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_format_1_0_has_what_the_authorizer_said() {
    let api = Api::start(&format!("[api]\npayload = '1.0'\n{REQUEST}")).await;
    let said = authorizer(&api.get("/items/1", "allow").await);
    assert_eq!(said, json!({ "principalId": "user-1", "count": "1", "token": "allow" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_default_route_guards_preflights_unless_there_is_a_route_for_them() {
    let tables = "
        [api.cors]
        allow_origins = ['https://shop.example']
        [authorizer.tokens]
        type = 'request'
        component = 'shop'
        identity_source = ['$request.header.Authorization']
        [[route]]
        path = '$default'
        component = 'shop'
        authorizer = 'tokens'
    ";
    let preflight = || {
        let request = Request::options("/any").header("origin", "https://shop.example");
        request.header("access-control-request-method", "GET").body(vec![]).unwrap()
    };
    let api = Api::start(tables).await;
    let refused = send(api.address(), preflight()).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.headers["access-control-allow-origin"], "https://shop.example");
    let open = "[[route]]\npath = '/{proxy+}'\nmethods = ['OPTIONS']\ncomponent = 'shop'";
    api.server.deploy("tested", Definition::from(&manifest(&format!("{tables}{open}")))).unwrap();
    assert_eq!(send(api.address(), preflight()).await.status, 204);
}

/// An issuer of tokens in Python, on `PyJWT`: it prints its address, and signs on its standard input's demand.
struct Issuer {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Issuer {
    fn start() -> Self {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", event_models()).arg(tests().join("issuer.py"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        Self { child, output, url: url.trim().to_owned() }
    }

    /// A token with these claims over the usual ones, signed as `how` says.
    fn sign(&mut self, how: &str, claims: &Value) -> String {
        use std::io::Write as _;
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{}", json!({ "how": how, "claims": claims })).unwrap();
        input.flush().unwrap();
        let mut token = String::new();
        self.output.read_line(&mut token).unwrap();
        token.trim().to_owned()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_verified_with_the_issuers_keys() {
    let mut issuer = Issuer::start();
    let url = issuer.url.clone();
    let tables = format!(
        "[authorizer.tokens]\ntype = 'jwt'\nissuer = '{url}'\naudience = ['shop']\n\
         [[route]]\npath = '/items'\ncomponent = 'shop'\nauthorizer = 'tokens'\n\
         [[route]]\npath = '/admin'\ncomponent = 'shop'\nauthorizer = 'tokens'\nscopes = ['admin', 'root']\n"
    );
    let api = Api::start(&tables).await;
    assert_eq!(api.send("GET", "/items", None).await.status, 401);
    let good = issuer.sign("good", &json!({}));
    for token in [good.clone(), format!("Bearer {good}")] {
        let said = authorizer(&api.get("/items", &token).await);
        let claims = &said["jwt"]["claims"];
        assert_eq!((&claims["sub"], &claims["aud"]), (&json!("user-1"), &json!("shop")));
        assert_eq!(claims["groups"], "[a b]");
        assert_eq!(said["jwt"]["scopes"], Value::Null);
    }
    let event = api.get("/items", &good).await.json();
    judge(&[("APIGatewayProxyEventV2Model", "HttpApiWithToken", event)]);
    for (how, claims, why) in [
        ("good", json!({ "aud": "other" }), "another audience"),
        ("good", json!({ "iss": "https://other.example" }), "InvalidIssuer"),
        ("good", json!({ "exp": 1 }), "ExpiredSignature"),
        ("good", json!({ "exp": null }), "exp"),
        ("good", json!({ "nbf": 4_000_000_000_u64 }), "ImmatureSignature"),
        ("good", json!({ "iat": 4_000_000_000_u64 }), "future"),
        ("other key", json!({}), "InvalidSignature"),
        ("unknown key", json!({}), "no key"),
        ("ES256", json!({}), "RSA alone"),
        ("HS256", json!({}), "RSA alone"),
        ("none", json!({}), "refused"),
    ] {
        let token = issuer.sign(how, &claims);
        let reply = api.get("/items", &token).await;
        assert_eq!(
            (reply.status, reply.text()),
            (401, r#"{"message":"Unauthorized"}"#),
            "{how} {claims}"
        );
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        assert!(api.last_error().contains(why), "{how} {claims}: {}", api.last_error());
    }
    let reply = api.get("/admin", &good).await;
    assert_eq!((reply.status, reply.text()), (403, r#"{"message":"Forbidden"}"#));
    let root = issuer.sign("good", &json!({ "scope": "openid root" }));
    assert_eq!(authorizer(&api.get("/admin", &root).await)["jwt"]["scopes"], json!(["root"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_cannot_be_reached_lets_nobody_in() {
    let mut issuer = Issuer::start();
    let token = issuer.sign("good", &json!({}));
    let tables = "[authorizer.tokens]\ntype = 'jwt'\nissuer = 'http://127.0.0.1:1'\naudience = ['shop']\n\
        [[route]]\npath = '/items'\ncomponent = 'shop'\nauthorizer = 'tokens'\n";
    let api = Api::start(tables).await;
    assert_eq!(api.get("/items", &token).await.status, 401);
    assert!(api.last_error().contains(".well-known/openid-configuration cannot be read"));
}
