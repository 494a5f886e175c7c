//! The head of a streamed answer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::response::Parts;
use serde::Serialize;

use super::fields::{cookies, joined};

/// What ends the head: eight zero bytes, which the body follows as it is.
pub const STREAM_PRELUDE_END: [u8; 8] = [0; 8];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prelude<'a> {
    status_code: u16,
    headers: BTreeMap<&'a str, String>,
    /// AWS does without an empty list; cargo-lambda's emulator does not.
    cookies: Vec<Cow<'a, str>>,
}

/// The head of an answer with the content type `application/vnd.awslambda.http-integration-response`: JSON, which
/// [`STREAM_PRELUDE_END`] follows.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>.
pub fn stream_prelude(parts: &Parts) -> Vec<u8> {
    let headers = &parts.headers;
    let prelude = Prelude {
        status_code: parts.status.as_u16(),
        headers: joined(headers),
        cookies: cookies(headers),
    };
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_vec(&prelude).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_status_headers_and_cookies() {
        let response = http::Response::builder()
            .status(201)
            .header("x-multi", "one")
            .header("x-multi", "two")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2; Path=/");
        let (parts, ()) = response.body(()).unwrap().into_parts();
        let expected = br#"{"statusCode":201,"headers":{"x-multi":"one,two"},"cookies":["a=1","b=2; Path=/"]}"#;
        assert_eq!(stream_prelude(&parts), expected);
    }
}
