//! Writes a whole HTTP response as the JSON each format wants.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::response::Parts;
use serde::Serialize;

use super::fields::{cookies, joined, text, without_cookies};
use super::{AnswerError, MAX_PAYLOAD};
use crate::content::is_text_answer;
use crate::encoding::to_base64;
use crate::event::Format;

/// The members of all formats; each writes those it knows.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<&'a str, Vec<Cow<'a, str>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<Cow<'a, str>>>,
    body: Cow<'a, str>,
    #[serde(rename = "isBase64Encoded")]
    is_base64: bool,
}

/// The answer to an event of `format`: the JSON of `parts` and `body`.
///
/// The body is text when its content type says so and it is UTF-8, base64 otherwise and always when compressed.
/// Format 2.0 (and a function URL) has cookies apart and joins other repeated headers by a comma; format 1.0 and a
/// multi-value ALB repeat them; an ALB without multi-value headers gets repeated cookies under names that differ in case.
/// A REST API turns base64 into bytes only where its binary media types match (`*/*` is the usual setting).
pub fn buffered(format: Format, parts: &Parts, body: &[u8]) -> Result<Vec<u8>, AnswerError> {
    let text = if is_text_answer(&parts.headers) { std::str::from_utf8(body).ok() } else { None };
    let text = text.or_else(|| body.is_empty().then_some(""));
    let mut answer = Answer {
        status_code: parts.status.as_u16(),
        is_base64: text.is_none(),
        body: text.map_or_else(|| Cow::Owned(to_base64(body)), Cow::Borrowed),
        ..Answer::default()
    };
    answer.set_headers(format, parts);
    let size_hint = answer.body.len() + 1024;
    let mut json = Vec::with_capacity(size_hint);
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_writer(&mut json, &answer).unwrap_or_default();
    if json.len() > MAX_PAYLOAD {
        return Err(AnswerError::TooLarge {
            size: json.len(),
            body: body.len(),
            limit: MAX_PAYLOAD,
        });
    }
    Ok(json)
}

impl<'a> Answer<'a> {
    fn set_headers(&mut self, format: Format, parts: &'a Parts) {
        let headers = &parts.headers;
        match format {
            Format::HttpV2 | Format::FunctionUrl => {
                self.headers = Some(
                    joined(headers)
                        .into_iter()
                        .map(|(name, value)| (name.into(), value.into()))
                        .collect(),
                );
                // AWS does without an empty list; cargo-lambda's emulator does not.
                self.cookies = Some(cookies(headers));
            }
            Format::RestV1 | Format::HttpV1 => {
                let all = headers
                    .keys()
                    .map(|name| (name.as_str(), headers.get_all(name).iter().map(text).collect()));
                let (several, one): (BTreeMap<_, Vec<_>>, _) =
                    all.partition(|(_, values): &(_, Vec<_>)| values.len() > 1);
                self.headers = Some(
                    one.into_iter()
                        .map(|(name, values)| (name.into(), values.concat().into()))
                        .collect(),
                );
                self.multi_value_headers = (!several.is_empty()).then_some(several);
            }
            Format::Alb { multi_value } => {
                self.status_description = Some(description(parts));
                let cookies = cookies(headers);
                if multi_value {
                    let mut all = without_cookies(headers);
                    if !cookies.is_empty() {
                        all.insert("set-cookie", cookies);
                    }
                    self.multi_value_headers = Some(all);
                } else {
                    let joined = joined(headers)
                        .into_iter()
                        .map(|(name, value)| (name.into(), value.into()));
                    let spelled = cookies
                        .into_iter()
                        .enumerate()
                        .map(|(index, cookie)| (spelling(index), cookie));
                    self.headers = Some(joined.chain(spelled).collect());
                }
            }
        }
    }
}

/// `200 OK`, as an ALB wants its status description.
fn description(parts: &Parts) -> String {
    let reason = parts.status.canonical_reason().unwrap_or("Unknown");
    format!("{} {reason}", parts.status.as_u16())
}

/// The `index`th spelling of `set-cookie`: the bits of `index` are its capitals. There are 512, more than a response's
/// headers may hold.
fn spelling(index: usize) -> Cow<'static, str> {
    let mut bits = index;
    let spell = |letter: char| {
        if !letter.is_ascii_alphabetic() {
            return letter;
        }
        let is_capital = bits & 1 == 1;
        bits >>= 1;
        if is_capital { letter.to_ascii_uppercase() } else { letter }
    };
    "set-cookie".chars().map(spell).collect::<String>().into()
}
