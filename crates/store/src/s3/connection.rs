//! The HTTP client under the SDK: the connections are those of `crates/aws`.

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use lambkin_aws::{Connector, connector, pooled};

use crate::access::S3Access;
use crate::error::OpenError;

/// The client for the endpoint of `access`, or for AWS.
pub(super) fn client(access: &S3Access) -> Result<SharedHttpClient, OpenError> {
    let endpoint = access.endpoint.as_deref().unwrap_or("https://amazonaws.com");
    Ok(match connector(endpoint, access.ca_bundle.as_deref())? {
        Connector::Http(tcp) => shared(tcp),
        Connector::Https(tls) => shared(tls),
    })
}

fn shared<C>(connector: C) -> SharedHttpClient
where
    C: Connect + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let connector = SharedHttpConnector::new(Connection(pooled().build(connector)));
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
