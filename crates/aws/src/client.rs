//! Requests that are signed (Signature Version 4), sent, and collected.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy;

use crate::access::Access;
use crate::connector::{Connector, ConnectorError, connector, pooled};

/// The longest answer that is read, in bytes: Lambda's largest payload and its headers.
const MAX_ANSWER: usize = 7 * 1024 * 1024;

type Http = legacy::Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;
type Https = legacy::Client<
    hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>,
    Full<Bytes>,
>;

/// Sends requests to one endpoint of AWS, or of who speaks like it.
#[derive(Debug)]
pub struct Client {
    access: Access,
    service: &'static str,
    endpoint: String,
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Http(Http),
    Https(Https),
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The path makes no URI, or a header no header.
    #[error("the request is malformed")]
    Malformed(#[source] http::Error),
    /// It cannot be signed.
    #[error("the request cannot be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody answered.
    #[error("no answer from {endpoint}")]
    NoAnswer {
        /// Who was asked.
        endpoint: String,
        /// What went wrong.
        #[source]
        source: legacy::Error,
    },
    /// Nobody answered in time.
    #[error("no answer from {endpoint} within {within:?}")]
    Late {
        /// Who was asked.
        endpoint: String,
        /// How long was waited.
        within: Duration,
    },
    /// The answer broke off, or is too long.
    #[error("the answer of {endpoint} cannot be read")]
    Answer {
        /// Who answered.
        endpoint: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Client {
    /// A client for a service, by the name that its signatures have, at an endpoint URL. Nothing is opened yet.
    pub fn new(
        access: Access,
        service: &'static str,
        endpoint: &str,
    ) -> Result<Self, ConnectorError> {
        let transport = match connector(endpoint, access.ca_bundle.as_deref())? {
            Connector::Http(tcp) => Transport::Http(pooled().build(tcp)),
            Connector::Https(tls) => Transport::Https(pooled().build(tls)),
        };
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Ok(Self { access, service, endpoint, transport })
    }

    /// Signs and sends a request, whose URI is the path and query below the endpoint, and reads the whole answer, whatever
    /// its status.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        within: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let request = self.signed(request)?;
        tokio::time::timeout(within, self.exchange(request))
            .await
            .unwrap_or_else(|_| Err(SendError::Late { endpoint: self.endpoint.clone(), within }))
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let request = request.map(Full::new);
        let answer = match &self.transport {
            Transport::Http(client) => client.request(request).await,
            Transport::Https(client) => client.request(request).await,
        };
        let endpoint = || self.endpoint.clone();
        let (parts, body) = answer
            .map_err(|source| SendError::NoAnswer { endpoint: endpoint(), source })?
            .into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|source| SendError::Answer { endpoint: endpoint(), source })?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    fn signed(&self, request: Request<Bytes>) -> Result<Request<Bytes>, SendError> {
        let (mut parts, body) = request.into_parts();
        let uri: http::Uri = format!("{}{}", self.endpoint, parts.uri)
            .parse()
            .map_err(|error: http::uri::InvalidUri| SendError::Malformed(error.into()))?;
        let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        let host = HeaderValue::from_str(host);
        parts
            .headers
            .insert(header::HOST, host.map_err(|error| SendError::Malformed(error.into()))?);
        parts.uri = uri;
        let mut request = Request::from_parts(parts, body);
        self.sign(&mut request).map_err(SendError::Sign)?;
        Ok(request)
    }

    fn sign(
        &self,
        request: &mut Request<Bytes>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let access = &self.access;
        let identity: Identity = Credentials::new(
            &access.access_key_id,
            &access.secret_access_key,
            access.session_token.clone(),
            None,
            "lambkin",
        )
        .into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&access.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let uri = request.uri().to_string();
        let body = SignableBody::Bytes(request.body());
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body);
        let signed: Result<_, SigningError> = signable.and_then(|it| sign(it, &parameters));
        let (instructions, _) = signed?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}
