//! An HTTP server that misbehaves as it is told: it answers each connection's one request by the next line of a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use lambkin_store::{S3Access, Store};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// What to do with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Status line, headers (each ending in CRLF) and body.
    Answer(&'static str, String, Vec<u8>),
    /// Promises the whole body and sends the first half of it.
    Half(Vec<u8>),
    /// Closes the connection without a word.
    Close,
    /// Reads the request and says nothing.
    Hang,
}

impl Act {
    pub(crate) fn busy() -> Self {
        let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        Self::Answer("503 Slow Down", String::new(), body.into())
    }

    pub(crate) fn object(bytes: &[u8]) -> Self {
        Self::Answer("200 OK", "etag: \"tag\"\r\n".to_owned(), bytes.to_vec())
    }
}

/// A server that speaks TLS with a certificate of its own for 127.0.0.1 and always holds the same object. Returns its
/// endpoint and the certificate as PEM.
pub(crate) async fn start_tls(object: &'static [u8]) -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // A client that does not trust the certificate hangs up here.
            if let Ok(connection) = acceptor.accept(connection).await {
                tokio::spawn(serve(connection, Act::object(object), Arc::default()));
            }
        }
    });
    (endpoint, certified.cert.pem())
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) store: Store,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Follows the script, then hangs.
    pub(crate) async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut script) =
            (Arc::clone(&requests), script.into_iter().collect::<VecDeque<_>>());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let act = script.pop_front().unwrap_or(Act::Hang);
                tokio::spawn(serve(connection, act, Arc::clone(&seen)));
            }
        });
        Self { store: Store::open("s3://bucket/prefix", &access(&endpoint)).unwrap(), requests }
    }

    /// The request lines seen so far, each with the range that was asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) fn access(endpoint: &str) -> S3Access {
    S3Access {
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: "secret".to_owned(),
        ..S3Access::default()
    }
}

async fn serve(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    act: Act,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let line = read_request(&mut connection).await;
    seen.lock().unwrap().push(line);
    let (status, headers, body, sent) = match act {
        Act::Answer(status, headers, body) => {
            let sent = body.len();
            (status, headers, body, sent)
        }
        Act::Half(body) => {
            let sent = body.len() / 2;
            ("200 OK", "etag: \"tag\"\r\n".to_owned(), body, sent)
        }
        Act::Close => return,
        Act::Hang => std::future::pending().await,
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&body[..sent]).await.unwrap();
    connection.shutdown().await.unwrap();
}

/// Reads a request to its end and returns its first line, and the range that it asks for behind it.
async fn read_request(connection: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let range = text.lines().find_map(|line| line.strip_prefix("range: "));
                let line = String::from_utf8_lossy(&bytes).lines().next().unwrap().to_owned();
                return [line.as_str()].into_iter().chain(range).collect::<Vec<_>>().join(" ");
            }
        }
        if connection.read_buf(&mut bytes).await.unwrap() == 0 {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}
