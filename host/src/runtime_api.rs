//! Posts answers and errors to Lambda's Runtime API as raw bytes, streamed where Lambda wants a stream.
//!
//! `lambda_runtime` owns the loop over `/next`; its own way back would parse an answer only to print it again, and
//! writes a stream's error into the body instead of the trailers.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>

use crate::error::Diagnostic;
use base64::Engine as _;
use bytes::Bytes;
use futures::channel::{mpsc, oneshot};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, PooledClient, build_request};
use std::convert::Infallible;

const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const ERROR_BODY: HeaderName = HeaderName::from_static("lambda-runtime-function-error-body");

/// The way back to Lambda.
#[derive(Debug)]
pub(crate) struct RuntimeApi(PooledClient);

/// Which invocation an answer belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    /// Sent back as it came, so that Lambda can refuse a stale answer.
    pub(crate) invocation_id: Option<HeaderValue>,
}

/// The sending half of a streamed answer.
pub(crate) struct AnswerStream(mpsc::Sender<Result<Frame<Bytes>, BoxError>>);

/// Lambda stopped listening: the caller went away or the invocation ended.
#[derive(Debug, thiserror::Error)]
#[error("the stream's receiver is gone")]
pub(crate) struct StreamClosed;

impl AnswerStream {
    /// Sends one chunk, waiting while Lambda is slower than the guest.
    pub(crate) async fn send(&mut self, chunk: Bytes) -> Result<(), StreamClosed> {
        use futures::SinkExt as _;
        self.0.send(Ok(Frame::data(chunk))).await.map_err(|_| StreamClosed)
    }

    /// Ends the stream with an error, in the trailers that Lambda reads it from.
    pub(crate) async fn fail(mut self, diagnostic: &Diagnostic) -> Result<(), StreamClosed> {
        use futures::SinkExt as _;
        let mut trailers = HeaderMap::new();
        trailers.insert(ERROR_TYPE, error_type_value(diagnostic));
        let body = base64::engine::general_purpose::STANDARD
            .encode(serde_json::to_vec(diagnostic).unwrap_or_default());
        if let Ok(body) = HeaderValue::from_str(&body) {
            trailers.insert(ERROR_BODY, body);
        }
        self.0.send(Ok(Frame::trailers(trailers))).await.map_err(|_| StreamClosed)
    }
}

impl RuntimeApi {
    /// A client with as many connections as there may be invocations at once.
    pub(crate) fn new(concurrency: u32) -> Self {
        Self(PooledClient::builder().with_pool_size(concurrency as usize).build())
    }

    /// Posts a whole answer. `taken` is dropped when the connection has taken it, which writes it in the same turn.
    pub(crate) async fn respond(
        &self,
        invocation: &Invocation,
        payload: Bytes,
        taken: oneshot::Sender<Infallible>,
    ) -> Result<(), BoxError> {
        // It goes with the body, of which it is a part.
        let body = Full::new(payload).map_err(move |never| {
            let _ = &taken;
            never
        });
        let request = post(invocation, "response").body(Body::new(body))?;
        self.send(request, "response").await
    }

    /// Posts a failed invocation.
    pub(crate) async fn fail(
        &self,
        invocation: &Invocation,
        diagnostic: &Diagnostic,
    ) -> Result<(), BoxError> {
        let request = post(invocation, "error")
            .header(ERROR_TYPE, error_type_value(diagnostic))
            .body(Body::from(serde_json::to_vec(diagnostic)?))?;
        self.send(request, "error").await
    }

    /// Opens a streamed answer: the future ends when Lambda has taken all of it.
    pub(crate) fn stream(
        &self,
        invocation: &Invocation,
    ) -> Result<(AnswerStream, impl Future<Output = Result<(), BoxError>>), BoxError> {
        let (sender, receiver) = mpsc::channel(4);
        let request = post(invocation, "response")
            .header("lambda-runtime-function-response-mode", "streaming")
            .header(
                http::header::CONTENT_TYPE,
                "application/vnd.awslambda.http-integration-response",
            )
            .header(http::header::TRANSFER_ENCODING, "chunked")
            .header(http::header::TRAILER, format!("{ERROR_TYPE}, {ERROR_BODY}"))
            .body(Body::new(StreamBody::new(receiver)))?;
        Ok((AnswerStream(sender), self.send(request, "response")))
    }

    /// Tells Lambda that the host cannot start.
    pub(crate) async fn fail_init(&self, diagnostic: &Diagnostic) -> Result<(), BoxError> {
        let request = build_request()
            .method(Method::POST)
            .uri("/2018-06-01/runtime/init/error")
            .header(ERROR_TYPE, error_type_value(diagnostic))
            .body(Body::from(serde_json::to_vec(diagnostic)?))?;
        self.send(request, "init/error").await
    }

    fn send(
        &self,
        request: Request<Body>,
        what: &'static str,
    ) -> impl Future<Output = Result<(), BoxError>> + use<> {
        let call = self.0.call(request);
        async move {
            let response = call.await?;
            let status = response.status();
            if status.is_success() {
                return Ok(());
            }
            let body = response.into_body().collect().await?.to_bytes();
            Err(format!(
                "Lambda refused the {what} with {status}: {}",
                String::from_utf8_lossy(&body)
            )
            .into())
        }
    }
}

fn post(invocation: &Invocation, what: &str) -> http::request::Builder {
    let builder = build_request()
        .method(Method::POST)
        .uri(format!("/2018-06-01/runtime/invocation/{}/{what}", invocation.request_id));
    match &invocation.invocation_id {
        Some(id) => builder.header(INVOCATION_ID, id),
        None => builder,
    }
}

/// Lambda keeps only words of its own form; a guest's error class is told in the body.
fn error_type_value(diagnostic: &Diagnostic) -> HeaderValue {
    let word = &diagnostic.error_type;
    let kept = word.split_once('.').is_some_and(|(area, rest)| {
        matches!(area, "Runtime" | "Function" | "Sandbox")
            && rest.chars().all(|letter| letter.is_ascii_alphabetic())
    });
    let word = if kept { word.as_str() } else { "Function.Error" };
    HeaderValue::from_str(word).unwrap_or(HeaderValue::from_static("Function.Unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    #[tokio::test]
    async fn a_whole_answer_is_on_its_way_a_turn_after_it_was_taken() {
        let lambda = TcpListener::bind("127.0.0.1:0").unwrap();
        lambda.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", lambda.local_addr().unwrap()).parse().unwrap();
        let api = RuntimeApi(PooledClient::builder().with_endpoint(endpoint).build());
        let invocation = Invocation { request_id: "1".to_owned(), invocation_id: None };
        let (sender, taken) = oneshot::channel();
        let sending = api.respond(&invocation, Bytes::from_static(b"the answer"), sender);
        // Over a connection that is not there yet; nothing here waits for it.
        let meanwhile = async {
            assert!(taken.await.is_err(), "nothing is sent on it");
            tokio::task::yield_now().await;
            let (mut connection, _) = lambda.accept().unwrap();
            connection.set_nonblocking(true).unwrap();
            let mut request = [0; 1024];
            let length = connection.read(&mut request).unwrap();
            assert!(request[..length].ends_with(b"the answer"));
            connection.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
        };
        let (sent, ()) = futures::future::join(sending, meanwhile).await;
        sent.unwrap();
    }
}
