//! The WebSocket API before a function on AWS's own Python runtime client, and clients that nobody here wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use http::Request;
use lambkin_local_cloud::api_gateway::Access;
use lambkin_local_cloud::api_gateway::websocket::{
    Credentials, Definition, Limits, Server, Settings,
};
use lambkin_protocol::manifest::{self, WebSocket, WebSocketRoute};
use serde_json::{Value, json};
use support::{Logged, get, judge, logged, python_bootstrap, run_script, send, until};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

/// A WebSocket API, what it logs, and the chat behind it.
struct Api {
    server: Server,
    accesses: Arc<Mutex<Vec<Access>>>,
    logged: Logged,
}

fn routes(keys: &[&str]) -> WebSocket {
    let route = |key: &str| WebSocketRoute {
        key: key.trim_end_matches('!').to_owned(),
        component: String::new(),
        response: key.ends_with('!'),
        authorizer: None,
    };
    WebSocket { route: keys.iter().map(|key| route(key)).collect(), ..WebSocket::default() }
}

impl Api {
    /// With these routes; a `!` behind one means that it has a response.
    async fn start(keys: &[&str]) -> Self {
        Self::with(keys, Limits::default()).await
    }

    async fn with(keys: &[&str], limits: Limits) -> Self {
        Self::of(Definition { api: routes(keys), ..Definition::default() }, limits).await
    }

    async fn of(api: Definition, limits: Limits) -> Self {
        let logged =
            logged(|folder| python_bootstrap(folder, "-m awslambdaric chat.handler"), |_| ());
        let accesses = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&accesses);
        let server = Server::start(Settings {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            api,
            function: logged.function.clone(),
            limits,
            credentials: Credentials {
                access_key_id: "local".to_owned(),
                secret_access_key: "local-secret".to_owned(),
            },
            on_request: Arc::new(move |access| sink.lock().unwrap().push(access.clone())),
        });
        Self { server: server.unwrap(), accesses, logged }
    }

    async fn connect(&self) -> Client {
        self.try_connect("", &[]).await.unwrap()
    }

    async fn try_connect(
        &self,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Client, Error> {
        let mut request = format!("{}{query}", self.server.url()).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let (socket, response) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Client { socket, response })
    }

    /// The events of this type that the function has got.
    fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.all_events().into_iter();
        events.filter(|event| event["requestContext"]["eventType"] == kind).collect()
    }

    fn all_events(&self) -> Vec<Value> {
        let text =
            fs_err::read_to_string(self.logged.folder.path().join("events")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn last(&self, kind: &str) -> Value {
        until(kind, || !self.events(kind).is_empty()).await;
        self.events(kind).pop().unwrap()
    }

    fn accesses(&self) -> Vec<(String, u16, Option<String>)> {
        let accesses = self.accesses.lock().unwrap();
        accesses
            .iter()
            .map(|access| (access.method.clone(), access.status.as_u16(), access.route_key.clone()))
            .collect()
    }
}

struct Client {
    socket: WebSocketStream<TcpStream>,
    response: http::Response<Option<Vec<u8>>>,
}

impl Client {
    async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await;
        next.unwrap().unwrap().unwrap()
    }

    async fn hears(&mut self) -> Value {
        let text = self.next().await.into_text().unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_str()))
    }

    /// The status and reason of the close frame that comes next.
    async fn is_closed(&mut self) -> (u16, String) {
        let Message::Close(Some(frame)) = self.next().await else { panic!("no close frame") };
        (frame.code.into(), frame.reason.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_websockets_find_an_api_as_on_aws() {
    let api = Api::start(&["$connect", "$disconnect", "post"]).await;
    let (url, endpoint) = (api.server.url(), api.server.endpoint());
    let passed = run_script("websocket_client.py", &[&url, &endpoint]).await;
    assert_eq!(passed.trim(), "every check passed");
    // The function hears that the client was sent away.
    let gone = api.last("DISCONNECT").await;
    assert_eq!(gone["requestContext"]["disconnectStatusCode"], 1000);
    assert_eq!(api.server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_a_socket_comes_as_three_kinds_of_events() {
    let api = Api::start(&["$connect", "$disconnect", "say"]).await;
    let mut client =
        api.try_connect("?room=a%20b&room=c", &[("user-agent", "tests")]).await.unwrap();
    assert_eq!(client.response.status(), 101);
    let event = api.last("CONNECT").await;
    let context = event["requestContext"].clone();
    assert_eq!(
        (&context["routeKey"], &context["stage"]),
        (&json!("$connect"), &json!("production"))
    );
    assert_eq!(context["identity"], json!({ "userAgent": "tests", "sourceIp": "127.0.0.1" }));
    assert_eq!(context["domainName"], "127.0.0.1");
    assert_eq!(event["queryStringParameters"], json!({ "room": "c" }));
    assert_eq!(event["multiValueQueryStringParameters"], json!({ "room": ["a b", "c"] }));
    assert_eq!(event["headers"]["Sec-WebSocket-Version"], "13");
    assert_eq!(event["headers"]["X-Forwarded-For"], "127.0.0.1");
    assert!(event["headers"]["X-Amzn-Trace-Id"].as_str().unwrap().starts_with("Root=1-"));
    assert_eq!(
        client.response.headers()["x-amzn-requestid"],
        context["requestId"].as_str().unwrap()
    );

    client.say(r#"{"action":"say","text":"hi"}"#).await;
    let event = api.last("MESSAGE").await;
    assert_eq!(event["body"], r#"{"action":"say","text":"hi"}"#);
    assert_eq!(event["isBase64Encoded"], false);
    assert!(event.get("headers").is_none() && event.get("queryStringParameters").is_none());
    let message = &event["requestContext"];
    assert_eq!(message["routeKey"], "say");
    for same in ["connectionId", "connectedAt", "identity", "apiId", "stage", "domainName"] {
        assert_eq!(message[same], context[same], "{same}");
    }
    assert_ne!(message["requestId"], context["requestId"]);
    assert!(message["messageId"].as_str().unwrap().ends_with('='));

    let frame = CloseFrame { code: CloseCode::from(4001), reason: "enough".into() };
    client.socket.close(Some(frame)).await.unwrap();
    assert_eq!(client.is_closed().await.0, 4001);
    let event = api.last("DISCONNECT").await;
    let gone = &event["requestContext"];
    assert_eq!(
        (&gone["disconnectStatusCode"], &gone["disconnectReason"]),
        (&json!(4001), &json!("enough"))
    );
    assert_eq!(gone["connectionId"], context["connectionId"]);
    judge(&[
        ("APIGatewayWebSocketConnectEventModel", "WebSocketConnection", api.last("CONNECT").await),
        ("APIGatewayWebSocketMessageEventModel", "WebSocket", api.last("MESSAGE").await),
        ("APIGatewayWebSocketDisconnectEventModel", "WebSocketConnection", event.clone()),
    ]);
    until("DISCONNECT is told", || api.accesses().len() == 3).await;
    let key = |key: &str| Some(key.to_owned());
    assert_eq!(
        api.accesses(),
        [
            ("CONNECT".to_owned(), 101, key("$connect")),
            ("MESSAGE".to_owned(), 200, key("say")),
            ("DISCONNECT".to_owned(), 200, key("$disconnect")),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_decides_about_the_upgrade() {
    let api = Api::start(&["$connect", "$disconnect"]).await;
    for (query, status) in
        [("?status=403", 403), ("?status=302", 302), ("?raise", 502), ("?nothing", 502)]
    {
        let Err(Error::Http(response)) = api.try_connect(query, &[]).await else {
            panic!("let in")
        };
        assert_eq!(response.status(), status, "{query}");
        let body: Vec<u8> = response.into_body().unwrap_or_default();
        if status == 502 {
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["message"], "Internal server error");
            assert!(body["connectionId"].is_string() && body["requestId"].is_string());
        }
    }
    assert_eq!(api.server.connections(), 0);
    let offered = [("sec-websocket-protocol", "one, two")];
    let client = api.try_connect("", &offered).await.unwrap();
    assert_eq!(client.response.headers()["sec-websocket-protocol"], "two");
    drop(client);
    // Only who was let in is told to be gone.
    let gone = api.last("DISCONNECT").await;
    assert_eq!(gone["requestContext"]["disconnectStatusCode"], 1006);
    assert_eq!(api.events("DISCONNECT").len(), 1);
}

/// A manifest with an authorizer that sees who has a ticket.
const GUARDED: &str = "
    lambkin = 1
    [app]
    name = 'chat'
    [component.chat]
    language = 'python'
    source = 'chat.py'
    [authorizer.tickets]
    type = 'request'
    component = 'chat'
    identity_source = ['route.request.querystring.ticket']
    [[websocket.route]]
    key = '$connect'
    component = 'chat'
    authorizer = 'tickets'
    [[websocket.route]]
    key = '$disconnect'
    component = 'chat'
    [[websocket.route]]
    key = 'say'
    component = 'chat'
";

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizer_decides_who_may_connect() {
    let guarded = Definition::of(&manifest::parse(GUARDED).unwrap()).unwrap();
    let api = Api::of(guarded, Limits::default()).await;
    for (query, status, message) in [
        ("", 401, "Unauthorized"),
        ("?ticket=", 401, "Unauthorized"),
        ("?ticket=forged", 401, "Unauthorized"),
        ("?ticket=old", 403, "Forbidden"),
        ("?ticket=broken", 500, "Internal server error"),
    ] {
        let Err(Error::Http(response)) = api.try_connect(query, &[]).await else {
            panic!("let in")
        };
        assert_eq!(response.status(), status, "{query}");
        let body: Value = serde_json::from_slice(&response.into_body().unwrap()).unwrap();
        assert_eq!(body["message"], message, "{query}");
    }
    // Nobody was asked about clients without a ticket, and `$connect` was not reached.
    assert_eq!(api.all_events().len(), 3);
    assert!(api.events("CONNECT").is_empty());

    // Each client is asked about: API Gateway keeps no answers of a WebSocket API's authorizer.
    let mut client = api.try_connect("?ticket=good", &[]).await.unwrap();
    drop(api.try_connect("?ticket=good", &[]).await.unwrap());
    let events = api.all_events();
    let asked = events.iter().filter_map(|event| event.get("authorizer")).collect::<Vec<_>>();
    assert_eq!(asked.len(), 5);
    let (asked, connected) = (asked[3], &api.events("CONNECT")[0]);
    let arn = asked["methodArn"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:execute-api:") && arn.ends_with("/production/$connect"),
        "{arn}"
    );
    assert_eq!(
        asked["requestContext"]["connectionId"],
        connected["requestContext"]["connectionId"]
    );
    assert_eq!((&asked["stageVariables"], asked.get("body")), (&json!({}), None));

    // What it said is in every event of the client.
    client.say(r#"{"action":"say"}"#).await;
    let message = api.last("MESSAGE").await;
    client.socket.close(None).await.unwrap();
    until("both are gone", || api.events("DISCONNECT").len() == 2).await;
    let gone = api.last("DISCONNECT").await;
    judge(&[
        ("APIGatewayWebSocketConnectEventModel", "WebSocketConnection", connected.clone()),
        ("APIGatewayWebSocketMessageEventModel", "WebSocket", message.clone()),
        ("APIGatewayWebSocketDisconnectEventModel", "WebSocketConnection", gone.clone()),
    ]);
    for event in [connected.clone(), message, gone] {
        let said = &event["requestContext"]["authorizer"];
        assert_eq!((&said["principalId"], &said["row"]), (&json!("ada"), &json!("7")), "{event}");
        assert!(said["integrationLatency"].is_u64(), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_wait_for_connect_is_told_to_be_gone() {
    let api = Api::start(&["$connect", "$disconnect"]).await;
    let mut stream = TcpStream::connect(api.server.address()).await.unwrap();
    let request = "GET /production?gate=open HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bnVsbG51bGxudWxsbnVsbA==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    api.last("CONNECT").await;
    drop(stream);
    fs_err::write(api.logged.folder.path().join("open"), "").unwrap();
    let gone = api.last("DISCONNECT").await;
    assert_eq!(gone["requestContext"]["disconnectStatusCode"], 1006);
    assert_eq!(api.server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_takes_the_route_that_it_asks_for() {
    let api = Api::start(&["say!", "fail", "nothing", "quiet", "binary!"]).await;
    let mut client = api.connect().await;
    client.say(r#"{"action":"say"}"#).await;
    assert_eq!(client.hears().await, json!({ "action": "say" }));
    for (message, error) in [
        (r#"{"action":"fail"}"#, "Internal server error"),
        (r#"{"action":"nothing"}"#, "Internal server error"),
        (r#"{"action":"unknown"}"#, "Forbidden"),
        (r#"{"action":"$connect"}"#, "Forbidden"),
        ("no JSON", "Forbidden"),
    ] {
        client.say(message).await;
        let text = client.next().await.into_text().unwrap();
        let start = format!(r#"{{"message": "{error}", "connectionId":""#);
        assert!(
            text.starts_with(&start) && text.contains(r#", "requestId":""#),
            "{message}: {text}"
        );
    }
    client.say(r#"{"action":"binary"}"#).await;
    assert_eq!(client.next().await, Message::binary(vec![0, 255]));

    // Other routes, while the client stays connected. An answer is heard a moment before its access is told of.
    let key_of_last = |api: &Api| api.accesses().last().unwrap().2.clone();
    until("all is told", || key_of_last(&api).as_deref() == Some("binary")).await;
    let mut other = routes(&["$default!", "chat/join!"]);
    other.route_selection_expression = "${request.body.service}/${request.body.action}".to_owned();
    let other = Definition { api: other, ..Definition::default() };
    api.server.deploy(other.clone()).unwrap();
    for (message, key) in [
        (r#"{"service":"chat","action":"join"}"#, "chat/join"),
        (r#"{"service":"chat"}"#, "$default"),
        ("no JSON", "$default"),
    ] {
        let before = api.accesses().len();
        client.say(message).await;
        assert_eq!(client.next().await.into_text().unwrap().as_str(), message);
        until("it is told", || api.accesses().len() > before).await;
        assert_eq!(key_of_last(&api).as_deref(), Some(key));
    }
    let mut wrong = other;
    wrong.api.route_selection_expression = "action".to_owned();
    assert!(api.server.deploy(wrong).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_binary_ends_the_connection() {
    let api = Api::start(&["$default!"]).await;
    let piece = "x".repeat(32 * 1024);
    let frame = |kind, is_final| {
        Message::Frame(Frame::message(piece.clone(), OpCode::Data(kind), is_final))
    };
    let mut client = api.connect().await;
    // Four frames of 32 KiB are the most.
    for (kind, is_final) in [
        (Data::Text, false),
        (Data::Continue, false),
        (Data::Continue, false),
        (Data::Continue, true),
    ] {
        client.socket.send(frame(kind, is_final)).await.unwrap();
    }
    assert_eq!(client.next().await.into_text().unwrap().len(), 128 * 1024);
    for kind in [Data::Text, Data::Continue, Data::Continue, Data::Continue, Data::Continue] {
        client.socket.send(frame(kind, false)).await.unwrap();
    }
    assert_eq!(client.is_closed().await.0, 1009);

    let mut client = api.connect().await;
    client.say(&"x".repeat(32 * 1024 + 1)).await;
    assert_eq!(client.is_closed().await.0, 1009);

    let mut client = api.connect().await;
    client.socket.send(Message::binary("bytes")).await.unwrap();
    assert_eq!(client.is_closed().await.0, 1003);
    until("all are gone", || api.server.connections() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_end_when_they_are_idle_and_when_they_are_old() {
    let idle = Limits { idle: Duration::from_millis(600), ..Limits::default() };
    let api = Api::with(&["$disconnect"], idle).await;
    let mut client = api.connect().await;
    // What is sent keeps it open.
    for _ in 0..4 {
        client.socket.send(Message::Ping("still here".into())).await.unwrap();
        assert_eq!(client.next().await, Message::Pong("still here".into()));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(client.is_closed().await, (1001, "Going away".to_owned()));
    let gone = api.last("DISCONNECT").await;
    assert_eq!(gone["requestContext"]["disconnectStatusCode"], 1001);

    let old = Limits { lifetime: Duration::from_millis(300), ..Limits::default() };
    let api = Api::with(&[], old).await;
    assert_eq!(api.connect().await.is_closed().await, (1001, "Going away".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_goodbye() {
    let api = Api::start(&["$disconnect"]).await;
    let (mut one, mut two) = (api.connect().await, api.connect().await);
    let Api { server, logged, accesses } = api;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(one.is_closed().await, (1001, "Going away".to_owned()));
    assert_eq!(two.is_closed().await, (1001, "Going away".to_owned()));
    drop((one, two));
    stopped.await.unwrap();
    let gone =
        accesses.lock().unwrap().iter().filter(|access| access.method == "DISCONNECT").count();
    assert_eq!(gone, 2);
    logged.function.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_websocket_is_told_so() {
    let api = Api::start(&["$default!"]).await;
    let address = api.server.address();
    let reply = get(address, "/production").await;
    assert_eq!((reply.status, reply.text()), (426, r#"{"message":"Upgrade Required"}"#));
    assert_eq!(reply.headers["sec-websocket-version"], "13");
    for path in ["/", "/other", "/production/more", "/other/@connections/L0SM9cOFvHcCIhw%3D"] {
        let reply = get(address, path).await;
        assert_eq!((reply.status, reply.text()), (403, r#"{"message":"Forbidden"}"#), "{path}");
    }
    let path = "/production/@connections/L0SM9cOFvHcCIhw%3D";
    let reply = send(address, Request::post(path).body(b"hi".to_vec()).unwrap()).await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.json(), json!({ "message": "Missing Authentication Token" }));
    assert_eq!(reply.headers["x-amzn-errortype"], "MissingAuthenticationTokenException");
}
