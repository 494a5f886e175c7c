//! The public keys of token issuers: fetched from `<issuer>/.well-known/openid-configuration` and its `jwks_uri`, and kept
//! for two hours, as API Gateway does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How long keys are kept
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
const MAX_AGE: Duration = Duration::from_hours(2);

/// How soon keys are fetched again for a token whose key is not among them.
const MIN_AGE: Duration = Duration::from_secs(10);

/// How long an issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest answer of an issuer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

type Keys = HashMap<String, (Arc<JwkSet>, Instant)>;

/// All issuers that were asked.
#[derive(Debug, Default)]
pub(super) struct Issuers(Mutex<Keys>);

#[derive(Deserialize)]
struct Configuration {
    jwks_uri: String,
}

impl Issuers {
    /// The key of `issuer` with this id; the error says why there is none.
    pub(super) async fn key(&self, issuer: &str, id: Option<&str>) -> Result<DecodingKey, String> {
        let id = id.ok_or("the token names no key (`kid`)")?;
        if let Some((keys, fetched)) = self.known(issuer) {
            let age = fetched.elapsed();
            match find(&keys, id) {
                Some(key) if age < MAX_AGE => return key,
                None if age < MIN_AGE => return Err(unknown(issuer, id)),
                _ => {}
            }
        }
        let keys = Arc::new(fetch(issuer).await?);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(issuer.to_owned(), (Arc::clone(&keys), Instant::now()));
        find(&keys, id).ok_or_else(|| unknown(issuer, id))?
    }

    fn known(&self, issuer: &str) -> Option<(Arc<JwkSet>, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned()
    }
}

fn unknown(issuer: &str, id: &str) -> String {
    format!("{issuer} has no key {id:?}")
}

fn find(keys: &JwkSet, id: &str) -> Option<Result<DecodingKey, String>> {
    let key = keys.find(id)?;
    Some(
        DecodingKey::from_jwk(key).map_err(|error| format!("the key {id:?} is malformed: {error}")),
    )
}

async fn fetch(issuer: &str) -> Result<JwkSet, String> {
    let client = client().map_err(|error| format!("no TLS: {error}"))?;
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let configuration: Configuration = get(&client, &url).await?;
    get(&client, &configuration.jwks_uri).await
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

fn client() -> Result<HttpClient, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let https = HttpsConnectorBuilder::new().with_tls_config(config);
    let connector = https.https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

async fn get<T: DeserializeOwned>(client: &HttpClient, url: &str) -> Result<T, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{url} cannot be read: {why}");
    let uri: Uri = url.parse().map_err(|error| failed(&error))?;
    let request = Request::get(uri).body(Empty::new()).map_err(|error| failed(&error))?;
    let exchange = async {
        let response = client.request(request).await.map_err(|error| failed(&error))?;
        if !response.status().is_success() {
            return Err(failed(&response.status()));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        Ok(body.map_err(|error| failed(&error))?.to_bytes())
    };
    let body = tokio::time::timeout(PATIENCE, exchange).await.map_err(|error| failed(&error))??;
    serde_json::from_slice(&body).map_err(|error| failed(&error))
}
