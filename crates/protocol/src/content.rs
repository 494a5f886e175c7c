//! Which bodies travel inside JSON as text and which as base64.

use http::{HeaderMap, header};

/// Whether an answer of this content type and encoding is text, if it is UTF-8 at all.
///
/// Text are `text/*`, `application/json|javascript|xml|yaml` and any subtype ending in `+json`, `+xml` or `+yaml`, the
/// rule of AWS's `lambda_http`. A compressed body never is. An answer without a content type is taken as text, since
/// a REST API without binary media types would hand its base64 to the client undecoded.
pub(crate) fn is_text_answer(headers: &HeaderMap) -> bool {
    if is_compressed(headers) {
        return false;
    }
    let Some(media) = media_type(headers) else {
        return !headers.contains_key(header::CONTENT_TYPE);
    };
    let Some((kind, subtype)) = media.split_once('/') else { return false };
    match kind {
        "text" => true,
        "application" if matches!(subtype, "json" | "javascript" | "xml" | "yaml") => true,
        _ => ["+json", "+xml", "+yaml"].iter().any(|suffix| subtype.ends_with(suffix)),
    }
}

/// Whether an HTTP API hands a request body of this content type to the function as text: `text/*` and
/// `application/json|xml|javascript`. All else is base64, a missing content type and a web form too.
pub(crate) fn is_text_request(headers: &HeaderMap) -> bool {
    if is_compressed(headers) {
        return false;
    }
    let Some(media) = media_type(headers) else { return false };
    media.starts_with("text/")
        || matches!(
            media.as_str(),
            "application/json" | "application/xml" | "application/javascript"
        )
}

/// Whether a media type, or the first of a list, is the one that a REST API knows, such as `image/png`, `image/*` or `*/*`.
pub(crate) fn media_matches(known: &str, wanted: &str) -> bool {
    let wanted = wanted.split([',', ';']).next().unwrap_or(wanted).trim();
    let kind = |media: &str| media.split('/').next().unwrap_or_default().to_ascii_lowercase();
    known == "*/*"
        || known.eq_ignore_ascii_case(wanted)
        || (known.ends_with("/*") && kind(known) == kind(wanted))
}

fn is_compressed(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The content type without its parameters, in lower case.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split(';').next().unwrap_or(value).trim();
    (!media.is_empty()).then(|| media.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    #[test]
    fn answers_are_text_by_their_content_type() {
        for text in [
            "text/html; charset=utf-8",
            "Application/JSON",
            "application/problem+json",
            "image/svg+xml",
            "application/yaml",
        ] {
            assert!(is_text_answer(&headers(text)), "{text}");
        }
        for binary in [
            "image/png",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "nonsense",
            "",
        ] {
            assert!(!is_text_answer(&headers(binary)), "{binary}");
        }
        assert!(is_text_answer(&HeaderMap::new()));
        let mut compressed = headers("text/plain");
        compressed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!is_text_answer(&compressed));
    }

    #[test]
    fn requests_are_text_for_the_few_types_that_aws_lists() {
        for text in [
            "text/csv",
            "application/json;charset=utf-8",
            "application/xml",
            "application/javascript",
        ] {
            assert!(is_text_request(&headers(text)), "{text}");
        }
        for binary in
            ["application/problem+json", "application/x-www-form-urlencoded", "multipart/form-data"]
        {
            assert!(!is_text_request(&headers(binary)), "{binary}");
        }
        assert!(!is_text_request(&HeaderMap::new()));
    }
}
