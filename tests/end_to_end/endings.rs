//! How `lambkin dev` begins and ends: alone in its folder, on ports that are free, without leaving anything behind.

use crate::dev::scaffold;
use crate::local_cloud::{Dev, END, lambkin, text};
use crate::server::Server;
use lambkin_tests::case::Request;
use lambkin_tests::client;
use lambkin_tests::programs;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_dev_and_taken_ports_are_refused_with_the_next_step() {
    let dev = Dev::start(&[]);
    let second = lambkin(&dev.app, &["dev", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = text(&second.stderr);
    let (address, pid) = (dev.server.address, dev.server.child.id());
    assert!(!second.status.success());
    assert!(said.contains(&format!("http://{address}, process {pid}")), "{said}");
    assert!(said.contains(&format!("kill {pid}")), "{said}");
    assert_eq!(dev.state()["process"], pid, "the first is not disturbed");

    let folder = tempfile::tempdir().unwrap();
    let other = scaffold(&folder, "js-function");
    let taken = address.to_string();
    for arguments in [["--listen", &taken], ["--listen-aws", &taken]] {
        let mut command = lambkin(&other, &["dev"]);
        if arguments[0] != "--listen" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let refused = command.args(arguments).output().unwrap();
        let said = text(&refused.stderr);
        assert!(!refused.status.success() && said.contains(&taken), "{said}");
        assert!(said.contains(&format!("another address with {}", arguments[0])), "{said}");
    }

    // The port beside may be another program's: then there is another.
    let holder = loop {
        let app = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut beside = app.local_addr().unwrap();
        beside.set_port(beside.port().saturating_add(1));
        if let Ok(held) = TcpListener::bind(beside) {
            break (held, app.local_addr().unwrap());
        }
    };
    let (held, listen) = (holder.0.local_addr().unwrap(), holder.1.to_string());
    let server = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", &listen]).current_dir(&other);
    });
    assert_eq!(server.address.to_string(), listen);
    let state = fs_err::read_to_string(other.join(".lambkin/dev.json")).unwrap();
    assert!(!state.contains(&held.to_string()), "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_with_requests_under_way_ends_soon_and_leaves_nothing() {
    let mut dev = Dev::start(&[]);
    let address = dev.server.address;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn(async move {
                let request: Request = toml::from_str("path = '/wait'").unwrap();
                client::send(address, &request).await
            })
        })
        .collect();
    // What takes long is shown before its end.
    dev.server.wait_for("| asked for /wait");
    let sandboxes = dev.sandboxes();
    assert_eq!(sandboxes.len(), 3);
    dev.signal("INT");
    dev.end();
    for request in waiting {
        let _ = request.await.unwrap();
    }
    let left = sandboxes.iter().filter(|pid| Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(left.count(), 0);
    assert!(!dev.app.join(".lambkin/dev.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_hosts_under_load_fails_only_their_own_requests() {
    const KILLS: usize = 6;
    let mut dev = Dev::start(&["--max-sandboxes", "3"]);
    let address = dev.server.address;
    let end = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let end = Arc::clone(&end);
            tokio::spawn(async move {
                let request: Request = toml::from_str("path = '/work'").unwrap();
                let (mut answered, mut failed) = (0, 0);
                while !end.load(Ordering::Relaxed) {
                    match client::send(address, &request).await.unwrap().status {
                        200 => answered += 1,
                        500 => failed += 1,
                        other => panic!("status {other}"),
                    }
                }
                (answered, failed)
            })
        })
        .collect();
    let mut killed = BTreeSet::new();
    while killed.len() < KILLS {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let Some(victim) = dev.sandboxes().into_iter().find(|pid| !killed.contains(pid)) else {
            continue;
        };
        killed.insert(victim);
        programs::run(Command::new("kill").args(["-s", "KILL", &victim.to_string()])).unwrap();
    }
    end.store(true, Ordering::Relaxed);
    let (mut answered, mut failed) = (0, 0);
    for client in clients {
        let (more_answered, more_failed) = client.await.unwrap();
        answered += more_answered;
        failed += more_failed;
    }
    assert!(answered > 0 && failed <= KILLS, "{answered} answered, {failed} failed");
    assert_eq!(dev.get("/after").await, 200);
    let sandboxes = dev.sandboxes();
    dev.signal("TERM");
    dev.end();
    assert!(sandboxes.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dev_leaves_no_process_and_no_lock() {
    let mut dev = Dev::start(&[]);
    dev.get("/").await;
    let sandboxes = dev.sandboxes();
    assert_eq!(sandboxes.len(), 1);
    dev.signal("KILL");
    dev.end();
    assert!(dev.app.join(".lambkin/dev.json").exists());
    let again = Server::start(|command| {
        command.args(["dev", "--no-watch", "--listen", "127.0.0.1:0"]).current_dir(&dev.app);
    });
    drop(again);
    let begun = Instant::now();
    while sandboxes.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
        assert!(begun.elapsed() < END, "a sandbox outlives its parent");
        std::thread::sleep(Duration::from_millis(20));
    }
}
