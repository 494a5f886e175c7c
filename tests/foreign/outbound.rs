//! What a component may fetch: nothing, unless its manifest grants the origin.

use anyhow::{Context as _, ensure};
use lambkin_tests::app::App;
use lambkin_tests::case;
use lambkin_tests::cloud::{Cloud, Store};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Whether the origin is granted, and what must come of a request to it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    granted: bool,
    status: u16,
    body: &'static str,
    requests: usize,
}

/// A foreign component answers 502 with the error's text when its request fails.
pub(crate) const CASES: [Case; 2] = [
    Case {
        name: "is_refused_without_a_grant",
        granted: false,
        status: 502,
        body: "(?s).+",
        requests: 0,
    },
    Case {
        name: "is_answered_with_a_grant",
        granted: true,
        status: 200,
        body: "from the origin",
        requests: 1,
    },
];

/// Publishes the component in `file` as an app of its own and has it fetch from a server that counts.
pub(crate) async fn run(
    case: &Case,
    component: &str,
    file: &Path,
    cloud: &Cloud,
) -> anyhow::Result<()> {
    let origin = Origin::start()?;
    let apps = cloud.folder().join("outbound");
    let name = format!("{component}-{}", if case.granted { "granted" } else { "refused" });
    let folder = apps.join(&name);
    fs_err::create_dir_all(&folder)?;
    fs_err::copy(file, folder.join("component.wasm"))?;
    fs_err::write(folder.join("lambkin.toml"), manifest(&name, case.granted, origin.address))?;
    let app = App::new(&apps, &name, Store::S3);
    let exchange = exchange(case, origin.address)?;
    let outcome = app.run(&exchange, cloud).await;
    app.stop().await;
    outcome?;
    let requests = origin.requests.load(Ordering::SeqCst);
    ensure!(requests == case.requests, "the origin had {requests} requests");
    Ok(())
}

fn manifest(name: &str, granted: bool, origin: SocketAddr) -> String {
    let grants =
        if granted { format!("grants.http = [\"http://{origin}\"]") } else { String::new() };
    format!(
        "lambkin = 1\napp.name = \"{name}\"\n\n[component.guest]\nlanguage = \"wasm\"\n\
         source = \"component.wasm\"\n{grants}\n\n[[route]]\npath = \"/{{proxy+}}\"\ncomponent = \"guest\"\n"
    )
}

fn exchange(case: &Case, origin: SocketAddr) -> anyhow::Result<case::Case> {
    let Case { status, body, .. } = case;
    toml::from_str(&format!(
        "[[exchange]]\nrequest.path = '/fetch'\nrequest.headers.x-url = 'http://{origin}/greeting'\n\
         expect.status = {status}\nexpect.body.regex = '{body}'\n"
    ))
    .context("the exchange")
}

/// A web server that gives every request the same answer and counts them.
struct Origin {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Origin {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        // It lives as long as the test's process does.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                // A client that went away has seen what it wanted.
                let _ = answer(stream);
            }
        });
        Ok(Self { address, requests })
    }
}

/// Reads the head of a request that has no body, and answers it.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head: Vec<u8> = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        head.extend(buffer.iter().take(length));
    }
    let body = "from the origin";
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
