//! `Invoke`: for its answer, for later, or only to see whether it would be let in
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::reply::{Refusal, empty, refuse, service_error, set};
use crate::http_server::{AwsReply, whole};
use crate::lambda::{Answer, Completed, Function, InvokeOptions, MAX_ASYNC_EVENT, MAX_EVENT};

pub(super) async fn call(
    function: &Function,
    request: Request<Incoming>,
) -> Result<AwsReply, Refusal> {
    let kind = text(request.headers(), "x-amz-invocation-type").unwrap_or("RequestResponse");
    let limit = match kind {
        "RequestResponse" | "DryRun" => MAX_EVENT,
        "Event" => MAX_ASYNC_EVENT,
        other => {
            let message = format!("{other} is not an invocation type");
            let name = "InvalidParameterValueException";
            return Err(refuse(StatusCode::BAD_REQUEST, name, &message));
        }
    };
    let (kind, tail) = (kind.to_owned(), wants_tail(request.headers()));
    let (event, options) = event(request, limit).await?;
    match &*kind {
        "DryRun" => Ok(empty(StatusCode::NO_CONTENT)),
        "Event" => {
            let id = function.queue(event, options).map_err(|error| service_error(&error))?;
            let mut response = empty(StatusCode::ACCEPTED);
            set(&mut response, "x-amzn-requestid", &id);
            Ok(response)
        }
        _ => {
            let completed =
                function.call(event, options).await.map_err(|error| service_error(&error))?;
            Ok(payload(completed, tail).await)
        }
    }
}

/// The event and what is said beside it.
pub(super) async fn event(
    request: Request<Incoming>,
    limit: usize,
) -> Result<(Bytes, InvokeOptions), Refusal> {
    let options = options(request.headers())?;
    let event = Limited::new(request.into_body(), limit)
        .collect()
        .await
        .map_err(|error| unreadable(&*error, limit))?
        .to_bytes();
    // Lambda takes a call without a payload as the event `{}`.
    let event = if event.is_empty() { Bytes::from_static(b"{}") } else { event };
    if let Err(error) = serde_json::from_slice::<&serde_json::value::RawValue>(&event) {
        let message = format!("Could not parse request body into json: {error}");
        return Err(refuse(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message));
    }
    Ok((event, options))
}

/// Whether the caller asks for the end of the log.
pub(super) fn wants_tail(headers: &HeaderMap) -> bool {
    text(headers, "x-amz-log-type") == Some("Tail")
}

fn options(headers: &HeaderMap) -> Result<InvokeOptions, Refusal> {
    let client_context = match text(headers, "x-amz-client-context") {
        None => None,
        Some(encoded) => {
            let decoded =
                STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(decoded.ok_or_else(|| {
                let message = "Client context must be a valid Base64-encoded JSON object.";
                refuse(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
            })?)
        }
    };
    Ok(InvokeOptions {
        client_context,
        tenant: text(headers, "x-amz-tenant-id").map(str::to_owned),
        trace_id: text(headers, "x-amzn-trace-id").map(str::to_owned),
    })
}

async fn payload(completed: Completed, with_log: bool) -> AwsReply {
    let Completed { request_id, mut answer, mut log_tail } = completed;
    if let Answer::Streaming(mut streaming) = answer {
        (answer, log_tail) = streaming.collect().await;
    }
    let (kind, payload) = match answer {
        Answer::Buffered(payload) => (None, payload),
        Answer::FunctionError { kind, payload } => (Some(kind), payload),
        // `into_buffered` leaves no stream.
        Answer::Streaming(_) => (None, Bytes::new()),
    };
    let mut response = Response::new(whole(payload));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    set(&mut response, "x-amz-executed-version", "$LATEST");
    set(&mut response, "x-amzn-requestid", &request_id);
    if let Some(kind) = kind {
        set(&mut response, "x-amz-function-error", kind);
    }
    if with_log {
        set(&mut response, "x-amz-log-result", &STANDARD.encode(log_tail));
    }
    response
}

fn unreadable(error: &(dyn std::error::Error + Send + Sync + 'static), limit: usize) -> Refusal {
    if error.is::<LengthLimitError>() {
        let message =
            format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
    }
    let message = "the request body broke off";
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
