//! A web component's response on its way to the client, and the guest that still writes it; a request that is not taken.
//!
//! The guest lives as long as the response is read; one that works on after the last byte is left to its end.

use crate::components::Loaded;
use crate::error::Failure;
use crate::invocation::Host;
use crate::received::Received;
use crate::report;
use bytes::Bytes;
use futures::FutureExt as _;
use http::{Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use lambkin_engine::{Body, BodyError, Completion, InvokeError, Usage};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A running guest, what it answers, and its turn.
pub(super) struct Guest {
    completion: Completion,
    received: Arc<Received>,
    loaded: Arc<Loaded>,
    _turn: OwnedSemaphorePermit,
}

/// A response's body. Dropping it before its end ends the guest.
pub(super) struct Answered {
    body: Body,
    guest: Option<Guest>,
    /// Bytes that are still to come by the response's `content-length`: a server reads no further.
    left: Option<u64>,
}

impl Guest {
    pub(super) fn new(
        completion: Completion,
        (received, loaded): (Arc<Received>, Arc<Loaded>),
        turn: OwnedSemaphorePermit,
    ) -> Self {
        Self { completion, received, loaded, _turn: turn }
    }

    /// Leaves the guest to its end, which is logged. Mostly it has come to it already.
    fn leave(mut self) {
        if let Some(end) = (&mut self.completion).now_or_never() {
            return self.tell(end);
        }
        // Without a runtime the process is about to end, and the guest with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let end = (&mut self.completion).await;
                self.tell(end);
            });
        }
    }

    fn tell(&self, end: Result<Usage, InvokeError>) {
        match end {
            Ok(usage) => report::called(&self.loaded, &usage, &self.received.tags()),
            Err(error) => drop(Host::report(&self.received, &Failure::Invoke(error))),
        }
    }
}

impl Answered {
    /// Ties the guest to its response.
    pub(super) fn wrap(response: Response<Body>, guest: Guest, is_head: bool) -> Response<Body> {
        let length = response.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
        let is_bodiless = is_head || bodiless.contains(&response.status());
        let left = if is_bodiless { Some(0) } else { length };
        response.map(|body| Self { body, guest: Some(guest), left }.boxed_unsync())
    }

    fn leave(&mut self) {
        if let Some(guest) = self.guest.take() {
            guest.leave();
        }
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            if let (Some(data), Some(left)) = (frame.data_ref(), &mut self.left) {
                *left = left.saturating_sub(data.len() as u64);
            }
        } else {
            // Whole, or broken off by a guest whose end says why.
            self.leave();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        if self.left == Some(0) || self.body.is_end_stream() {
            self.leave();
        }
    }
}

/// The longest time that the rest of a refused request is taken.
const DRAIN: Duration = Duration::from_secs(2);

/// Takes what the client of a refused request still sends, for a moment: one that is answered and cut off while it
/// writes never reads the answer. A client that waits for `100 Continue` has sent nothing and will not.
pub(super) async fn drain<B>(request: Request<B>)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    if request.headers().contains_key(header::EXPECT) {
        return;
    }
    let mut body = Box::pin(request.into_body());
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // What takes longer is cut off after all.
    let _ended = tokio::time::timeout(DRAIN, rest).await;
}
