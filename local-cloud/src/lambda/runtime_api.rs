//! The Runtime API of one sandbox, version 2018-06-01
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>), and as much of the Extensions API as an internal
//! extension without events needs, which is how a runtime asks for SIGTERM.
//!
//! Answers to invocations are read by `response`.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambkin_protocol::answer::MAX_PAYLOAD;
use uuid::Uuid;

use super::exchange::{Exchange, Poll, Refusal};
use super::pool::Pool;

const VERSION: &str = "/2018-06-01";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// What a runtime gets from every call.
pub(crate) type ApiResponse = Response<Full<Bytes>>;

/// One sandbox's Runtime API.
pub(crate) struct RuntimeApi {
    pub(crate) number: u64,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) pool: Arc<Pool>,
    function_name: String,
}

impl RuntimeApi {
    pub(crate) fn new(
        number: u64,
        exchange: Arc<Exchange>,
        pool: Arc<Pool>,
        function_name: &str,
    ) -> Self {
        Self { number, exchange, pool, function_name: function_name.to_owned() }
    }

    /// As a service for the HTTP server.
    pub(crate) fn into_service(
        self,
    ) -> impl hyper::service::Service<
        Request<Incoming>,
        Response = ApiResponse,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static {
        let api = Arc::new(self);
        service_fn(move |request| {
            let api = Arc::clone(&api);
            async move { Ok(api.answer(request).await) }
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> ApiResponse {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> =
            path.strip_prefix(VERSION).unwrap_or_default().split('/').skip(1).collect();
        match (request.method(), segments.as_slice()) {
            (&Method::GET, ["runtime", "invocation", "next"]) => self.next().await,
            (&Method::POST, ["runtime", "invocation", id, "response"]) => {
                self.response(id, request).await
            }
            (&Method::POST, ["runtime", "invocation", id, "error"]) => {
                self.error(id, request).await
            }
            (&Method::POST, ["runtime", "init", "error"]) => self.init_error(request).await,
            (&Method::GET, ["ping"]) => {
                reply(StatusCode::OK, "text/plain", Bytes::from_static(b"pong"))
            }
            (&Method::POST, _) if path == "/2020-01-01/extension/register" => {
                self.register(request).await
            }
            (&Method::GET, _) if path == "/2020-01-01/extension/event/next" => {
                std::future::pending().await
            }
            _ => {
                refusal(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("no such call: {path}"))
            }
        }
    }

    /// Holds the poll until there is an event for it.
    async fn next(&self) -> ApiResponse {
        let Ok((poll, delivery)) = self.exchange.poll() else {
            let message = "State transition from Running to Ready failed for runtime. Error: State transition is not allowed";
            return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", message);
        };
        // The first poll belongs to the invocation that had the sandbox started.
        if poll == Poll::Later {
            self.pool.polled(self.number);
        }
        let Ok(delivery) = delivery.await else {
            return refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Sandbox.Failure",
                "the sandbox is closed",
            );
        };
        let mut response = reply(StatusCode::OK, "application/json", delivery.event);
        response.headers_mut().extend(delivery.headers);
        response
    }

    async fn init_error(&self, request: Request<Incoming>) -> ApiResponse {
        let error_type = error_type(request.headers(), "Runtime.Unknown");
        match read(request.into_body()).await {
            Ok(payload) => {
                self.exchange.fail_init(error_type, payload);
                accepted()
            }
            Err(refused) => refused,
        }
    }

    /// An internal extension gets an identity and no events. One that wants events would wait for them in vain.
    async fn register(&self, request: Request<Incoming>) -> ApiResponse {
        let body = match read(request.into_body()).await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let wanted = serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default();
        if wanted
            .get("events")
            .and_then(|events| events.as_array())
            .is_some_and(|events| !events.is_empty())
        {
            let message = "the local cloud has no events for extensions";
            return refusal(StatusCode::FORBIDDEN, "Extension.NotSupported", message);
        }
        let function = serde_json::json!({
            "functionName": self.function_name, "functionVersion": "$LATEST", "handler": "bootstrap",
        });
        let mut response = reply(StatusCode::OK, "application/json", function.to_string().into());
        if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
            response.headers_mut().insert("lambda-extension-identifier", id);
        }
        response
    }
}

/// The type of an error, if it has the form that Lambda passes on.
pub(crate) fn error_type(headers: &HeaderMap, otherwise: &str) -> String {
    let named = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).filter(|name| {
        let rest = name.strip_prefix("Runtime.").or_else(|| name.strip_prefix("Function."));
        rest.is_some_and(|rest| {
            rest.len() > 1
                && rest.starts_with(|first: char| first.is_ascii_uppercase())
                && rest.chars().all(|letter| letter.is_ascii_alphabetic())
        })
    });
    named.unwrap_or(otherwise).to_owned()
}

/// A body of an error, which is small.
pub(crate) async fn read(body: Incoming) -> Result<Bytes, ApiResponse> {
    let body = Limited::new(body, MAX_PAYLOAD).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() { too_large() } else { truncated() }
    })
}

pub(crate) fn accepted() -> ApiResponse {
    reply(StatusCode::ACCEPTED, "application/json", Bytes::from_static(br#"{"status":"OK"}"#))
}

pub(crate) fn refused(refusal_: Refusal) -> ApiResponse {
    match refusal_ {
        Refusal::UnknownRequest => {
            refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        }
        Refusal::Stale => refusal(StatusCode::GONE, "InvocationExpired", "the invocation is over"),
    }
}

pub(crate) fn too_large() -> ApiResponse {
    let message = format!("Exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes).");
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

pub(crate) fn truncated() -> ApiResponse {
    refusal(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

pub(crate) fn refusal(status: StatusCode, error_type: &str, message: &str) -> ApiResponse {
    let body = serde_json::json!({ "errorMessage": message, "errorType": error_type });
    reply(status, "application/json", body.to_string().into())
}

fn reply(status: StatusCode, content_type: &'static str, body: Bytes) -> ApiResponse {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(ERROR_TYPE, sent.parse().unwrap());
        assert_eq!(error_type(&headers, "Function.Unknown"), expected, "{sent}");
    }

    #[test]
    fn only_error_types_of_the_known_form_are_kept() {
        check("Runtime.ExitError", "Runtime.ExitError");
        check("Function.Boom", "Function.Boom");
        check("unhandled", "Function.Unknown");
        check("Function.boom", "Function.Unknown");
        check("Function.Boom7", "Function.Unknown");
        check("Runtime.", "Function.Unknown");
        assert_eq!(error_type(&HeaderMap::new(), "Runtime.Unknown"), "Runtime.Unknown");
    }
}
