//! What the host does for a guest besides WASI: the clients it keeps for that, and what one invocation is granted of it.
//!
//! `websocket`, `jobs` and `files` each answer one interface. Nothing here is made before a component that is granted it
//! calls it: a function that uses none of it pays for none of it.

mod files;
mod jobs;
mod websocket;

use crate::config::Config;
use crate::error;
use crate::guest::Call;
use lambkin_aws::{Access, Client};
use lambkin_engine::Capabilities;
use lambkin_protocol::job::WebSocketApi;
use lambkin_store::{Files, S3Access};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The clients that all invocations share.
#[derive(Debug)]
pub(crate) struct Services {
    access: S3Access,
    store: String,
    patience: Duration,
    /// Where Lambda is, when it is not AWS's own.
    lambda_endpoint: Option<String>,
    /// Where the WebSocket API is, when not where an event came from.
    websocket_endpoint: Option<String>,
    lambda: OnceLock<Result<Client, String>>,
    files: OnceLock<Result<Files, String>>,
    websockets: Mutex<HashMap<String, Arc<Client>>>,
}

impl Services {
    /// Nothing is opened yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            access: config.access.clone(),
            store: config.store.clone(),
            patience: config.store_timeout,
            lambda_endpoint: config.lambda_endpoint.clone(),
            websocket_endpoint: config.websocket_endpoint.clone(),
            lambda: OnceLock::new(),
            files: OnceLock::new(),
            websockets: Mutex::default(),
        }
    }

    fn lambda(&self) -> Result<&Client, String> {
        let made = self.lambda.get_or_init(|| {
            let access = self.aws();
            let endpoint = self.lambda_endpoint.clone();
            let endpoint = endpoint.unwrap_or_else(|| access.endpoint("lambda"));
            Client::new(access, "lambda", &endpoint).map_err(|problem| error::chain(&problem))
        });
        made.as_ref().map_err(Clone::clone)
    }

    fn files(&self) -> Result<&Files, String> {
        let made = self.files.get_or_init(|| {
            Files::new(&self.access, self.patience).map_err(|problem| error::chain(&problem))
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// The client for a WebSocket API; nothing when nobody says where that is.
    ///
    /// An API is asked by its id and never by the domain that an event names: who could make up an event could make the host
    /// send signed requests anywhere.
    fn websocket(&self, api: Option<&WebSocketApi>) -> Option<Result<Arc<Client>, String>> {
        let endpoint = match (&self.websocket_endpoint, api) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(WebSocketApi { api_id, stage })) => {
                let service = self.aws().endpoint("execute-api");
                format!("{}/{stage}", service.replacen("://", &format!("://{api_id}."), 1))
            }
            (None, None) => return None,
        };
        let mut clients = self.websockets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&endpoint) {
            return Some(Ok(Arc::clone(client)));
        }
        let made = Client::new(self.aws(), "execute-api", &endpoint).map(Arc::new);
        Some(made.map_err(|problem| error::chain(&problem)).inspect(|client| {
            clients.insert(endpoint, Arc::clone(client));
        }))
    }

    fn aws(&self) -> Access {
        let S3Access { region, access_key_id, secret_access_key, session_token, ca_bundle, .. } =
            self.access.clone();
        Access { region, access_key_id, secret_access_key, session_token, ca_bundle }
    }
}

/// What is left of an invocation's time, as far as a call of a service may take it.
#[derive(Debug, Clone, Copy)]
struct Time {
    deadline: Instant,
    patience: Duration,
}

impl Time {
    fn left(self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).min(self.patience)
    }
}

/// What the component's release grants it in this invocation.
pub(crate) fn granted(call: &Call<'_>) -> Capabilities {
    let grants = &call.component.grants;
    let mut capabilities = Capabilities::default();
    if grants.websocket {
        capabilities.websocket = Some(Arc::new(websocket::Connections::new(call)));
    }
    if !grants.jobs.is_empty() {
        capabilities.jobs = Some(Arc::new(jobs::Starter::new(call)));
    }
    if !grants.files.is_empty() {
        capabilities.files = Some(Arc::new(files::Folders::new(call)));
    }
    capabilities
}

/// The WebSocket API that the invocation's event is of, or that the job was started from.
fn websocket_api(call: &Call<'_>) -> Option<WebSocketApi> {
    call.destination.websocket_api.clone().or_else(|| WebSocketApi::of_event(&call.received.event))
}

fn time(call: &Call<'_>) -> Time {
    Time { deadline: call.received.deadline, patience: call.host.services.patience }
}

/// What a service says of a refusal: `{"message": "…"}`, or its status.
fn reason(answer: &http::Response<bytes::Bytes>) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        #[serde(alias = "Message")]
        message: String,
    }
    match serde_json::from_slice::<Problem>(answer.body()) {
        Ok(problem) => format!("{}: {}", answer.status(), problem.message),
        Err(_) => answer.status().to_string(),
    }
}

/// One segment of a path: only what RFC 3986 calls unreserved stays as it is, as AWS signs it.
fn segment(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}
