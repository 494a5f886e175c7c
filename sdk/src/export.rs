//! What the attribute macros call; not for use by hand, and free to change in any release.

pub use crate::bindings::exports::lambkin::function::handler::Guest as Function;
pub use crate::bindings::lambkin::function::types::{Context as WireContext, FunctionError};
pub use crate::bindings::{self, export_function};
pub use wasip2;
pub use wasip2::exports::http::incoming_handler::Guest as Http;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::{Body, Context, Error, IntoResponse, error};
use http::{HeaderMap, Request, Response};
use serde::{Serialize, de::DeserializeOwned};
use std::io::Write as _;
use wstd::http::server::Responder;
use wstd::runtime::block_on;

/// Headers that belong to one connection: the host writes them itself and a guest may not.
///
/// Source: RFC 9110 section 7.6.1, and wasi-http's list of forbidden headers.
const CONNECTION_HEADERS: [&str; 9] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Calls a function handler with one event.
pub fn function<T, R, E, F>(
    event: &str,
    context: WireContext,
    handler: impl FnOnce(T, Context) -> F,
) -> Result<String, FunctionError>
where
    T: DeserializeOwned,
    R: Serialize,
    E: Into<Error>,
    F: Future<Output = Result<R, E>>,
{
    let event = serde_json::from_str(event).map_err(|error| error::unfit_event(&error))?;
    let answer = block_on(handler(event, context.into())).map_err(error::describe)?;
    serde_json::to_string(&answer).map_err(|error| error::unfit_answer(&error))
}

/// Calls a web handler with one request and sends its response, body and all.
///
/// An error of the handler goes to standard error with its causes, and to the host as `internal-error`; an error
/// after the response has begun leaves the body unfinished, which the host reports to the client.
pub fn http<R, E, F>(
    request: IncomingRequest,
    answer: ResponseOutparam,
    handler: impl FnOnce(Request<Body>) -> F,
) where
    R: IntoResponse,
    E: Into<Error>,
    F: Future<Output = Result<R, E>>,
{
    let responder = Responder::new(answer);
    block_on(async move {
        match respond(request, handler).await {
            Ok(response) => {
                if let Err(error) = responder.respond(response).await {
                    report(&format!("the response was not sent: {error:#}"));
                }
            }
            Err(error) => {
                report(&text(&error));
                responder.fail(wstd::http::Error::msg(error.error_message));
            }
        }
    });
}

async fn respond<R, E, F>(
    request: IncomingRequest,
    handler: impl FnOnce(Request<Body>) -> F,
) -> Result<Response<Body>, FunctionError>
where
    R: IntoResponse,
    E: Into<Error>,
    F: Future<Output = Result<R, E>>,
{
    let request = wstd::http::request::try_from_incoming(request)
        .map_err(|error| error::describe::<Error>(error.into()))?;
    let answer = handler(request).await.map_err(error::describe)?;
    let mut response = answer.into_response().map_err(error::describe)?;
    drop_connection_headers(response.headers_mut());
    Ok(response)
}

fn drop_connection_headers(headers: &mut HeaderMap) {
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
}

fn text(error: &FunctionError) -> String {
    let mut lines = vec![format!("{}: {}", error.error_type, error.error_message)];
    lines.extend(error.stack_trace.iter().cloned());
    lines.join("\n")
}

/// Writes to the guest's standard error; where there is none, there is nobody to tell.
fn report(message: &str) {
    drop(writeln!(std::io::stderr(), "{message}"));
}

#[cfg(test)]
mod tests {
    use super::{drop_connection_headers, text};
    use crate::error::describe;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn headers_of_the_connection_are_left_to_the_host() {
        let mut headers = HeaderMap::new();
        headers.insert("connection", HeaderValue::from_static("close"));
        headers.insert("x-kept", HeaderValue::from_static("yes"));
        drop_connection_headers(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-kept"], "yes");
    }

    #[test]
    fn an_error_is_logged_with_its_type() {
        assert_eq!(text(&describe("boom")), "Error: boom");
    }
}
