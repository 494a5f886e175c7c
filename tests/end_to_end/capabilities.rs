//! What a component may do beyond its answer, in every language: keep files in S3, hand out URLs for them, start jobs, send
//! to WebSocket clients.
//!
//! One app a language (`capabilities/<language>`), which calls what an event asks for; curl is the client of the URLs.

use crate::server::PATIENCE;
use crate::stage::{Host, Stage};
use futures::{SinkExt as _, StreamExt as _};
use lambkin_local_cloud::api_gateway::websocket;
use lambkin_local_cloud::lambda::ControlPlane;
use lambkin_local_cloud::logs::Logs;
use lambkin_local_cloud::sqs::Queues;
use lambkin_local_cloud::{Endpoint, Services};
use lambkin_tests::case::Line;
use lambkin_tests::programs;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const MANIFEST: &str = include_str!("capabilities/manifest.toml");

struct Scene {
    stage: Stage,
    host: Host,
    _lambda: Endpoint,
    websocket: websocket::Server,
}

impl Scene {
    /// Builds and publishes the app of a language, and serves it where its jobs can be started.
    async fn of(language: &str, component: &str) -> Self {
        let stage = Stage::start().await;
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("end_to_end/capabilities").join(language);
        let app = stage.app("capabilities");
        copy(&source, &app);
        let manifest = MANIFEST.replace("{component}", component);
        fs_err::write(app.join("lambkin.toml"), manifest).unwrap();
        stage.publish_app("capabilities", std::env::consts::ARCH);
        let (aws, sockets) = (listener().await, listener().await);
        let lambda = format!("http://{}", aws.local_addr().unwrap());
        let endpoint = format!("http://{}/production", sockets.local_addr().unwrap());
        let host = stage.host(&[
            ("LAMBKIN_APP", "capabilities@live"),
            ("AWS_ENDPOINT_URL_LAMBDA", &lambda),
            ("LAMBKIN_WEBSOCKET_ENDPOINT", &endpoint),
        ]);
        let functions = ControlPlane::new([host.function.clone()]);
        let services = Services {
            lambda: functions,
            logs: Logs::in_memory(),
            queues: Queues::new("us-east-1"),
        };
        let lambda = Endpoint::serve(aws, services).unwrap();
        let websocket = websocket_api(&stage, &host, sockets);
        Self { stage, host, _lambda: lambda, websocket }
    }

    /// What the component answers: `{"ok": …}` or `{"error": {"code", "message"}}`.
    async fn call(&self, call: &str, mut about: Value) -> Value {
        about["call"] = call.into();
        self.host.invoke(&about).await.unwrap()
    }

    async fn ok(&self, call: &str, about: Value) -> Value {
        let answer = self.call(call, about.clone()).await;
        answer.get("ok").cloned().unwrap_or_else(|| panic!("{call} {about}: {answer}"))
    }

    /// The error's code in letters alone, as every language writes it in its own way, and its message.
    async fn refused(&self, call: &str, about: Value) -> (String, String) {
        let answer = self.call(call, about.clone()).await;
        let Some(error) = answer.get("error") else { panic!("{call} {about}: {answer}") };
        let code = error["code"].as_str().unwrap().to_lowercase().replace(['-', '_'], "");
        (code, error["message"].as_str().unwrap().to_owned())
    }
}

async fn check(language: &str, component: &str) {
    let scene = Scene::of(language, component).await;
    files_are_kept(&scene).await;
    clients_reach_files_by_url(&scene).await;
    urls_and_forms_are_good_for_their_time(&scene).await;
    what_is_not_granted_is_refused(&scene).await;
    a_job_runs_after_the_answer(&scene).await;
    messages_reach_websockets(&scene).await;
    assert_eq!(scene.host.processes(), 1);
    without_an_api_nothing_is_sent(&scene).await;
}

async fn files_are_kept(scene: &Scene) {
    let file = json!({ "folder": "box", "path": "a/ü b.txt" });
    let mut put = file.clone();
    put["text"] = "dobrý den".into();
    put["type"] = "text/plain".into();
    let etag = scene.ok("files.put", put).await;
    let got = scene.ok("files.get", file.clone()).await;
    assert_eq!(got, json!({ "text": "dobrý den", "type": "text/plain", "etag": etag }));
    let list = json!({ "folder": "box", "path": "a/" });
    let page = scene.ok("files.list", list.clone()).await;
    let entry = json!({ "path": "a/ü b.txt", "size": 10, "recent": true });
    assert_eq!(page, json!({ "entries": [entry], "next": null }));
    assert_eq!(scene.ok("files.delete", file.clone()).await, Value::Null);
    assert_eq!(scene.ok("files.delete", file.clone()).await, Value::Null);
    assert_eq!(scene.ok("files.list", list).await["entries"], json!([]));
    let (code, message) = scene.refused("files.get", file).await;
    assert_eq!(code, "notfound", "{message}");
}

async fn clients_reach_files_by_url(scene: &Scene) {
    let file = json!({ "folder": "box", "path": "up/photo.txt", "type": "text/plain" });
    let url = scene.ok("files.putUrl", file.clone()).await;
    let url = url.as_str().unwrap();
    assert_eq!(curl(&["-T", "-", "-H", "content-type: text/plain", url], "by PUT"), "200 ");
    assert_eq!(scene.ok("files.get", file.clone()).await["text"], "by PUT");
    let url = scene.ok("files.getUrl", file.clone()).await;
    assert_eq!(curl(&[url.as_str().unwrap()], ""), "200 by PUT");
    let form = scene.ok("files.postForm", file.clone()).await;
    let answer = post(&form, "by POST");
    assert!(answer.starts_with("20"), "{answer}");
    assert_eq!(scene.ok("files.get", file.clone()).await["text"], "by POST");
    let answer = post(&form, &"too long ".repeat(100));
    assert!(answer.starts_with("400 ") && answer.contains("EntityTooLarge"), "{answer}");
    let answer = post(&form, "");
    assert!(answer.starts_with("400 ") && answer.contains("EntityTooSmall"), "{answer}");
    let other_type = form.to_string().replace("text/plain", "text/html");
    let answer = post(&serde_json::from_str(&other_type).unwrap(), "a page");
    assert!(answer.starts_with("403 ") && answer.contains("AccessDenied"), "{answer}");
    assert_eq!(scene.ok("files.get", file).await["text"], "by POST");
}

/// Uploads by a form as a browser does.
fn post(form: &Value, content: &str) -> String {
    let fields = form["fields"].as_array().unwrap();
    let mut arguments: Vec<String> = fields
        .iter()
        .flat_map(|field| {
            let pair = format!("{}={}", field[0].as_str().unwrap(), field[1].as_str().unwrap());
            ["--form-string".to_owned(), pair]
        })
        .collect();
    arguments.extend(["-F".to_owned(), "file=@-;type=text/plain".to_owned()]);
    arguments.push(form["url"].as_str().unwrap().to_owned());
    curl(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), content)
}

async fn urls_and_forms_are_good_for_their_time(scene: &Scene) {
    let about = json!({ "folder": "box", "path": "up/late.txt", "text": "late", "seconds": 1 });
    scene.ok("files.put", about.clone()).await;
    let (read, write) = (
        scene.ok("files.getUrl", about.clone()).await,
        scene.ok("files.putUrl", about.clone()).await,
    );
    let form = scene.ok("files.postForm", about).await;
    let ended = |answer: &str| answer.starts_with("403 ") && answer.contains("has expired");
    let begun = Instant::now();
    // Each is taken until its second is over, and then refused.
    while ![
        curl(&[read.as_str().unwrap()], ""),
        curl(&["-T", "-", write.as_str().unwrap()], "by PUT"),
        post(&form, "by POST"),
    ]
    .iter()
    .all(|answer| ended(answer))
    {
        assert!(begun.elapsed() < PATIENCE, "a URL or form does not end");
    }
}

async fn what_is_not_granted_is_refused(scene: &Scene) {
    for (call, about, part) in [
        ("files.get", json!({ "folder": "attic", "path": "a" }), "no folder `attic`"),
        ("files.put", json!({ "folder": "shelf", "path": "a", "text": "" }), "read-write"),
        ("files.putUrl", json!({ "folder": "shelf", "path": "a" }), "read-write"),
        ("jobs.start", json!({ "component": "front", "event": {} }), "job `front`"),
    ] {
        let (code, message) = scene.refused(call, about).await;
        assert_eq!(code, "notgranted", "{message}");
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    for path in ["../secret", "/etc", "", "a/../../b"] {
        let about = json!({ "folder": "box", "path": path });
        let (code, message) = scene.refused("files.get", about).await;
        assert_eq!(code, "invalid", "{path}: {message}");
    }
    let about = json!({ "folder": "box", "path": "a", "seconds": 0 });
    assert_eq!(scene.refused("files.getUrl", about).await.0, "invalid");
}

async fn a_job_runs_after_the_answer(scene: &Scene) {
    let event = json!({ "call": "report", "folder": "box", "path": "job.txt" });
    let id = scene.ok("jobs.start", json!({ "component": "worker", "event": event })).await;
    let id = id.as_str().unwrap();
    let end = Line { text: format!("END RequestId: {id}"), stream: None };
    scene.host.log.wait_for(&end, 0).unwrap();
    let report = scene.ok("files.get", json!({ "folder": "box", "path": "job.txt" })).await;
    assert_eq!(report["text"], id, "the job's context has the id that its starter was given");
    let large = json!({ "component": "worker", "event": { "text": "x".repeat(1 << 20) } });
    assert_eq!(scene.refused("jobs.start", large).await.0, "toolarge");
}

/// Runs curl with `input` on its standard input; gives the status and the body.
fn curl(arguments: &[&str], input: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (body, stdin) = (folder.path().join("body"), folder.path().join("input"));
    fs_err::write(&stdin, input).unwrap();
    fs_err::write(&body, "").unwrap();
    let arguments = arguments.iter().map(|it| match *it {
        "-" => stdin.display().to_string(),
        other => other.replace("=@-", &format!("=@{}", stdin.display())),
    });
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--write-out", "%{http_code} ", "--output"]);
    let status = programs::run(command.arg(&body).args(arguments)).unwrap();
    status + &fs_err::read_to_string(body).unwrap()
}

async fn messages_reach_websockets(scene: &Scene) {
    let url = scene.websocket.url();
    let address = url.trim_start_matches("ws://").split('/').next().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
    // No route takes it, and so the API says which connection it is.
    socket.send(Message::text("who am I?")).await.unwrap();
    let told: Value = serde_json::from_str(&hear(&mut socket).await).unwrap();
    let connection = told["connectionId"].as_str().unwrap();
    let about = json!({ "connection": connection, "text": "dobrý den" });
    assert_eq!(scene.ok("websocket.send", about.clone()).await, Value::Null);
    assert_eq!(hear(&mut socket).await, "dobrý den");
    let info = scene.ok("websocket.info", about.clone()).await;
    assert_eq!(info["sourceIp"], "127.0.0.1");
    assert!(info["age"].as_f64().unwrap() >= 0.0, "{info}");
    assert_eq!(scene.ok("websocket.close", about.clone()).await, Value::Null);
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    drop(socket);
    let mut code = String::new();
    // The API may still be taking its leave of the client.
    while code != "gone" {
        code = scene.refused("websocket.send", about.clone()).await.0;
    }
    let large = json!({ "connection": connection, "text": "x".repeat(129 << 10) });
    assert_eq!(scene.refused("websocket.send", large).await.0, "toolarge");
}

async fn without_an_api_nothing_is_sent(scene: &Scene) {
    let host = scene.stage.host(&[("LAMBKIN_APP", "capabilities@live")]);
    let asked = json!({ "call": "websocket.send", "connection": "x=", "text": "hi" });
    let answer = host.invoke(&asked).await.unwrap();
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("LAMBKIN_WEBSOCKET_ENDPOINT"), "{message}");
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> String {
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    heard.unwrap().unwrap().into_text().unwrap().to_string()
}

/// A WebSocket API without a route: its clients hear what components send them.
fn websocket_api(stage: &Stage, host: &Host, listener: TcpListener) -> websocket::Server {
    let environment = stage.environment();
    let credentials = websocket::Credentials {
        access_key_id: environment["AWS_ACCESS_KEY_ID"].clone(),
        secret_access_key: environment["AWS_SECRET_ACCESS_KEY"].clone(),
    };
    websocket::Server::start(websocket::Settings {
        listener,
        api: websocket::Definition::default(),
        function: host.function.clone(),
        limits: websocket::Limits::default(),
        credentials,
        on_request: Arc::new(|_| ()),
    })
    .unwrap()
}

/// A listener: the function is told of its address before the server behind it can be started.
async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_components_use_what_they_are_granted() {
    check("rust", "language = 'rust'\nsource = '.'\nkind = 'function'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_components_use_what_they_are_granted() {
    check("javascript", "language = 'javascript'\nsource = 'front.js'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_components_use_what_they_are_granted() {
    check("python", "language = 'python'\nsource = 'app.py'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn go_components_use_what_they_are_granted() {
    check("go", "language = 'go'\nsource = '.'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starlingmonkey_components_use_what_they_are_granted() {
    check("javascript", "language = 'javascript'\nengine = 'starlingmonkey'\nsource = 'front.js'")
        .await;
}
