//! The HTTP/1.1 client under the SDK: pooled connections with `TCP_NODELAY`, TLS only for an https endpoint.
//!
//! Trust is in Mozilla's roots as compiled in, which costs no parsing at start, or in the caller's bundle. The crypto
//! is ring's: aws-lc gathers entropy for tens of milliseconds at its first random number.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use fs_err as fs;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector as TcpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::access::S3Access;
use crate::error::OpenError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than servers keep an idle connection, so that a request rarely meets one that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The client for the endpoint of `access`, or for AWS.
pub(super) fn client(access: &S3Access) -> Result<SharedHttpClient, OpenError> {
    let endpoint = access.endpoint.as_deref().unwrap_or("https://amazonaws.com");
    let bad = || OpenError::Endpoint { endpoint: endpoint.to_owned() };
    let uri: http::Uri = endpoint.parse().map_err(|_| bad())?;
    let mut tcp = TcpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    match uri.scheme_str() {
        Some("http") if uri.host().is_some() => Ok(shared(tcp)),
        Some("https") if uri.host().is_some() => {
            Ok(shared(https(tcp, access.ca_bundle.as_deref())?))
        }
        _ => Err(bad()),
    }
}

fn https(
    mut tcp: TcpConnector,
    ca_bundle: Option<&Path>,
) -> Result<HttpsConnector<TcpConnector>, OpenError> {
    tcp.enforce_http(false);
    let roots = match ca_bundle {
        Some(path) => bundle(path)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Tls(Arc::new(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .wrap_connector(tcp))
}

fn bundle(path: &Path) -> Result<RootCertStore, OpenError> {
    let read = || -> Result<RootCertStore, Box<dyn Error + Send + Sync>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&fs::read(path)?) {
            roots.add(certificate?)?;
        }
        if roots.is_empty() { Err("no certificate in it".into()) } else { Ok(roots) }
    };
    read().map_err(|source| OpenError::CaBundle { path: path.to_owned(), source: source.into() })
}

fn shared<C>(connector: C) -> SharedHttpClient
where
    C: Connect + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_timer(TokioTimer::new())
        .build(connector);
    let connector = SharedHttpConnector::new(Connection(client));
    http_client_fn(move |_, _| connector.clone())
}

/// A server that could not be asked; the SDK's own error does not say which.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {server}")]
struct NoAnswer {
    server: String,
    #[source]
    source: hyper_util::client::legacy::Error,
}

#[derive(Debug)]
struct Connection<C>(Client<C, SdkBody>);

impl<C> HttpConnector for Connection<C>
where
    C: Connect + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let server = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = answer
                .await
                .map_err(|source| ConnectorError::io(NoAnswer { server, source }.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
