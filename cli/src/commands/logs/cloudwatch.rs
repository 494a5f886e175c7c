//! `FilterLogEvents` of `CloudWatch` Logs, signed, over one connection
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).

use crate::config::LogsAccess;
use anyhow::{Context as _, Result, anyhow};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const ACTION: &str = "Logs_20140328.FilterLogEvents";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const TIMEOUT: Duration = Duration::from_secs(20);

/// How often a call that was throttled is sent again, and when.
const ATTEMPTS: u32 = 5;
const BACK_OFF: Duration = Duration::from_millis(400);

/// One event of a log group.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    /// In milliseconds since 1970.
    pub(super) timestamp: u64,
    pub(super) message: String,
    #[serde(rename = "eventId")]
    pub(super) id: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// There is no such log group.
    #[error("there is no such log group")]
    Missing,
    /// The service says no.
    #[error("{name}: {message}")]
    Refused {
        /// The error's name.
        name: String,
        /// What it says.
        message: String,
    },
    /// Nobody answers.
    #[error("CloudWatch Logs does not answer")]
    Unreachable(#[source] anyhow::Error),
    /// What came is no answer.
    #[error("the answer cannot be read")]
    Malformed(#[source] serde_json::Error),
}

/// A client for one endpoint.
pub(super) struct CloudWatch {
    access: LogsAccess,
    endpoint: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type", default)]
    name: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl CloudWatch {
    /// Sets the client up; nothing is sent yet.
    pub(super) fn new(access: LogsAccess) -> Result<Self> {
        for (value, name) in [
            (&access.region, "AWS_REGION"),
            (&access.access_key_id, "AWS_ACCESS_KEY_ID"),
            (&access.secret_access_key, "AWS_SECRET_ACCESS_KEY"),
        ] {
            anyhow::ensure!(!value.is_empty(), "{name} is not set");
        }
        let endpoint = access
            .endpoint
            .clone()
            .unwrap_or_else(|| format!("https://logs.{}.amazonaws.com", access.region));
        let client =
            Client::builder(TokioExecutor::new()).build(connector(access.ca_bundle.as_deref())?);
        Ok(Self { access, endpoint, client })
    }

    /// All events of the group from `start` on, in milliseconds since 1970, that the pattern takes.
    pub(super) async fn filter_log_events(
        &self,
        group: &str,
        start: u64,
        pattern: Option<&str>,
    ) -> Result<Vec<Event>, CallError> {
        let mut asked = serde_json::json!({ "logGroupName": group, "startTime": start });
        if let Some(pattern) = pattern {
            set(&mut asked, "filterPattern", pattern.to_owned());
        }
        let mut events = Vec::new();
        loop {
            let page = self.page(asked.to_string().into()).await?;
            events.extend(page.events);
            match page.next_token {
                Some(token) => set(&mut asked, "nextToken", token),
                None => return Ok(events),
            }
        }
    }

    async fn page(&self, body: Bytes) -> Result<Page, CallError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sent = tokio::time::timeout(TIMEOUT, self.send(body.clone())).await;
            let (status, answer) = match sent {
                Ok(sent) => sent.map_err(CallError::Unreachable)?,
                Err(_) => return Err(CallError::Unreachable(anyhow!("no answer in {TIMEOUT:?}"))),
            };
            if status == StatusCode::OK {
                return serde_json::from_slice(&answer).map_err(CallError::Malformed);
            }
            match refusal(status, &answer) {
                CallError::Refused { name, .. }
                    if name == "ThrottlingException" && attempt < ATTEMPTS =>
                {
                    tokio::time::sleep(BACK_OFF * attempt).await;
                }
                error => return Err(error),
            }
        }
    }

    async fn send(&self, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let uri = format!("{}/", self.endpoint.trim_end_matches('/'));
        let mut request = Request::post(&uri)
            .header("content-type", CONTENT_TYPE)
            .header("x-amz-target", ACTION)
            .body(Full::new(body.clone()))
            .with_context(|| format!("the endpoint {} is not a URL", self.endpoint))?;
        self.sign(&mut request, &body)?;
        let response = self
            .client
            .request(request)
            .await
            .with_context(|| format!("{} cannot be reached", self.endpoint))?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    fn sign(&self, request: &mut Request<Full<Bytes>>, body: &[u8]) -> Result<()> {
        let access = &self.access;
        let identity = Credentials::new(
            &access.access_key_id,
            &access.secret_access_key,
            access.session_token.clone(),
            None,
            "environment",
        )
        .into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&access.region)
            .name("logs")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let uri = request.uri().to_string();
        let headers = [("content-type", CONTENT_TYPE), ("x-amz-target", ACTION)];
        let signable =
            SignableRequest::new("POST", &uri, headers.into_iter(), SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

fn set(asked: &mut serde_json::Value, name: &str, value: String) {
    if let Some(asked) = asked.as_object_mut() {
        asked.insert(name.to_owned(), value.into());
    }
}

fn refusal(status: StatusCode, answer: &[u8]) -> CallError {
    let Ok(Refusal { name, message }) = serde_json::from_slice(answer) else {
        let message = String::from_utf8_lossy(answer).into_owned();
        return CallError::Refused { name: status.to_string(), message };
    };
    // Some servers put a namespace before the name.
    let name = name.rsplit('#').next().unwrap_or_default().to_owned();
    match &*name {
        "ResourceNotFoundException" => CallError::Missing,
        _ => CallError::Refused { name, message },
    }
}

fn connector(ca_bundle: Option<&Path>) -> Result<HttpsConnector<HttpConnector>> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_bundle {
        roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&fs_err::read(path)?) {
            let certificate = certificate.map_err(|error| anyhow!("{}: {error}", path.display()));
            roots.add(certificate?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let tls = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    Ok(tls.enable_http1().wrap_connector(tcp))
}
