//! Headers as the JSON of an answer has them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, header};

/// A header's value as text. Bytes that are not UTF-8 are taken as Latin-1, as HTTP/1.1 once meant them.
pub(super) fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.as_bytes().iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// All values of each header, but for cookies.
pub(super) fn without_cookies(headers: &HeaderMap) -> BTreeMap<&str, Vec<Cow<'_, str>>> {
    let names = headers.keys().filter(|name| *name != header::SET_COOKIE);
    names.map(|name| (name.as_str(), headers.get_all(name).iter().map(text).collect())).collect()
}

/// One value for each header but cookies, where several are joined by a comma (RFC 9110 section 5.3).
pub(super) fn joined(headers: &HeaderMap) -> BTreeMap<&str, String> {
    without_cookies(headers).into_iter().map(|(name, values)| (name, values.join(","))).collect()
}

/// The values of `set-cookie`.
pub(super) fn cookies(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    headers.get_all(header::SET_COOKIE).iter().map(text).collect()
}
