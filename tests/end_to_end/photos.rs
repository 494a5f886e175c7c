//! `examples/photos` under `lambkin dev`: a page, an authorizer, an upload to S3, its event, a job and its report on a
//! WebSocket, in four languages.

use crate::browser;
use crate::server::{PATIENCE, Server};
use futures::{SinkExt as _, StreamExt as _};
use lambkin_tests::programs::{self, Programs};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// One pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_photo_is_measured_by_a_job_and_its_client_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/photos");
    copy(&example, folder.path());
    // Compiling four languages from nothing may take longer than a server is waited for.
    let mut publish = Command::new(Programs::find().unwrap().lambkin);
    publish.args(["publish", "--target", std::env::consts::ARCH, "--store"]);
    let store = folder.path().join(".lambkin/published");
    programs::run(publish.arg(&store).current_dir(folder.path())).unwrap();
    let dev = Server::start(|command| {
        let arguments = ["dev", "--no-watch", "--listen", "127.0.0.1:0", "--listen-websocket"];
        command.args(arguments).arg("127.0.0.1:0").current_dir(folder.path());
    });
    let line = dev.wait_for("ws://");
    let url = line.split_once("ws://").map(|(_, rest)| format!("ws://{}", rest.trim())).unwrap();
    let app = format!("http://{}", dev.address);

    let page = curl(&[&format!("{app}/")], "");
    assert!(page.starts_with("200 ") && page.contains("<title>Photos</title>"), "{page}");
    assert_eq!(curl(&[&format!("{app}/api/photos")], ""), "200 []");

    let mut socket = connect(&url).await;
    socket.send(Message::text(r#"{"action": "hello"}"#)).await.unwrap();
    let connection = hear(&mut socket).await["connection"].as_str().unwrap().to_owned();
    let asked = json!({ "name": "dot.png", "type": "image/png", "connection": connection });
    let photos = format!("{app}/api/photos");
    let post = |token: &str| {
        let header = format!("authorization: {token}");
        curl(&["--json", "@-", "-H", &header, &photos], &asked.to_string())
    };
    assert!(post("").starts_with("401 "), "without a token nobody is asked");
    assert!(post("Bearer guess").starts_with("403 "));
    let form = post("Bearer let me in");
    let form: Value = serde_json::from_str(form.strip_prefix("200 ").unwrap()).unwrap();
    upload(&form);

    let report = hear(&mut socket).await;
    assert_eq!((&report["name"], &report["bytes"]), (&json!("dot.png"), &json!(PNG.len())));
    assert_eq!((&report["width"], &report["height"]), (&json!(1), &json!(1)), "{report}");
    let listed = curl(&[&photos], "");
    let listed: Value = serde_json::from_str(listed.strip_prefix("200 ").unwrap()).unwrap();
    assert_eq!(listed, json!([report]));

    let picture = folder.path().join("dash.png");
    // Seven pixels wide, and the checksum of that.
    let mut dash = PNG.to_vec();
    dash[19] = 7;
    dash[29..].copy_from_slice(&[0x12, 0x0b, 0xb4, 0xce]);
    fs_err::write(&picture, dash).unwrap();
    let page = format!("{app}/?socket={url}");
    browser::run("photos.mjs", &[&page, picture.to_str().unwrap(), "7 × 1"]);
}

fn upload(form: &Value) {
    let fields = form["fields"].as_object().unwrap();
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
    let mut arguments: Vec<&str> =
        fields.iter().flat_map(|field| ["--form-string", field]).collect();
    arguments.extend(["-F", "file=@-;type=image/png", form["url"].as_str().unwrap()]);
    let answer = curl_bytes(&arguments, PNG);
    assert!(answer.starts_with("20"), "{answer}");
}

async fn connect(url: &str) -> WebSocketStream<TcpStream> {
    let address = url.trim_start_matches("ws://").split('/').next().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Value {
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    serde_json::from_str(&heard.unwrap().unwrap().into_text().unwrap()).unwrap()
}

fn curl(arguments: &[&str], input: &str) -> String {
    curl_bytes(arguments, input.as_bytes())
}

/// The status and the body; `@-` is the input.
fn curl_bytes(arguments: &[&str], input: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (body, file) = (folder.path().join("body"), folder.path().join("input"));
    fs_err::write(&file, input).unwrap();
    fs_err::write(&body, "").unwrap();
    let arguments = arguments.iter().map(|it| it.replace("@-", &format!("@{}", file.display())));
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--write-out", "%{http_code} ", "--output"]);
    let status = programs::run(command.arg(&body).args(arguments)).unwrap();
    status + &fs_err::read_to_string(body).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == ".lambkin" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}
