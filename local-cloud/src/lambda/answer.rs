//! What an invocation gives back, and what its caller may say beside the event.

use std::io;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

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

    /// Waits for the end of a streamed answer, as `Invoke` does: its pieces in a row are the payload.
    pub async fn into_buffered(self) -> Self {
        let Self::Streaming(mut streaming) = self else { return self };
        let mut payload = BytesMut::new();
        while let Some(chunk) = streaming.next().await {
            match chunk {
                Ok(chunk) => payload.extend_from_slice(&chunk),
                Err(error) => {
                    return Self::FunctionError {
                        kind: Self::UNHANDLED,
                        payload: error.into_payload(),
                    };
                }
            }
        }
        Self::Buffered(payload.freeze())
    }
}

/// A streamed answer. Dropping it does not end the invocation.
#[derive(Debug)]
pub struct Streaming {
    /// The content type the runtime sent: `application/vnd.awslambda.http-integration-response` says that the body
    /// starts with a JSON prelude and eight zero bytes.
    pub content_type: Option<String>,
    pub(crate) chunks: mpsc::Receiver<Result<Bytes, StreamError>>,
}

impl Streaming {
    /// The next piece; an error is the last; nothing after the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, StreamError>> {
        self.chunks.recv().await
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

impl StreamError {
    fn into_payload(self) -> Bytes {
        match self {
            Self::Reported { body, .. } if !body.is_empty() => body,
            Self::Reported { error_type, .. } => {
                failure(&error_type, "the function failed while it answered")
            }
            Self::Truncated => {
                failure("Runtime.TruncatedResponse", "the answer of the function was cut off")
            }
        }
    }
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
