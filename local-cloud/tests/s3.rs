//! The S3 server against boto3, a client that nobody here wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a helper fails its test"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use lambkin_local_cloud::s3::{CreateBucketError, Server, Settings, StartError};
use support::{run_script, send};

fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        access_key_id: "local".to_owned(),
        secret_access_key: "local-secret".to_owned(),
        region: "eu-central-1".to_owned(),
    }
}

fn address(server: &Server) -> SocketAddr {
    server.endpoint().strip_prefix("http://").unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_s3_and_finds_it_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    let passed = run_script("s3_client.py", &[&server.endpoint(), "first"]).await;
    assert_eq!(passed.trim(), "18 checks passed");
    server.stop().await;
    let server = Server::start(settings(folder.path())).await.unwrap();
    let passed = run_script("s3_client.py", &[&server.endpoint(), "restarted"]).await;
    assert_eq!(passed.trim(), "found everything again");
}

#[tokio::test]
async fn a_folder_serves_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    let second = Server::start(settings(folder.path())).await;
    assert!(matches!(second, Err(StartError::InUse { .. })), "{second:?}");
    server.stop().await;
    Server::start(settings(folder.path())).await.unwrap();
}

#[tokio::test]
async fn buckets_are_created_once_and_by_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    server.create_bucket("shop").await.unwrap();
    server.create_bucket("shop").await.unwrap();
    let refused = server.create_bucket("No_Bucket").await;
    assert!(matches!(refused, Err(CreateBucketError::Name { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_a_crash_left_behind_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    server.create_bucket("shop").await.unwrap();
    server.stop().await;
    let bucket = folder.path().join("buckets/shop");
    let orphan = bucket.join("data/0123");
    let half_written = bucket.join("objects/4567.new");
    let unborn = folder.path().join("buckets/unborn/data");
    fs_err::write(&orphan, "bytes").unwrap();
    fs_err::write(&half_written, "{").unwrap();
    fs_err::create_dir_all(&unborn).unwrap();
    Server::start(settings(folder.path())).await.unwrap();
    assert!(!orphan.exists() && !half_written.exists() && !unborn.exists());
}

#[tokio::test]
async fn an_altered_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    server.create_bucket("shop").await.unwrap();
    server.stop().await;
    let record = folder.path().join("buckets/shop/objects/4567.json");
    fs_err::write(&record, "{").unwrap();
    let refused = Server::start(settings(folder.path())).await;
    assert!(
        matches!(refused, Err(StartError::Record { ref path, .. }) if *path == record),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    server.create_bucket("shop").await.unwrap();
    let request = http::Request::put("/shop/key").body(b"body".to_vec()).unwrap();
    let reply = send(address(&server), request).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(reply.text().contains("<Code>AccessDenied</Code>"), "{reply:?}");
}

#[tokio::test]
async fn a_server_starts_and_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let server = Server::start(settings(folder.path())).await.unwrap();
    let started = begun.elapsed();
    server.stop().await;
    let stopped = begun.elapsed().checked_sub(started).unwrap();
    // Ample on a loaded machine; it takes about a millisecond.
    assert!(
        started < Duration::from_secs(1) && stopped < Duration::from_secs(1),
        "{started:?} {stopped:?}"
    );
}

#[tokio::test]
async fn pages_of_this_machine_are_let_in_and_those_of_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(settings(folder.path())).await.unwrap();
    let preflight = |origin: &str| {
        let request = http::Request::options("/things/key").header("origin", origin);
        let request = request.header("access-control-request-method", "PUT");
        request.header("access-control-request-headers", "content-type").body(vec![]).unwrap()
    };
    let allowed = send(address(&server), preflight("http://localhost:3000")).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.headers["access-control-allow-origin"], "http://localhost:3000");
    assert!(allowed.headers["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    assert_eq!(allowed.headers["access-control-allow-headers"], "content-type");
    let refused = send(address(&server), preflight("https://evil.example")).await;
    assert_ne!(refused.status, 200);
    assert!(!refused.headers.contains_key("access-control-allow-origin"));

    // A page reads errors as well.
    for (origin, may_read) in [("http://127.0.0.1:3000", true), ("https://evil.example", false)] {
        let request = http::Request::get("/things/key").header("origin", origin);
        let reply = send(address(&server), request.body(vec![]).unwrap()).await;
        assert_eq!(reply.status, 403);
        assert_eq!(reply.headers.contains_key("access-control-allow-origin"), may_read, "{origin}");
    }
}
