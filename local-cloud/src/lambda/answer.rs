//! What an invocation gives back, and what its caller may say beside the event.

use std::io;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot};

/// What the caller of an invocation may say beside the event.
#[derive(Debug, Clone, Default)]
pub struct InvokeOptions {
    /// The client context: JSON, not base64.
    pub client_context: Option<String>,
    /// The tenant, for functions with tenant isolation.
    pub tenant: Option<String>,
    /// The X-Ray trace header; made up when absent.
    pub trace_id: Option<String>,
}

/// How the function answered.
#[derive(Debug)]
pub enum Answer {
    /// The payload, whole.
    Buffered(Bytes),
    /// The payload in pieces, as the function sends them.
    Streaming(Streaming),
    /// The function failed: it reported an error, crashed or took too long.
    FunctionError {
        /// What `X-Amz-Function-Error` says.
        kind: &'static str,
        /// JSON with `errorMessage` and `errorType`.
        payload: Bytes,
    },
}

impl Answer {
    /// The kind of every function error.
    pub(crate) const UNHANDLED: &'static str = "Unhandled";

    /// Type and message of a failure, if it is one and says them.
    pub(crate) fn failure(&self) -> Option<(String, String)> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Failure {
            error_type: String,
            error_message: String,
        }
        let Self::FunctionError { payload, .. } = self else { return None };
        let failure: Failure = serde_json::from_slice(payload).ok()?;
        Some((failure.error_type, failure.error_message))
    }

    /// Waits for the end of a streamed answer, as `Invoke` does: its pieces in a row are the payload.
    pub async fn into_buffered(self) -> Self {
        let Self::Streaming(mut streaming) = self else { return self };
        streaming.collect().await.0
    }
}

/// A streamed answer. Dropping it does not end the invocation.
#[derive(Debug)]
pub struct Streaming {
    /// The content type the runtime sent: `application/vnd.awslambda.http-integration-response` says that the body
    /// starts with a JSON prelude and eight zero bytes.
    pub content_type: Option<String>,
    pub(crate) chunks: mpsc::Receiver<Result<Bytes, StreamError>>,
    /// What is known when the invocation is over, which is after the last piece.
    pub(crate) end: Option<oneshot::Receiver<StreamSummary>>,
}

/// A streamed answer's invocation, looked back at.
#[derive(Debug, Default)]
pub(crate) struct StreamSummary {
    /// The last 4 KiB of its log.
    pub(crate) log_tail: String,
    /// Type and message of what Lambda itself found: a time-out, or an answer that was cut off.
    pub(crate) failure: Option<(String, String)>,
}

impl Streaming {
    /// The next piece; an error is the last; nothing after the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, StreamError>> {
        self.chunks.recv().await
    }

    /// Waits until the invocation is over; its pieces must have been read.
    pub(crate) async fn summary(&mut self) -> StreamSummary {
        match self.end.take() {
            Some(end) => end.await.unwrap_or_default(),
            None => StreamSummary::default(),
        }
    }

    /// The pieces in a row, and the end of the log.
    pub(crate) async fn collect(&mut self) -> (Answer, String) {
        let mut payload = BytesMut::new();
        while let Some(chunk) = self.next().await {
            match chunk {
                Ok(chunk) => payload.extend_from_slice(&chunk),
                Err(error) => {
                    let (_, payload, summary) = self.failure(error).await;
                    let failed = Answer::FunctionError { kind: Answer::UNHANDLED, payload };
                    return (failed, summary.log_tail);
                }
            }
        }
        (Answer::Buffered(payload.freeze()), self.summary().await.log_tail)
    }

    /// The type of the error that ended the stream, what stands for it in a payload, and the summary.
    pub(crate) async fn failure(&mut self, error: StreamError) -> (String, Bytes, StreamSummary) {
        let mut summary = self.summary().await;
        let (error_type, payload) = match error {
            StreamError::Reported { error_type, body } if !body.is_empty() => (error_type, body),
            StreamError::Reported { error_type, .. } => {
                let payload = failure(&error_type, "the function failed while it answered");
                (error_type, payload)
            }
            StreamError::Truncated => {
                let (error_type, message) = summary.failure.take().unwrap_or_else(|| {
                    let message = "the answer of the function was cut off".to_owned();
                    ("Runtime.TruncatedResponse".to_owned(), message)
                });
                let payload = failure(&error_type, &message);
                (error_type, payload)
            }
        };
        (error_type, payload, summary)
    }
}

/// Why a streamed answer ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The function reported an error in the trailers of its answer.
    #[error("the function failed while it answered: {error_type}")]
    Reported {
        /// The trailer `Lambda-Runtime-Function-Error-Type`.
        error_type: String,
        /// The trailer `Lambda-Runtime-Function-Error-Body`, decoded: JSON.
        body: Bytes,
    },
    /// The sandbox broke the answer off: it crashed or took too long.
    #[error("the answer of the function was cut off")]
    Truncated,
}

/// An answer with what is known about its invocation.
#[derive(Debug)]
pub struct Completed {
    /// The invocation's id.
    pub request_id: String,
    /// How the function answered.
    pub answer: Answer,
    /// The last 4 KiB of its log; empty for a streamed answer and for a sandbox that takes several at once.
    pub log_tail: String,
}

/// Why there is no answer at all: the function was not to blame.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The event is larger than Lambda takes.
    #[error("the event has {size} bytes, more than the {} Lambda takes", super::MAX_EVENT)]
    EventTooLarge {
        /// Size of the event, in bytes.
        size: usize,
    },
    /// An option cannot be sent as an HTTP header.
    #[error("the {option} of the invocation cannot be sent in a header")]
    Option {
        /// The name of the option.
        option: &'static str,
    },
    /// As many invocations are under way as the function's reserved concurrency lets be.
    #[error("rate exceeded: the function's reserved concurrency is {reserved}")]
    TooManyRequests {
        /// The reserved concurrency.
        reserved: usize,
    },
    /// The process could not be started.
    #[error("cannot start the bootstrap {}", path.display())]
    Launch {
        /// The executable.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The function is stopped.
    #[error("the function is stopped")]
    Stopped,
}

/// The JSON that Lambda answers with in the function's place.
pub(crate) fn failure(error_type: &str, message: &str) -> Bytes {
    serde_json::json!({ "errorType": error_type, "errorMessage": message }).to_string().into()
}
