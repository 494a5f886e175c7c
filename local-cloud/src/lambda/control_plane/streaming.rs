//! `InvokeWithResponseStream`: the answer in pieces as the function sends them, then how it ended
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>).
//!
//! A function that answers in one piece is sent as one. What failed is in the last event, not in a piece.

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use serde::Serialize;

use super::invoke::{event, wants_tail};
use super::reply::{Refusal, empty, service_error, set};
use crate::http_server::AwsReply;
use crate::lambda::answer::Streaming;
use crate::lambda::event_stream;
use crate::lambda::{Answer, Completed, Function, MAX_EVENT};

pub(super) async fn call(
    function: &Function,
    request: Request<Incoming>,
) -> Result<AwsReply, Refusal> {
    let dry = request.headers().get("x-amz-invocation-type").is_some_and(|kind| kind == "DryRun");
    let tail = wants_tail(request.headers());
    let (event, options) = event(request, MAX_EVENT).await?;
    if dry {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let Completed { request_id, answer, log_tail } =
        function.call(event, options).await.map_err(|error| service_error(&error))?;
    let log = tail.then_some(log_tail);
    let frames = match answer {
        Answer::Buffered(payload) => {
            stream::iter([piece(&payload), Complete::default().frame(log)]).boxed()
        }
        Answer::FunctionError { kind, payload } => {
            stream::iter([Complete::failed(kind.to_owned(), &payload).frame(log)]).boxed()
        }
        Answer::Streaming(streaming) => {
            stream::unfold(State::Pieces(streaming, log), State::next).boxed()
        }
    };
    let frames = frames.map(|frame| Ok::<_, Infallible>(Frame::data(frame)));
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames)));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.amazon.eventstream"),
    );
    set(&mut response, "x-amz-executed-version", "$LATEST");
    set(&mut response, "x-amzn-requestid", &request_id);
    Ok(response)
}

/// How far a streamed answer is, and the log that was asked for.
enum State {
    Pieces(Streaming, Option<String>),
    Over,
}

impl State {
    async fn next(self) -> Option<(Bytes, Self)> {
        let Self::Pieces(mut streaming, log) = self else { return None };
        let mut complete = Complete::default();
        let summary = match streaming.next().await {
            Some(Ok(bytes)) => return Some((piece(&bytes), Self::Pieces(streaming, log))),
            Some(Err(error)) => {
                let (error_type, payload, summary) = streaming.failure(error).await;
                complete = Complete::failed(error_type, &payload);
                summary
            }
            None => streaming.summary().await,
        };
        Some((complete.frame(log.map(|_| summary.log_tail)), Self::Over))
    }
}

fn piece(bytes: &[u8]) -> Bytes {
    event_stream::event("PayloadChunk", "application/octet-stream", bytes)
}

/// The last event; what it does not say is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Complete {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_result: Option<String>,
}

impl Complete {
    fn failed(error_type: String, payload: &[u8]) -> Self {
        let details = String::from_utf8_lossy(payload).into_owned();
        Self { error_code: Some(error_type), error_details: Some(details), log_result: None }
    }

    fn frame(mut self, log: Option<String>) -> Bytes {
        self.log_result = log.map(|log| STANDARD.encode(log));
        let payload = serde_json::to_vec(&self).unwrap_or_default();
        event_stream::event("InvokeComplete", "application/json", &payload)
    }
}
