//! Outbound requests against a server on loopback: denied, granted, and refused for their address.

use crate::support::{Output, call, get, invocation};
use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambkin_engine::{Grants, InvokeError, Stream};
use std::convert::Infallible;
use std::net::SocketAddr;

const BOTH: [&str; 2] = ["http", "http-async"];

/// A server that answers each request with its path and host.
async fn server() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                let host = request.headers()["host"].to_str().unwrap();
                let body = format!("{} at {host} {}", request.uri(), "x".repeat(2_000_000));
                Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from(body))))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer),
            );
        }
    });
    address
}

/// What the guest makes of a request to `url`: the first of its text, or its error; and the engine's own lines.
async fn fetch(guest: &'static str, url: &str, grants: Grants) -> (String, Vec<String>) {
    let (mut invocation, output): (_, Output) = invocation();
    invocation.grants = grants;
    let text = match call(guest, get(&format!("/fetch?{url}")), invocation).await {
        Ok(answer) => answer.text().chars().take(200).collect(),
        Err(InvokeError::Http { code, .. }) => code,
        Err(error) => panic!("{error}"),
    };
    (text, output.lines(Stream::Stderr))
}

fn grants(http: &str, private_network: bool) -> Grants {
    Grants { http: vec![http.to_owned()], tmp: None, private_network }
}

#[tokio::test]
async fn a_granted_request_goes_out() {
    let address = server().await;
    for guest in BOTH {
        let (text, lines) = fetch(
            guest,
            &format!("http://{address}/a/b"),
            grants(&format!("http://{address}"), true),
        )
        .await;
        assert!(text.starts_with(&format!("/a/b at {address} xxx")), "{guest}: {text}");
        assert_eq!(lines, Vec::<String>::new(), "{guest}");
    }
}

#[tokio::test]
async fn names_are_resolved_and_connected_to() {
    let port = server().await.port();
    let (text, _) = fetch(
        "http",
        &format!("http://localhost:{port}/c"),
        grants(&format!("http://localhost:{port}"), true),
    )
    .await;
    assert!(text.starts_with(&format!("/c at localhost:{port}")), "{text}");
}

#[tokio::test]
async fn without_a_grant_a_request_is_denied_and_the_grant_named() {
    let address = server().await;
    for guest in BOTH {
        for grants in [Grants::default(), grants("https://api.example.com", true)] {
            let (text, lines) = fetch(guest, &format!("http://{address}/"), grants).await;
            let denied = text.to_lowercase().replace('-', "");
            assert!(denied.contains("httprequestdenied"), "{guest}: {text}");
            assert!(
                lines
                    .iter()
                    .any(|line| line.contains(&format!("add \"http://{address}\" to grants.http"))),
                "{lines:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_grant_does_not_open_private_networks() {
    let port = server().await.port();
    for guest in BOTH {
        for host in ["127.0.0.1", "localhost"] {
            let origin = format!("http://{host}:{port}");
            let (text, lines) = fetch(guest, &format!("{origin}/"), grants(&origin, false)).await;
            let refused = text.to_lowercase().replace('-', "");
            assert!(refused.contains("destinationipprohibited"), "{guest}: {text}");
            assert!(lines.iter().any(|line| line.contains("is not public")), "{guest}: {lines:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_is_told() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    for guest in BOTH {
        let (text, _) =
            fetch(guest, &format!("http://{closed}/"), grants(&format!("http://{closed}"), true))
                .await;
        assert!(
            text.to_lowercase().replace('-', "").contains("connectionrefused"),
            "{guest}: {text}"
        );
    }
}

#[tokio::test]
async fn https_to_a_server_without_tls_fails_in_tls() {
    let address = server().await;
    let (text, _) =
        fetch("http", &format!("https://{address}/"), grants(&format!("https://{address}"), true))
            .await;
    assert!(text.to_lowercase().contains("tls"), "{text}");
}
