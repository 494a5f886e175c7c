//! What a gateway makes of a function's payload, by the rules recorded from AWS.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use super::MalformedAnswer;
use crate::content::media_matches;
use crate::encoding::from_base64;
use crate::event::Format;

/// The members a REST API lets an answer have.
const REST_KEYS: [&str; 5] =
    ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");

/// The response that the client gets for a function's payload.
///
/// - Format 2.0 and function URLs: JSON without `statusCode` is itself the body of a 200, a string without its
///   quotes; unknown members are ignored; an HTTP API takes an object with `errorMessage` for a failure.
/// - Format 1.0: `statusCode` is needed, unknown members are ignored.
/// - REST: unknown members are refused, and base64 is left as it is (see [`interpret_rest`] for binary media types).
/// - ALB: `statusCode` is needed; headers are read in the one form the target group has.
///
/// For a malformed answer the client gets [`failure`](super::failure).
pub fn interpret(format: Format, payload: &[u8]) -> Result<Response<Bytes>, MalformedAnswer> {
    match format {
        Format::RestV1 => interpret_rest(payload, &[], None),
        Format::HttpV2 | Format::FunctionUrl => format_2(format, payload),
        Format::HttpV1 | Format::Alb { .. } => {
            let answer = Answer::parse(payload)?;
            let status =
                answer.status()?.ok_or(MalformedAnswer::Missing { field: "statusCode" })?;
            let (single, multi) = match format {
                Format::Alb { multi_value } => (!multi_value, multi_value),
                _ => (true, true),
            };
            let headers = answer.headers(single.into(), multi.into())?;
            let default = matches!(format, Format::HttpV1).then_some(PLAIN);
            Ok(response(status, headers, answer.decoded_body()?, default))
        }
    }
}

/// The response of a REST API that has these binary media types, to a request with this `accept` header.
///
/// Base64 is decoded when the first media type of `accept`, or without one the answer's content type, is among them
/// (`*/*` and `image/*` match by kind).
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html>.
pub fn interpret_rest(
    payload: &[u8],
    binary_media_types: &[&str],
    accept: Option<&str>,
) -> Result<Response<Bytes>, MalformedAnswer> {
    let answer = Answer::parse(payload)?;
    if let Some(key) = answer.0.keys().find(|key| !REST_KEYS.contains(&key.as_str())) {
        return Err(MalformedAnswer::UnknownKey { key: key.clone() });
    }
    let status = answer.status()?.unwrap_or(StatusCode::OK);
    let headers = answer.headers(Read::Yes, Read::Yes)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let wanted = accept.or(content_type).unwrap_or("application/json");
    let is_binary = binary_media_types.iter().any(|known| media_matches(known, wanted));
    let body = if is_binary { answer.decoded_body()? } else { answer.text()?.into_owned().into() };
    answer.is_base64()?;
    Ok(response(status, headers, body, Some(JSON)))
}

fn format_2(format: Format, payload: &[u8]) -> Result<Response<Bytes>, MalformedAnswer> {
    let value: Value = serde_json::from_slice(payload).map_err(|_| MalformedAnswer::NotJson)?;
    let body = match value {
        Value::Object(members) if members.contains_key("statusCode") => {
            return structured(format, &Answer(members));
        }
        Value::Object(members)
            if format == Format::HttpV2 && members.contains_key("errorMessage") =>
        {
            let message =
                members.get("errorMessage").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Err(MalformedAnswer::Failure { message });
        }
        Value::String(text) => Bytes::from(text),
        _ => Bytes::from(compact(payload)),
    };
    Ok(response(StatusCode::OK, HeaderMap::new(), body, Some(JSON)))
}

fn structured(format: Format, answer: &Answer) -> Result<Response<Bytes>, MalformedAnswer> {
    let status = answer.status()?.unwrap_or(StatusCode::OK);
    let mut headers = HeaderMap::new();
    for cookie in answer.cookies()? {
        append(&mut headers, "set-cookie", cookie)?;
    }
    answer.append_headers(&mut headers, Read::Yes, Read::No)?;
    let default = if format == Format::HttpV2 { PLAIN } else { JSON };
    Ok(response(status, headers, answer.decoded_body()?, Some(default)))
}

fn response(
    status: StatusCode,
    mut headers: HeaderMap,
    body: Bytes,
    content_type: Option<HeaderValue>,
) -> Response<Bytes> {
    if let Some(default) = content_type {
        headers.entry(header::CONTENT_TYPE).or_insert(default);
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// JSON without the white space between its tokens, members in their order.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |byte: &u8| {
        let kept = in_string || !byte.is_ascii_whitespace();
        match byte {
            b'"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped;
        kept
    };
    json.iter().copied().filter(keep).collect()
}

/// Whether a form of headers is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    Yes,
    No,
}

impl From<bool> for Read {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The members of a structured answer.
struct Answer(Map<String, Value>);

impl Answer {
    fn parse(payload: &[u8]) -> Result<Self, MalformedAnswer> {
        match serde_json::from_slice(payload) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(MalformedAnswer::NotAnObject),
            Err(_) => Err(MalformedAnswer::NotJson),
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A number, or a string that is one.
    fn status(&self) -> Result<Option<StatusCode>, MalformedAnswer> {
        let Some(value) = self.get("statusCode") else { return Ok(None) };
        let number = match value {
            Value::String(text) => text.parse::<u16>().ok(),
            other => other.as_u64().and_then(|number| u16::try_from(number).ok()),
        };
        let status = number.and_then(|number| StatusCode::from_u16(number).ok());
        status.map(Some).ok_or(MalformedAnswer::Field { field: "statusCode" })
    }

    fn headers(&self, single: Read, multi: Read) -> Result<HeaderMap, MalformedAnswer> {
        let mut headers = HeaderMap::new();
        self.append_headers(&mut headers, single, multi)?;
        Ok(headers)
    }

    /// The multi-value headers first, then the others.
    fn append_headers(
        &self,
        headers: &mut HeaderMap,
        single: Read,
        multi: Read,
    ) -> Result<(), MalformedAnswer> {
        const MULTI: &str = "multiValueHeaders";
        if multi == Read::Yes {
            for (name, values) in self.object(MULTI)? {
                let values = values.as_array().ok_or(MalformedAnswer::Field { field: MULTI })?;
                for value in values {
                    append(headers, name, scalar(value, MULTI)?.as_ref())?;
                }
            }
        }
        if single == Read::Yes {
            for (name, value) in self.object("headers")?.filter(|(_, value)| !value.is_null()) {
                append(headers, name, scalar(value, "headers")?.as_ref())?;
            }
        }
        Ok(())
    }

    fn object(
        &self,
        field: &'static str,
    ) -> Result<impl Iterator<Item = (&String, &Value)>, MalformedAnswer> {
        let object =
            self.get(field).map(|value| value.as_object().ok_or(MalformedAnswer::Field { field }));
        Ok(object.transpose()?.into_iter().flatten())
    }

    fn cookies(&self) -> Result<Vec<&str>, MalformedAnswer> {
        const BAD: MalformedAnswer = MalformedAnswer::Field { field: "cookies" };
        let Some(cookies) = self.get("cookies") else { return Ok(Vec::new()) };
        cookies.as_array().ok_or(BAD)?.iter().map(|cookie| cookie.as_str().ok_or(BAD)).collect()
    }

    fn text(&self) -> Result<Cow<'_, str>, MalformedAnswer> {
        self.get("body").map_or(Ok(Cow::Borrowed("")), |body| scalar(body, "body"))
    }

    fn is_base64(&self) -> Result<bool, MalformedAnswer> {
        match self.get("isBase64Encoded") {
            None => Ok(false),
            Some(value) => {
                value.as_bool().ok_or(MalformedAnswer::Field { field: "isBase64Encoded" })
            }
        }
    }

    fn decoded_body(&self) -> Result<Bytes, MalformedAnswer> {
        let text = self.text()?;
        if self.is_base64()? {
            return from_base64(&text)
                .map(Bytes::from)
                .map_err(|_| MalformedAnswer::Field { field: "body" });
        }
        Ok(text.into_owned().into())
    }
}

/// A string as it is; a number or a boolean as it is written.
fn scalar<'a>(value: &'a Value, field: &'static str) -> Result<Cow<'a, str>, MalformedAnswer> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Ok(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(MalformedAnswer::Field { field }),
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), MalformedAnswer> {
    let refused = || MalformedAnswer::Header { name: name.to_owned() };
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| refused())?;
    headers.append(header, value);
    Ok(())
}
