//! A chat on `lambkin dev`: clients on sockets, components behind routes, a backend that posts, a reload, Ctrl-C.

use crate::server::{PATIENCE, Server};
use futures::{SinkExt as _, StreamExt as _};
use lambkin_tests::case::Request;
use lambkin_tests::{client, programs};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

const MANIFEST: &str = r#"
lambkin = 1

[app]
name = "talk"

[component.chat]
language = "javascript"
source = "chat.js"

[component.fallback]
language = "javascript"
source = "fallback.js"

[[route]]
path = "$default"
component = "fallback"

[websocket]
stage = "v1"

[[websocket.route]]
key = "$connect"
component = "chat"

[[websocket.route]]
key = "$disconnect"
component = "chat"

[[websocket.route]]
key = "say"
component = "chat"
response = true

[[websocket.route]]
key = "whisper"
component = "chat"

[[websocket.route]]
key = "$default"
component = "fallback"
response = true
"#;

/// A function component.
const CHAT: &str = r#"
export const handler = async (event) => {
  const { routeKey, connectionId, disconnectStatusCode } = event.requestContext;
  switch (routeKey) {
    case "$connect":
      return { statusCode: event.queryStringParameters?.name ? 200 : 401 };
    case "$disconnect":
      console.log(`gone with ${disconnectStatusCode}`);
      return { statusCode: 200 };
    default:
      const { authorizer } = event.requestContext;
      return { statusCode: 200, body: JSON.stringify({ routeKey, connectionId, heard: event.body, authorizer }) };
  }
};
"#;

/// A web component, which gets the event as `POST /events/websocket`.
const FALLBACK: &str = r#"
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.method !== "POST") return new Response("a page");
    const event = await request.json();
    return Response.json({ statusCode: 200, body: `${pathname} heard ${event.body}` });
  },
};
"#;

struct Dev {
    server: Server,
    url: String,
}

impl Dev {
    fn start(app: &Path, arguments: &[&str]) -> Self {
        let server = Server::start(|command| {
            command.args(["dev", "--listen", "127.0.0.1:0", "--listen-websocket", "127.0.0.1:0"]);
            command.args(arguments).current_dir(app);
        });
        let line = server.wait_for("ws://");
        let (_, url) = line.split_once("ws://").unwrap();
        Self { server, url: format!("ws://{}", url.trim()) }
    }

    async fn connect(&self, query: &str) -> Result<WebSocketStream<TcpStream>, Error> {
        let url = format!("{}{query}", self.url);
        let address = self.url.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        Ok(tokio_tungstenite::client_async(url, stream).await?.0)
    }
}

async fn ask(socket: &mut WebSocketStream<TcpStream>, message: &str) -> String {
    socket.send(Message::text(message)).await.unwrap();
    hear(socket).await.into_text().unwrap().to_string()
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Message {
    tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap()
}

fn write_app(app: &Path) {
    for (file, text) in [("lambkin.toml", MANIFEST), ("chat.js", CHAT), ("fallback.js", FALLBACK)] {
        fs_err::write(app.join(file), text.trim_start()).unwrap();
    }
}

/// A backend that nobody here wrote: boto3 posts to a connection.
fn post(endpoint: &str, connection: &str, text: &str) {
    let script = "import sys, boto3\n\
        endpoint, connection, text = sys.argv[1:]\n\
        client = boto3.client('apigatewaymanagementapi', endpoint_url=endpoint, region_name='us-east-1',\n\
        \x20   aws_access_key_id='local', aws_secret_access_key='local-secret')\n\
        client.post_to_connection(ConnectionId=connection, Data=text)\n";
    let python = programs::tool("websocket-clients-1/bin/python").unwrap();
    programs::run(Command::new(python).args(["-c", script, endpoint, connection, text])).unwrap();
}

/// What wscat prints when it sends `message`, and the answer to that.
async fn wscat(url: &str, message: &str, more: &[&str]) -> String {
    let wscat = programs::tool("wscat-6.1.0/node_modules/.bin/wscat").unwrap();
    let mut command = Command::new(wscat);
    command.args(["-c", url, "-x", message, "-w", "3"]).args(more);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let heard = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // It ends when its input does.
        let _input = child.stdin.take();
        child.wait_with_output().unwrap()
    });
    let heard = heard.await.unwrap();
    String::from_utf8([heard.stdout, heard.stderr].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_routed_to_its_components_answered_posted_to_and_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let dev = Dev::start(folder.path(), &[]);
    let Err(Error::Http(refusal)) = dev.connect("").await else { panic!("it was let in") };
    assert_eq!(refusal.status(), 401);

    let mut ann = dev.connect("?name=ann").await.unwrap();
    let mut bob = dev.connect("?name=bob").await.unwrap();
    let said: Value = serde_json::from_str(&ask(&mut ann, r#"{"action":"say"}"#).await).unwrap();
    assert_eq!((&said["routeKey"], &said["heard"]), (&json!("say"), &json!(r#"{"action":"say"}"#)));
    let answer = ask(&mut bob, "no JSON at all").await;
    assert_eq!(answer, "/events/websocket heard no JSON at all");

    let url = format!("{}?name=cat", dev.url);
    let heard = wscat(&url, r#"{"action":"say"}"#, &[]).await;
    assert!(heard.contains(r#""routeKey":"say""#), "{heard}");

    // Without `response` nothing comes back: what is heard next is the backend's.
    ann.send(Message::text(r#"{"action":"whisper"}"#)).await.unwrap();
    dev.server.wait_for("MESSAGE whisper");
    let endpoint = dev.url.replace("ws://", "http://");
    let id = said["connectionId"].as_str().unwrap().to_owned();
    let posted = tokio::task::spawn_blocking(move || post(&endpoint, &id, "your job is done"));
    assert_eq!(hear(&mut ann).await.into_text().unwrap().as_str(), "your job is done");
    posted.await.unwrap();

    // A route and a handler that change are there for who is connected already.
    let manifest = MANIFEST.replace(
        "whisper\"\ncomponent = \"chat\"",
        "shout\"\ncomponent = \"chat\"\nresponse = true",
    );
    fs_err::write(folder.path().join("lambkin.toml"), manifest.trim_start()).unwrap();
    dev.server.wait_for("Reloaded");
    let answer = ask(&mut ann, r#"{"action":"shout"}"#).await;
    assert!(answer.contains(r#""routeKey":"shout""#), "{answer}");
    assert!(ask(&mut bob, r#"{"action":"whisper"}"#).await.contains("/events/websocket heard"));

    ann.close(None).await.unwrap();
    dev.server.wait_for("gone with 1005");
    drop(bob);
    dev.server.wait_for("gone with 1006");
}

/// An authorizer of `$connect` that knows one token.
const TICKETS: &str = r#"
export const handler = async (event) => {
  const Effect = event.headers.Authorization === "let me in" ? "Allow" : "Deny";
  const Statement = [{ Action: "execute-api:Invoke", Effect, Resource: event.methodArn }];
  return { principalId: "ann", policyDocument: { Version: "2012-10-17", Statement }, context: { seat: 7 } };
};
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizer_lets_clients_in_and_tells_the_components_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let tables = "[component.tickets]\nlanguage = 'javascript'\nsource = 'tickets.js'\n\
        [authorizer.tickets]\ntype = 'request'\ncomponent = 'tickets'\n\
        identity_source = ['route.request.header.Authorization']\n";
    let guarded = "key = \"$connect\"\nauthorizer = \"tickets\"";
    let manifest = MANIFEST.trim_start().replace("key = \"$connect\"", guarded) + tables;
    fs_err::write(folder.path().join("lambkin.toml"), manifest).unwrap();
    fs_err::write(folder.path().join("tickets.js"), TICKETS.trim_start()).unwrap();
    let dev = Dev::start(folder.path(), &[]);
    let url = format!("{}?name=ann", dev.url);
    let say = r#"{"action":"say"}"#;
    let heard = wscat(&url, say, &[]).await;
    assert!(heard.contains("401"), "{heard}");
    dev.server.wait_for("lacks an identity source of authorizer \"tickets\"");
    let heard = wscat(&url, say, &["-H", "authorization: please"]).await;
    assert!(heard.contains("403"), "{heard}");
    dev.server.wait_for("authorizer \"tickets\" does not allow");
    let heard = wscat(&url, say, &["-H", "authorization: let me in"]).await;
    assert!(heard.contains(r#""principalId":"ann""#) && heard.contains(r#""seat":"7""#), "{heard}");
    dev.server.wait_for("gone with");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_says_goodbye_to_who_is_connected_and_a_taken_port_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let mut dev = Dev::start(folder.path(), &[]);
    let mut ann = dev.connect("?name=ann").await.unwrap();
    assert!(ask(&mut ann, r#"{"action":"say"}"#).await.contains("say"));

    let taken = dev.url.trim_start_matches("ws://").trim_end_matches("/v1");
    let second = tempfile::tempdir().unwrap();
    write_app(second.path());
    let mut command = Command::new(programs::Programs::find().unwrap().lambkin);
    command.args(["dev", "--listen", "127.0.0.1:0", "--listen-websocket", taken]);
    let error = programs::run(command.current_dir(second.path())).unwrap_err().to_string();
    assert!(error.contains(&format!("WebSocket API cannot be served on {taken}")), "{error}");
    assert!(error.contains("--listen-websocket"), "{error}");

    programs::run(Command::new("kill").args(["-s", "INT", &dev.server.child.id().to_string()]))
        .unwrap();
    let Message::Close(Some(frame)) = hear(&mut ann).await else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1001);
    drop(ann);
    dev.server.wait_for("gone with 1001");
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = dev.server.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it did not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limits_are_scaled_by_flags() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let dev = Dev::start(folder.path(), &["--websocket-idle", "1"]);
    let mut ann = dev.connect("?name=ann").await.unwrap();
    let Message::Close(Some(frame)) = hear(&mut ann).await else { panic!("no close frame") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "Going away"));
}

/// The processes that `process` has started and that are not stopped already, itself included.
fn awake(process: u32) -> Vec<u32> {
    let stat = |pid: u32| fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let pids = fs_err::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_ours = |pid: &u32| {
        // `<pid> (<name>) <state> <parent> …`
        let stat = stat(*pid);
        let mut fields = stat.rsplit_once(") ").unwrap_or_default().1.split(' ');
        let (state, parent) = (fields.next().unwrap_or("T"), fields.next());
        state != "T" && (*pid == process || parent == Some(&process.to_string()))
    };
    pids.filter(is_ours).collect()
}

fn signal(name: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    programs::run(Command::new("kill").args(["-s", name]).args(processes)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_slept_answers_what_came_meanwhile_and_keeps_its_clients() {
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path());
    let dev = Dev::start(folder.path(), &["--no-watch"]);
    let mut ann = dev.connect("?name=ann").await.unwrap();
    assert!(ask(&mut ann, r#"{"action":"say"}"#).await.contains("say"));
    // What a lid that closes does, as near as a test comes: nothing of the command's runs.
    let asleep = awake(dev.server.child.id());
    assert!(asleep.contains(&dev.server.child.id()));
    signal("STOP", &asleep);
    let request: Request = toml::from_str("path = '/'").unwrap();
    let address = dev.server.address;
    let meanwhile = tokio::spawn(async move { client::send(address, &request).await.unwrap() });
    ann.send(Message::text(r#"{"action":"say","text":"still there?"}"#)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!meanwhile.is_finished());
    signal("CONT", &asleep);
    assert_eq!(meanwhile.await.unwrap().status, 200);
    assert!(hear(&mut ann).await.into_text().unwrap().contains("still there?"));
    let mut bob = dev.connect("?name=bob").await.unwrap();
    assert!(ask(&mut bob, r#"{"action":"say"}"#).await.contains("say"));
}
