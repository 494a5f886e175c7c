//! Two hundred clients and some hundred messages a second: nothing is lost, and memory stays as it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "its figures are to be read, and what fails in a helper fails its test"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use lambkin_local_cloud::api_gateway::websocket::{
    Credentials, Definition, Limits, Server, Settings,
};
use lambkin_protocol::manifest::{WebSocket, WebSocketRoute};
use support::{Logged, logged, python_bootstrap};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_tungstenite::tungstenite::Message;

const CLIENTS: usize = 200;
/// Each client sends this often.
const PAUSE: Duration = Duration::from_millis(500);
const MESSAGES: usize = 20;
/// How much more memory the second half of the messages may take, in KiB.
const GROWTH: u64 = 8 * 1024;

/// The chat on AWS's own Python runtime client, with the route `count` that gives each message back.
async fn serve() -> (Server, Logged) {
    let logged = logged(|folder| python_bootstrap(folder, "-m awslambdaric chat.handler"), |_| ());
    let route = WebSocketRoute {
        key: "count".to_owned(),
        component: String::new(),
        response: true,
        authorizer: None,
    };
    let server = Server::start(Settings {
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        api: Definition {
            api: WebSocket { route: vec![route], ..WebSocket::default() },
            ..Definition::default()
        },
        function: logged.function.clone(),
        limits: Limits::default(),
        credentials: Credentials { access_key_id: String::new(), secret_access_key: String::new() },
        on_request: Arc::new(|_| ()),
    });
    (server.unwrap(), logged)
}

/// Sends messages at an even pace and hears all answers; they may come in any order. Gives the slowest answer's time.
async fn talk(url: String, halves: Arc<Barrier>) -> Duration {
    let address = url.trim_start_matches("ws://").split('/').next().unwrap().to_owned();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let mut slowest = Duration::ZERO;
    for half in 0..2 {
        halves.wait().await;
        let mut begun = Vec::new();
        let mut answered = BTreeSet::new();
        let mut clock = tokio::time::interval(PAUSE);
        while answered.len() < MESSAGES / 2 {
            tokio::select! {
                _ = clock.tick(), if begun.len() < MESSAGES / 2 => {
                    let message = format!(r#"{{"action":"count","half":{half},"number":{}}}"#, begun.len());
                    begun.push(Instant::now());
                    socket.send(Message::text(message)).await.unwrap();
                }
                answer = socket.next() => {
                    let answer = answer.unwrap().unwrap().into_text().unwrap();
                    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
                    assert_eq!(answer["half"], half, "{answer}");
                    let number = usize::try_from(answer["number"].as_u64().unwrap()).unwrap();
                    assert!(answered.insert(number), "{number} was answered twice");
                    slowest = slowest.max(begun[number].elapsed());
                }
            }
        }
    }
    halves.wait().await;
    socket.close(None).await.unwrap();
    slowest
}

/// What this process, server and clients, has in memory, in KiB.
fn resident() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_lose_no_message_and_leave_nothing_behind() {
    let (server, logged) = serve().await;
    let halves = Arc::new(Barrier::new(CLIENTS + 1));
    let talks: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(talk(server.url(), Arc::clone(&halves)))).collect();
    halves.wait().await;
    let begun = Instant::now();
    assert_eq!(server.connections(), CLIENTS);
    halves.wait().await;
    let after_first = resident();
    halves.wait().await;
    let (after_second, took) = (resident(), begun.elapsed());
    let mut slowest = Duration::ZERO;
    for talk in talks {
        slowest = slowest.max(talk.await.unwrap());
    }
    let rate = f64::from(u32::try_from(CLIENTS * MESSAGES).unwrap()) / took.as_secs_f64();
    let figures = format!(
        "{CLIENTS} clients, {} messages in {took:.1?}, {rate:.0} a second, slowest {slowest:.1?}, \
         {after_first} KiB after the first half, {after_second} KiB after the second",
        CLIENTS * MESSAGES
    );
    assert!(after_second <= after_first + GROWTH, "{figures}");
    support::until("all are gone", || server.connections() == 0).await;
    server.stop().await;
    logged.function.stop().await;
    println!("{figures}");
}
