//! The answer of an HTTP component: a response whose body still comes while the guest runs on.
//!
//! The guest lives in a task of its own that [`Completion`] stands for. A body ends with an error when the guest fails
//! before its end, so that half an answer is never taken for a whole one.

use crate::error::InvokeError;
use crate::invocation::Usage;
use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wasmtime_wasi_http::WasiBody;

/// A body of a request or a response, as a stream of frames.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body that broke off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body broke off: {0}")]
pub struct BodyError(pub String);

impl From<BodyError> for wasmtime_wasi_http::Error {
    fn from(error: BodyError) -> Self {
        Self::InternalError(Some(error.to_string()))
    }
}

/// What an HTTP component answers.
#[derive(Debug)]
#[must_use = "the guest is ended when `usage` is dropped"]
pub struct HttpAnswer {
    /// Status, headers, and a body that is read while the guest writes it.
    pub response: http::Response<Body>,
    /// The guest, which may run on after it has given its response.
    pub usage: Completion,
}

/// A running guest: resolves to what it used when it has ended. Dropping it ends the guest.
///
/// Read the body first (or at the same time): a guest waits for its body to be read.
#[derive(Debug)]
pub struct Completion(JoinHandle<Result<Usage, InvokeError>>);

impl Completion {
    pub(crate) fn new(task: JoinHandle<Result<Usage, InvokeError>>) -> Self {
        Self(task)
    }
}

impl Future for Completion {
    type Output = Result<Usage, InvokeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| {
            joined.unwrap_or_else(|error| {
                Err(InvokeError::Host { message: format!("the guest's task: {error}") })
            })
        })
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Wraps the body that wasmtime gives out. The receiver ends when the body has been read, or is not read any more.
pub(crate) fn deliver(body: WasiBody, failed: Arc<Failed>) -> (Body, oneshot::Receiver<()>) {
    let (reader, delivered) = oneshot::channel();
    (Delivered { body, failed, _reader: reader }.boxed_unsync(), delivered)
}

/// Whether the guest has failed; shared with its body.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    has_failed: AtomicBool,
    reader: AtomicWaker,
}

/// Fails the body of a guest that does not come to a good end, also when its task panics or is dropped.
///
/// It has to be dropped before the store, whose end ends the body.
pub(crate) struct Failure {
    failed: Arc<Failed>,
    armed: bool,
}

impl Failure {
    pub(crate) fn new() -> Self {
        Self { failed: Arc::default(), armed: true }
    }

    /// What the body looks at when it ends.
    pub(crate) fn flag(&self) -> Arc<Failed> {
        Arc::clone(&self.failed)
    }

    /// The guest has come to a good end.
    pub(crate) fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Failure {
    fn drop(&mut self) {
        self.failed.has_failed.store(self.armed, Ordering::Release);
        // The store may live on, and then nothing else tells the reader.
        self.failed.reader.wake();
    }
}

struct Delivered {
    body: WasiBody,
    failed: Arc<Failed>,
    _reader: oneshot::Sender<()>,
}

impl http_body::Body for Delivered {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.failed.reader.register(cx.waker());
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(frame)) => {
                Poll::Ready(Some(frame.map_err(|error| BodyError(error.to_string()))))
            }
            // wasmtime ends the body of a guest that is gone as if it were whole; that of one that was given up and whose
            // store lives on does not end at all.
            Poll::Ready(None) | Poll::Pending
                if self.failed.has_failed.swap(false, Ordering::AcqRel) =>
            {
                Poll::Ready(Some(Err(BodyError("the guest failed".to_owned()))))
            }
            end => end.map(|_| None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && !self.failed.has_failed.load(Ordering::Acquire)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
