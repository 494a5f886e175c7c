//! Who hears of the end of an asynchronous invocation, and what is said
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Function, InvokeOptions};

/// Where records of invocations go: another function, or whatever a caller puts behind an ARN.
#[derive(Clone)]
pub struct Destination {
    arn: String,
    take: Arc<dyn Fn(Bytes) + Send + Sync>,
}

impl Destination {
    /// A destination that is called with each record, a JSON document. It must not block.
    pub fn new(arn: impl Into<String>, take: impl Fn(Bytes) + Send + Sync + 'static) -> Self {
        Self { arn: arn.into(), take: Arc::new(take) }
    }

    /// A function that is invoked asynchronously with each record, as long as it is there.
    pub fn function(function: &Function) -> Self {
        let inner = Arc::downgrade(&function.inner);
        Self::new(function.arn(), move |record| {
            if let Some(inner) = inner.upgrade() {
                // Lambda drops a record that is larger than an asynchronous event may be.
                drop(Function { inner }.queue(record, InvokeOptions::default()));
            }
        })
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    pub(crate) fn take(&self, record: Bytes) {
        (self.take)(record);
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Destination").field(&self.arn).finish()
    }
}

/// Why a record is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
}

/// What the last attempt brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) payload: Bytes,
    /// What `X-Amz-Function-Error` would say.
    pub(crate) error: Option<&'static str>,
}

/// One invocation's record.
pub(crate) struct Record<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) function_arn: String,
    pub(crate) condition: Condition,
    pub(crate) invocations: u32,
    pub(crate) event: &'a [u8],
    /// Absent when the function never ran.
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: &'static str,
    timestamp: String,
    request_context: RequestContext<'a>,
    request_payload: Payload<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_payload: Option<Payload<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: Condition,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'static str>,
}

/// JSON as it came, or text that is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Payload<'a> {
    Json(&'a RawValue),
    Text(String),
}

impl<'a> Payload<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        serde_json::from_slice(bytes)
            .map_or_else(|_| Self::Text(String::from_utf8_lossy(bytes).into_owned()), Self::Json)
    }
}

impl Record<'_> {
    /// As a destination gets it.
    pub(crate) fn json(&self) -> Bytes {
        let document = Document {
            version: "1.0",
            timestamp: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            request_context: RequestContext {
                request_id: self.request_id,
                function_arn: &self.function_arn,
                condition: self.condition,
                approximate_invoke_count: self.invocations,
            },
            request_payload: Payload::new(self.event),
            response_context: self.outcome.as_ref().map(|outcome| ResponseContext {
                status_code: 200,
                executed_version: "$LATEST",
                function_error: outcome.error,
            }),
            response_payload: self.outcome.as_ref().map(|outcome| Payload::new(&outcome.payload)),
        };
        // Strings, numbers and JSON that was parsed before always have a form.
        serde_json::to_vec(&document).unwrap_or_default().into()
    }
}
