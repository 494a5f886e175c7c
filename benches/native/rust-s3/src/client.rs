//! The S3 client as somebody would trim it for a quick start: static credentials, no retries of its own, hyper with
//! ring's TLS for an https endpoint and Mozilla's roots as compiled in.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::{Connect, HttpConnector as TcpConnector};
use hyper_util::rt::TokioExecutor;
use lambda_runtime::Error;
use rustls::{ClientConfig, RootCertStore};
use std::env::var;
use std::sync::Arc;

/// The client for `AWS_ENDPOINT_URL_S3`, or for AWS.
pub(crate) fn from_environment() -> Result<Client, Error> {
    let endpoint = var("AWS_ENDPOINT_URL_S3").ok();
    let credentials = Credentials::new(
        var("AWS_ACCESS_KEY_ID")?,
        var("AWS_SECRET_ACCESS_KEY")?,
        var("AWS_SESSION_TOKEN").ok(),
        None,
        "bench",
    );
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(var("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http_client(endpoint.as_deref())?)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = &endpoint {
        config = config.endpoint_url(endpoint).force_path_style(true);
    }
    Ok(Client::from_conf(config.build()))
}

fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, Error> {
    let mut tcp = TcpConnector::new();
    tcp.set_nodelay(true);
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Ok(shared(tcp));
    }
    tcp.enforce_http(false);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let https = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1();
    Ok(shared(https.wrap_connector(tcp)))
}

fn shared<C>(connector: C) -> SharedHttpClient
where
    C: Connect + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let client = HttpClient::builder(TokioExecutor::new()).build(connector);
    let connector = SharedHttpConnector::new(Connection(client));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Connection<C>(HttpClient<C, SdkBody>);

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
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = answer.await.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
