//! HTTP/1.1 connections: pooled, with `TCP_NODELAY`, TLS only for an https endpoint.
//!
//! Trust is in Mozilla's roots as compiled in, which costs no parsing at start, or in the caller's bundle. The crypto
//! is ring's: aws-lc gathers entropy for tens of milliseconds at its first random number.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs_err as fs;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than servers keep an idle connection, so that a request rarely meets one that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// What opens connections to one endpoint.
#[derive(Debug, Clone)]
pub enum Connector {
    /// In the clear, as to a server on this machine.
    Http(HttpConnector),
    /// Over TLS.
    Https(HttpsConnector<HttpConnector>),
}

/// Why no connection can ever be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectorError {
    /// It is no URL with a host, or neither http nor https.
    #[error("`{endpoint}` is not an http or https endpoint")]
    Endpoint {
        /// As it was given.
        endpoint: String,
    },
    /// The certificates to trust cannot be read.
    #[error("the CA bundle {} holds no usable certificates", path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// What opens connections to `endpoint`, trusting the certificates in `ca_bundle` when one is given.
pub fn connector(endpoint: &str, ca_bundle: Option<&Path>) -> Result<Connector, ConnectorError> {
    let bad = || ConnectorError::Endpoint { endpoint: endpoint.to_owned() };
    let uri: http::Uri = endpoint.parse().map_err(|_| bad())?;
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    match uri.scheme_str() {
        Some("http") if uri.host().is_some() => Ok(Connector::Http(tcp)),
        Some("https") if uri.host().is_some() => Ok(Connector::Https(https(tcp, ca_bundle)?)),
        _ => Err(bad()),
    }
}

/// What is read at once, in bytes. hyper would double that up to 400 KiB, each time in memory that is new to the process.
const BUFFER: usize = 64 << 10;

/// Settings of a client that keeps its connections for a short while.
pub fn pooled() -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_timer(TokioTimer::new())
        .http1_max_buf_size(BUFFER);
    builder
}

fn https(
    mut tcp: HttpConnector,
    ca_bundle: Option<&Path>,
) -> Result<HttpsConnector<HttpConnector>, ConnectorError> {
    tcp.enforce_http(false);
    let roots = match ca_bundle {
        Some(path) => bundle(path)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ConnectorError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .wrap_connector(tcp))
}

fn bundle(path: &Path) -> Result<RootCertStore, ConnectorError> {
    let read = || -> Result<RootCertStore, Box<dyn Error + Send + Sync>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&fs::read(path)?) {
            roots.add(certificate?)?;
        }
        if roots.is_empty() { Err("no certificate in it".into()) } else { Ok(roots) }
    };
    read()
        .map_err(|source| ConnectorError::CaBundle { path: path.to_owned(), source: source.into() })
}
