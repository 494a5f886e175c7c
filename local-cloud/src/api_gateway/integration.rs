//! The call of the function behind an API, within the API's time.

use std::time::Duration;

use bytes::Bytes;

use crate::lambda::{Answer, Function, InvokeError, InvokeOptions, Streaming};

/// The function behind an API.
pub(super) struct Integration {
    pub(super) function: Function,
    /// How long it may take.
    pub(super) timeout: Duration,
}

/// The answer of a function that is asked to stream.
pub(super) enum Streamed {
    /// It does.
    Pieces(Streaming),
    /// It does not.
    Whole(Bytes),
}

/// Why there is no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It took longer than the API waits.
    TooSlow(String),
    /// The event is larger than Lambda takes.
    TooLarge(String),
    /// The function raised an error: its report, JSON as a rule.
    Raised(Bytes),
    /// It could not be called, or its answer was lost.
    Lost(String),
}

impl Failure {
    /// In words, for the developer.
    pub(super) fn why(&self) -> String {
        match self {
            Self::TooSlow(why) | Self::TooLarge(why) | Self::Lost(why) => why.clone(),
            Self::Raised(report) => String::from_utf8_lossy(report).into_owned(),
        }
    }
}

impl Integration {
    /// Invokes the function; a streamed answer is collected first.
    ///
    /// `invocation` is told the id of the invocation that ended, so that what it printed can be shown with the request.
    pub(super) async fn call(
        &self,
        event: Vec<u8>,
        trace_id: &str,
        invocation: &mut Option<String>,
    ) -> Result<Bytes, Failure> {
        self.call_within(self.timeout, event, (trace_id, invocation)).await
    }

    /// Invokes the function for an answer that is passed on as it comes. It has begun when this returns.
    pub(super) async fn stream(
        &self,
        event: Vec<u8>,
        trace_id: &str,
        invocation: &mut Option<String>,
    ) -> Result<Streamed, Failure> {
        let options =
            InvokeOptions { trace_id: Some(trace_id.to_owned()), ..InvokeOptions::default() };
        let called = tokio::time::timeout(self.timeout, self.function.call(event.into(), options));
        let completed =
            called.await.map_err(|_| too_slow(self.timeout))?.map_err(|error| failed(&error))?;
        *invocation = Some(completed.request_id);
        match completed.answer {
            Answer::Streaming(streaming) => Ok(Streamed::Pieces(streaming)),
            Answer::FunctionError { payload, .. } => Err(Failure::Raised(payload)),
            Answer::Buffered(payload) => Ok(Streamed::Whole(payload)),
        }
    }

    /// The same with another time-out.
    pub(super) async fn call_within(
        &self,
        timeout: Duration,
        event: Vec<u8>,
        (trace_id, invocation): (&str, &mut Option<String>),
    ) -> Result<Bytes, Failure> {
        let options =
            InvokeOptions { trace_id: Some(trace_id.to_owned()), ..InvokeOptions::default() };
        let answer = async {
            let completed = self.function.call(event.into(), options).await?;
            *invocation = Some(completed.request_id);
            Ok(completed.answer.into_buffered().await)
        };
        let Ok(answer) = tokio::time::timeout(timeout, answer).await else {
            return Err(too_slow(timeout));
        };
        match answer.map_err(|error| failed(&error))? {
            Answer::Buffered(payload) => Ok(payload),
            Answer::FunctionError { payload, .. } => Err(Failure::Raised(payload)),
            // `into_buffered` leaves no stream.
            Answer::Streaming(_) => Err(Failure::Lost("the answer was not collected".to_owned())),
        }
    }
}

/// It took longer than this.
pub(super) fn too_slow(timeout: Duration) -> Failure {
    Failure::TooSlow(format!("the function took more than {timeout:?}"))
}

fn failed(error: &InvokeError) -> Failure {
    match error {
        InvokeError::EventTooLarge { .. } => Failure::TooLarge(error.to_string()),
        _ => Failure::Lost(with_causes(error)),
    }
}

/// An error with what caused it, for a log line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
