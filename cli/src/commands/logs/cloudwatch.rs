//! `FilterLogEvents` of `CloudWatch` Logs, signed, over one connection
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).

use crate::config::LogsAccess;
use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use lambkin_aws::{Access, Client, SendError};
use serde::Deserialize;
use std::time::Duration;

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
    Unreachable(#[source] SendError),
    /// What came is no answer.
    #[error("the answer cannot be read")]
    Malformed(#[source] serde_json::Error),
}

/// A client for one endpoint.
pub(super) struct CloudWatch {
    client: Client,
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
        let LogsAccess {
            region, access_key_id, secret_access_key, session_token, ca_bundle, ..
        } = access;
        let signer = Access { region, access_key_id, secret_access_key, session_token, ca_bundle };
        let endpoint = access.endpoint.unwrap_or_else(|| signer.endpoint("logs"));
        Ok(Self { client: Client::new(signer, "logs", &endpoint)? })
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
            let answer = self.send(body.clone()).await.map_err(CallError::Unreachable)?;
            if answer.status() == StatusCode::OK {
                return serde_json::from_slice(answer.body()).map_err(CallError::Malformed);
            }
            match refusal(answer.status(), answer.body()) {
                CallError::Refused { name, .. }
                    if name == "ThrottlingException" && attempt < ATTEMPTS =>
                {
                    tokio::time::sleep(BACK_OFF * attempt).await;
                }
                error => return Err(error),
            }
        }
    }

    async fn send(&self, body: Bytes) -> Result<Response<Bytes>, SendError> {
        let request = Request::post("/")
            .header("content-type", CONTENT_TYPE)
            .header("x-amz-target", ACTION)
            .body(body)
            .map_err(SendError::Malformed)?;
        self.client.send(request, TIMEOUT).await
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
