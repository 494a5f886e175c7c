//! The developer's page at `/_lambkin`, and the page of a failure, in a browser.

use crate::browser;
use crate::dev::scaffold;
use crate::server::Server;
use lambkin_tests::case::Request;
use lambkin_tests::client::{self, Answer};
use lambkin_tests::programs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = r#"
lambkin = 1

[app]
name = "shop"

[component.orders]
language = "javascript"
source = "orders.js"

[component.orders.grants.files.orders]
bucket = "uploads"
access = "read-write"

[component.uploads]
language = "javascript"
source = "uploads.js"

[component.hello]
language = "javascript"
source = "hello.js"

[[route]]
path = "/orders"
methods = ["POST"]
component = "orders"

[[route]]
path = "/assets/{proxy+}"
static = "public"

[websocket]
route_selection_expression = "$request.body.action"

[[websocket.route]]
key = "hello"
component = "hello"
response = true

[[trigger]]
type = "s3"
bucket = "uploads"
prefix = "in/"
component = "uploads"
"#;

const FILES: [(&str, &str); 5] = [
    ("lambkin.toml", MANIFEST),
    (
        "orders.js",
        r#"import { put } from "lambkin/files";
export const handler = async (event) => {
  console.log(`an order: ${event.body}`);
  await put("orders", "in/order.txt", new TextEncoder().encode(event.body));
  return { statusCode: 201, body: "taken" };
};
"#,
    ),
    ("uploads.js", "export const handler = async (event) => console.log(event.Records.length);\n"),
    ("hello.js", "export const handler = async () => ({ statusCode: 200, body: \"good day\" });\n"),
    ("public/style.css", "body { margin: 0 }\n"),
];

fn dev(folder: &Path) -> Server {
    Server::start(|command| {
        let free = "127.0.0.1:0";
        let arguments = ["dev", "--listen", free, "--listen-websocket", free];
        command.args(arguments).current_dir(folder);
    })
}

fn app() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in FILES {
        let file = folder.path().join(name);
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(file, content).unwrap();
    }
    folder
}

async fn ask(server: &Server, request: &str) -> Answer {
    let request: Request = toml::from_str(request).unwrap();
    client::send(server.address, &request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_sees_the_app_its_requests_its_socket_and_its_objects() {
    let folder = app();
    let server = dev(folder.path());
    let picture = folder.path().join("page.png");
    let url = format!("http://{}", server.address);
    browser::run("developer.mjs", &[&url, picture.to_str().unwrap()]);
    assert!(fs_err::metadata(picture).unwrap().len() > 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_this_machine_and_nobody_else_sends_a_request_again() {
    let folder = app();
    let server = dev(folder.path());
    let page = ask(&server, "path = '/_lambkin'").await;
    assert_eq!(page.status, 200);
    let mut rebound = Command::new("curl");
    let news = format!("http://{}/_lambkin/api/changes", server.address);
    let status = ["--silent", "--write-out", "%{http_code}", "--header", "host: evil.example"];
    let told = programs::run(rebound.args(status).arg(&news)).unwrap();
    assert_eq!(told, "this page is for this machine alone\n403");
    let forged = "path = '/_lambkin/api/requests/1/replay'\nmethod = 'POST'";
    assert_eq!(ask(&server, forged).await.status, 403);
    assert_eq!(ask(&server, "path = '/_lambkin/elsewhere'").await.status, 404);
    // What only begins like it is the app's.
    assert_eq!(ask(&server, "path = '/_lambkins'").await.body, r#"{"message":"Not Found"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_cannot_be_built_are_explained_to_a_browser_and_to_no_other_client() {
    let folder = tempfile::tempdir().unwrap();
    let app = scaffold(&folder, "js-function");
    let source = app.join("src/index.js");
    let whole = fs_err::read_to_string(&source).unwrap();
    fs_err::write(&source, "export const handler = async () => ({;\n").unwrap();
    let server = dev(&app);
    browser::run("broken.mjs", &[&format!("http://{}", server.address), "src/index.js:1:"]);
    let answer = ask(&server, "path = '/'").await;
    assert_eq!(answer.body, r#"{"message":"Internal Server Error"}"#);
    fs_err::write(&source, whole).unwrap();
    server.wait_for("Reloaded");
    assert_eq!(ask(&server, "path = '/'").await.status, 200);
}
