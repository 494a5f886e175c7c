//! AWS's `Invoke` call, so that an AWS SDK or the AWS CLI with an endpoint URL can invoke a function
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>). Signatures are not checked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use percent_encoding::percent_decode_str;

use super::{Answer, Completed, Function, InvokeError, InvokeOptions, MAX_EVENT};
use crate::http_server::HttpServer;

/// The largest event of an asynchronous invocation, in bytes.
const MAX_ASYNC_EVENT: usize = 1024 * 1024;

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(1);

type Functions = Arc<BTreeMap<String, Function>>;
type Reply = Response<Full<Bytes>>;

/// A reply in place of an invocation; boxed because it is rare and large.
type Refusal = Box<Reply>;

/// A server for `Invoke`; dropping it closes its connections.
pub struct ControlPlane {
    http: HttpServer,
}

impl ControlPlane {
    /// Serves the functions by their names at `address`; port 0 picks a free one.
    pub async fn start(
        address: SocketAddr,
        functions: impl IntoIterator<Item = Function>,
    ) -> io::Result<Self> {
        let functions =
            functions.into_iter().map(|function| (function.name().to_owned(), function));
        let functions: Functions = Arc::new(functions.collect());
        let service = service_fn(move |request| {
            let functions = Arc::clone(&functions);
            async move {
                Ok::<_, Infallible>(
                    answer(&functions, request).await.unwrap_or_else(|refused| *refused),
                )
            }
        });
        Ok(Self { http: HttpServer::start(address, service).await? })
    }

    /// The endpoint URL for Lambda clients.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// Stops accepting and closes; invocations go on.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}

async fn answer(functions: &Functions, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let function = find(functions, &request)?;
    let (parts, body) = request.into_parts();
    let kind =
        text(&parts.headers, "x-amz-invocation-type").unwrap_or("RequestResponse").to_owned();
    let limit = if kind == "Event" { MAX_ASYNC_EVENT } else { MAX_EVENT };
    let event = Limited::new(body, limit)
        .collect()
        .await
        .map_err(|error| unreadable(&*error, limit))?
        .to_bytes();
    // Lambda takes a call without a payload as the event `{}`.
    let event = if event.is_empty() { Bytes::from_static(b"{}") } else { event };
    if let Err(error) = serde_json::from_slice::<&serde_json::value::RawValue>(&event) {
        let message = format!("Could not parse request body into json: {error}");
        return Err(error_reply(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            &message,
        ));
    }
    let options = options(&parts.headers)?;
    match kind.as_str() {
        "RequestResponse" => {
            let completed =
                function.call(event, options).await.map_err(|error| service_error(&error))?;
            Ok(payload(completed, text(&parts.headers, "x-amz-log-type") == Some("Tail")).await)
        }
        "Event" => {
            let function = function.clone();
            // Its result goes nowhere: no destination can be configured here.
            tokio::spawn(async move { drop(function.call(event, options).await) });
            Ok(empty(StatusCode::ACCEPTED))
        }
        "DryRun" => Ok(empty(StatusCode::NO_CONTENT)),
        other => {
            let message = format!("{other} is not an invocation type");
            Err(error_reply(StatusCode::BAD_REQUEST, "InvalidParameterValueException", &message))
        }
    }
}

fn find<'a>(
    functions: &'a Functions,
    request: &Request<Incoming>,
) -> Result<&'a Function, Refusal> {
    let path = request.uri().path();
    let name = path
        .strip_prefix("/2015-03-31/functions/")
        .and_then(|rest| rest.strip_suffix("/invocations"));
    let (Some(name), &Method::POST) = (name, request.method()) else {
        let message = format!("the local cloud has no call {} {path}", request.method());
        return Err(error_reply(StatusCode::NOT_FOUND, "UnknownOperationException", &message));
    };
    let name = percent_decode_str(name).decode_utf8_lossy();
    // An ARN, `account:function:name` or a name, each with a qualifier or without.
    let plain = name.rsplit_once("function:").map_or(&*name, |(_, name)| name);
    let plain = plain.split(':').next().unwrap_or(plain);
    functions.get(plain).ok_or_else(|| {
        let message = format!("Function not found: {name}");
        error_reply(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message)
    })
}

fn options(headers: &HeaderMap) -> Result<InvokeOptions, Refusal> {
    let client_context = match text(headers, "x-amz-client-context") {
        None => None,
        Some(encoded) => {
            let decoded =
                STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(decoded.ok_or_else(|| {
                let message = "Client context must be a valid Base64-encoded JSON object.";
                error_reply(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
            })?)
        }
    };
    Ok(InvokeOptions {
        client_context,
        tenant: text(headers, "x-amz-tenant-id").map(str::to_owned),
        trace_id: text(headers, "x-amzn-trace-id").map(str::to_owned),
    })
}

async fn payload(completed: Completed, with_log: bool) -> Reply {
    let (kind, payload) = match completed.answer.into_buffered().await {
        Answer::Buffered(payload) => (None, payload),
        Answer::FunctionError { kind, payload } => (Some(kind), payload),
        // `into_buffered` leaves no stream.
        Answer::Streaming(_) => (None, Bytes::new()),
    };
    let mut response = Response::new(Full::new(payload));
    let log = with_log.then(|| STANDARD.encode(completed.log_tail));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    if let Some(kind) = kind {
        headers.insert("x-amz-function-error", HeaderValue::from_static(kind));
    }
    for (name, value) in
        [("x-amzn-requestid", Some(completed.request_id)), ("x-amz-log-result", log)]
    {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn service_error(error: &InvokeError) -> Refusal {
    let (status, name) = match error {
        InvokeError::EventTooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException")
        }
        InvokeError::Option { .. } => (StatusCode::BAD_REQUEST, "InvalidRequestContentException"),
        InvokeError::Launch { .. } | InvokeError::Stopped => {
            (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException")
        }
    };
    error_reply(status, name, &error.to_string())
}

fn unreadable(error: &(dyn std::error::Error + Send + Sync + 'static), limit: usize) -> Refusal {
    if error.is::<LengthLimitError>() {
        let message =
            format!("Request must be smaller than {limit} bytes for the Invoke operation");
        return error_reply(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
    }
    error_reply(
        StatusCode::BAD_REQUEST,
        "InvalidRequestContentException",
        "the request body broke off",
    )
}

fn error_reply(status: StatusCode, name: &'static str, message: &str) -> Refusal {
    let body = serde_json::json!({ "Type": "User", "Message": message, "message": message });
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
    Box::new(response)
}

fn empty(status: StatusCode) -> Reply {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
