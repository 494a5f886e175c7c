//! Two hundred sockets and some hundred requests a second at once on one `lambkin dev`: nothing is lost, no sandbox is
//! stuck, and memory stays as it is. `LAMBKIN_LOAD_SECONDS` says for how long.

use crate::server::{PATIENCE, Server};
use futures::{SinkExt as _, StreamExt as _};
use lambkin_tests::case::Request;
use lambkin_tests::client;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

const SOCKETS: u32 = 200;
const VISITORS: u32 = 20;
/// How often each socket sends a message: a hundred a second together.
const PAUSE: Duration = Duration::from_secs(2);
/// How often each visitor sends a request: two hundred a second together.
const STEP: Duration = Duration::from_millis(100);
/// How long both go on when nothing else is said.
const SECONDS: u64 = 10;
/// How much more memory the second half may take, in KiB: of the command, and of each sandbox.
const GROWTH: u64 = 16 * 1024;

const MANIFEST: &str = r#"
lambkin = 1

[app]
name = "load"

[component.echo]
language = "javascript"
source = "echo.js"

[[route]]
path = "/{number}"
component = "echo"

[websocket]
route_selection_expression = "$request.body.action"

[[websocket.route]]
key = "$default"
component = "echo"
response = true
"#;

const ECHO: &str = "export const handler = async (event) => ({
  statusCode: 200,
  body: event.rawPath ?? event.body,
});
";

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a person asks for a longer load, and reads its figures"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_mixed_load_loses_nothing_and_takes_no_more_memory_as_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("lambkin.toml"), MANIFEST).unwrap();
    fs_err::write(folder.path().join("echo.js"), ECHO).unwrap();
    let server = Server::start(|command| {
        let free = "127.0.0.1:0";
        let arguments = ["dev", "--listen", free, "--listen-websocket", free];
        command.args(arguments).current_dir(folder.path());
    });
    let line = server.wait_for("ws://");
    let url = line.split_once("ws://").map(|(_, rest)| format!("ws://{}", rest.trim())).unwrap();
    let (address, process) = (server.address, server.child.id());

    let seconds = std::env::var("LAMBKIN_LOAD_SECONDS").map(|text| text.parse().unwrap());
    let half = Duration::from_secs(seconds.unwrap_or(SECONDS)) / 2;
    let mut answered = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..2 {
        let until = Instant::now() + half;
        let talks = (0..SOCKETS).map(|number| talk(url.clone(), number, until));
        let visits = (0..VISITORS).map(|number| visit(address, number, until));
        let (talked, visited) = futures::future::join(
            futures::future::join_all(talks),
            futures::future::join_all(visits),
        )
        .await;
        answered.push((talked.iter().sum::<u64>(), visited.iter().sum::<u64>()));
        memory
            .push((resident(process), sandboxes(process).into_iter().map(resident).max().unwrap()));
    }
    println!("messages and requests of each half: {answered:?}; KiB: {memory:?}");
    let [(messages, requests), _] = answered[..] else { panic!("{answered:?}") };
    assert!(messages > 0 && requests > 0);
    for (before, after) in [(memory[0].0, memory[1].0), (memory[0].1, memory[1].1)] {
        assert!(after < before + GROWTH, "{memory:?}");
    }
}

/// Sends messages at an even pace, and hears each again; gives how many.
async fn talk(url: String, number: u32, until: Instant) -> u64 {
    let address = url.trim_start_matches("ws://").split('/').next().unwrap().to_owned();
    tokio::time::sleep(PAUSE * number / SOCKETS).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let mut clock = tokio::time::interval(PAUSE);
    let mut told = 0;
    while Instant::now() < until {
        clock.tick().await;
        let message = json!({ "number": number, "told": told }).to_string();
        socket.send(Message::text(message.clone())).await.unwrap();
        let heard = tokio::time::timeout(PATIENCE, socket.next()).await;
        let heard = heard.unwrap().unwrap().unwrap();
        assert_eq!(heard.into_text().unwrap().as_str(), message);
        told += 1;
    }
    socket.close(None).await.unwrap();
    told
}

/// Sends requests at an even pace, and checks each answer; gives how many.
async fn visit(address: SocketAddr, number: u32, until: Instant) -> u64 {
    let mut clock = tokio::time::interval(STEP);
    let mut sent = 0;
    while Instant::now() < until {
        clock.tick().await;
        let path = format!("/{number}-{sent}");
        let request: Request = toml::from_str(&format!("path = '{path}'")).unwrap();
        let answer = tokio::time::timeout(PATIENCE, client::send(address, &request)).await;
        let answer = answer.unwrap().unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, path.as_bytes()));
        sent += 1;
    }
    sent
}

/// The processes that `parent` has started.
fn sandboxes(parent: u32) -> Vec<u32> {
    let tasks = fs_err::read_dir(format!("/proc/{parent}/task")).unwrap();
    let children = |task: &Path| fs_err::read_to_string(task.join("children")).unwrap_or_default();
    let children: Vec<String> = tasks.map(|task| children(&task.unwrap().path())).collect();
    children.join(" ").split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// The memory of a process in KiB; none when it has ended.
fn resident(process: u32) -> u64 {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| line.split_whitespace().next().unwrap().parse().unwrap())
}
