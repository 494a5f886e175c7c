//! A response on its way to the caller chunk by chunk, with its error in the trailers when the guest fails midway.

use crate::components::Loaded;
use crate::error::{Diagnostic, Failure};
use crate::invocation::Host;
use crate::received::Received;
use crate::report;
use crate::runtime_api::AnswerStream;
use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use lambkin_engine::{Body, HttpAnswer, InvokeError, Usage};
use lambkin_protocol::answer;
use std::pin::Pin;
use std::sync::Arc;

type Completion = Pin<Box<dyn Future<Output = Result<Usage, InvokeError>> + Send>>;

/// A response that is sent while the guest still writes it.
pub(crate) struct Streamed {
    response: Response<Body>,
    /// The guest that writes it; none for a response that needs none any more.
    guest: Option<(Completion, Arc<Loaded>)>,
}

impl Streamed {
    /// A web component's response.
    pub(crate) fn new(answer: HttpAnswer, loaded: Arc<Loaded>) -> Self {
        Self { response: answer.response, guest: Some((Box::pin(answer.usage), loaded)) }
    }

    /// A response that no guest writes any more.
    pub(crate) fn whole(response: Response<Body>) -> Self {
        Self { response, guest: None }
    }

    /// Sends all of it; the error is what the trailers are to say.
    pub(crate) async fn send_to(
        self,
        received: &Received,
        sender: &mut AnswerStream,
    ) -> Result<(), Diagnostic> {
        let (parts, mut body) = self.response.into_parts();
        // In chunks of their own, as AWS's own runtimes send them: cargo-lambda's emulator knows the head by that.
        let end = Bytes::from_static(&answer::STREAM_PRELUDE_END);
        for chunk in [answer::stream_prelude(&parts).into(), end] {
            if sender.send(chunk).await.is_err() {
                return Ok(());
            }
        }
        let mut broken = None;
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(chunk)) => {
                    if sender.send(chunk).await.is_err() {
                        return Ok(());
                    }
                }
                // Lambda has no place for a guest's own trailers.
                Ok(Err(_trailers)) => {}
                Err(error) => {
                    broken = Some(InvokeError::BrokenResponse { reason: error.to_string() });
                    break;
                }
            }
        }
        let Some((usage, loaded)) = self.guest else {
            let broken = broken.map(|error| Host::report(received, &Failure::Invoke(error)));
            return broken.map_or(Ok(()), Err);
        };
        let failure = match (usage.await, broken) {
            (Ok(usage), None) => {
                report::called(&loaded, &usage, &received.tags());
                return Ok(());
            }
            (Err(error), _) | (Ok(_), Some(error)) => Failure::Invoke(error),
        };
        Err(Host::report(received, &failure))
    }
}
