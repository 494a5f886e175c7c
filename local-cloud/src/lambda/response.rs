//! Answers of a runtime to an invocation: buffered, streamed, or an error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use lambkin_protocol::answer::MAX_PAYLOAD;
use tokio::sync::{mpsc, oneshot};

use super::answer::{StreamError, Streaming};
use super::exchange::{Active, Outcome, StreamEnd};
use super::runtime_api::{
    ApiResponse, RuntimeApi, accepted, error_type, read, refusal, refused, too_large, truncated,
};

const MODE: &str = "lambda-runtime-function-response-mode";
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";
const TRAILER_ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const TRAILER_ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// How many pieces of a streamed answer may wait for their reader.
const PIECES: usize = 16;

impl RuntimeApi {
    /// `POST /runtime/invocation/<id>/response`.
    pub(crate) async fn response(&self, id: &str, request: Request<Incoming>) -> ApiResponse {
        let active = match self.exchange.take(id, text(request.headers(), INVOCATION_ID)) {
            Ok(active) => active,
            Err(refusal) => return refused(refusal),
        };
        match text(request.headers(), MODE) {
            None | Some("buffered") => self.buffered(active, request.into_body()).await,
            Some("streaming") => self.streaming(active, request).await,
            Some(mode) => {
                self.settle(active, Outcome::InvalidMode { mode: mode.to_owned() });
                refusal(
                    StatusCode::BAD_REQUEST,
                    "InvalidFunctionResponseMode",
                    "Invalid function response mode",
                )
            }
        }
    }

    /// `POST /runtime/invocation/<id>/error`.
    pub(crate) async fn error(&self, id: &str, request: Request<Incoming>) -> ApiResponse {
        let active = match self.exchange.take(id, text(request.headers(), INVOCATION_ID)) {
            Ok(active) => active,
            Err(refusal) => return refused(refusal),
        };
        let error_type = error_type(request.headers(), "Function.Unknown");
        match read(request.into_body()).await {
            Ok(payload) => {
                self.settle(active, Outcome::Failed { error_type, payload });
                accepted()
            }
            Err(refused) => refused,
        }
    }

    async fn buffered(&self, active: Active, mut body: Incoming) -> ApiResponse {
        let (mut payload, mut size) = (BytesMut::new(), 0);
        while let Some(frame) = body.frame().await {
            // Dropping `active` tells the invocation that its answer will not come.
            let Ok(frame) = frame else { return truncated() };
            let Ok(chunk) = frame.into_data() else { continue };
            size += chunk.len();
            if size <= MAX_PAYLOAD {
                payload.extend_from_slice(&chunk);
            }
        }
        if size > MAX_PAYLOAD {
            self.settle(active, Outcome::TooLarge { size });
            return too_large();
        }
        self.settle(active, Outcome::Payload(payload.freeze()));
        accepted()
    }

    async fn streaming(&self, active: Active, request: Request<Incoming>) -> ApiResponse {
        let content_type =
            text(request.headers(), header::CONTENT_TYPE.as_str()).map(str::to_owned);
        let (pieces, chunks) = mpsc::channel(PIECES);
        let (ended, end) = oneshot::channel();
        // Nobody waits any more when the invocation has timed out; what comes is read and dropped.
        drop(
            active
                .outcome
                .send(Outcome::Streaming(Streaming { content_type, chunks, end: None }, end)),
        );
        let result = forward(request.into_body(), &pieces).await;
        self.pool.answered(self.number);
        let (how, response) = match result {
            Ok(()) => (StreamEnd::Complete, accepted()),
            Err(error) => {
                let (how, response) = match &error {
                    StreamError::Reported { error_type, .. } => {
                        (StreamEnd::Failed { error_type: error_type.clone() }, accepted())
                    }
                    StreamError::Truncated => (StreamEnd::Truncated, truncated()),
                };
                drop(pieces.send(Err(error)).await);
                (how, response)
            }
        };
        drop(ended.send(how));
        response
    }

    /// The pool hears of the answer before the runtime does, so that its next poll is expected.
    fn settle(&self, active: Active, outcome: Outcome) {
        self.pool.answered(self.number);
        drop(active.outcome.send(outcome));
    }
}

/// Hands on the pieces as they come; the trailers tell whether the function failed on the way.
async fn forward(
    mut body: Incoming,
    pieces: &mpsc::Sender<Result<Bytes, StreamError>>,
) -> Result<(), StreamError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StreamError::Truncated)?;
        match frame.into_data() {
            Ok(chunk) => drop(pieces.send(Ok(chunk)).await),
            Err(frame) => {
                if let Some(error) = frame.trailers_ref().and_then(reported) {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn reported(trailers: &HeaderMap) -> Option<StreamError> {
    let error_type = text(trailers, TRAILER_ERROR_TYPE)?.to_owned();
    let body = text(trailers, TRAILER_ERROR_BODY).and_then(|body| STANDARD.decode(body).ok());
    Some(StreamError::Reported { error_type, body: body.unwrap_or_default().into() })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
