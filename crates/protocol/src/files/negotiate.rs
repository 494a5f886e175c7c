//! Which form of a file a client takes (RFC 9110 section 12.5.3), and whether it asks for a page.

use http::{HeaderMap, header};

use super::index::{Encoding, File};

/// The encoding that the client likes best of those that the file has: by weight, then by size. None for the file as it
/// is.
pub(super) fn encoding(file: &File, headers: &HeaderMap) -> Option<Encoding> {
    let accepted = accepted(headers);
    let weight = |name: &str| {
        let of = |wanted: &str| {
            accepted.iter().find(|(given, _)| given == wanted).map(|(_, weight)| *weight)
        };
        of(name).or_else(|| of("*"))
    };
    // Without a word about it, the file as it is will do, but what was named is liked better.
    let plain = weight("identity").unwrap_or(1);
    let liked = |(encoding, variant): (&Encoding, &super::Variant)| {
        let weight =
            weight(encoding.as_str()).filter(|weight| *weight > 0 && *weight >= plain.min(1))?;
        Some((weight, std::cmp::Reverse(variant.size), *encoding))
    };
    let (best, _, encoding) = file.encodings.iter().filter_map(liked).max()?;
    let is_plain_named = accepted.iter().any(|(name, _)| name == "identity");
    (!is_plain_named || best >= plain).then_some(encoding)
}

/// The names in `Accept-Encoding` in lower case, each with its weight in thousandths.
fn accepted(headers: &HeaderMap) -> Vec<(String, u16)> {
    let values =
        headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let one = |item: &str| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((name, weight.map_or(1000, thousandths)))
    };
    values.flat_map(|value| value.split(',')).filter_map(one).collect()
}

/// A weight as RFC 9110 section 12.4.2 writes it; one that cannot be read refuses.
fn thousandths(text: &str) -> u16 {
    let weight: f32 = text.trim().parse().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and 1000"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0).round() as u16;
    thousandths
}

/// Whether the client may want a page here: it says so, as a browser does that follows a link, or it takes anything and
/// the path does not look like a file's.
pub(super) fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let name = path.rsplit('/').next().unwrap_or_default();
    accept.contains("text/html") || (accept.contains("*/*") && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::files::Variant;

    #[test]
    fn the_client_chooses_by_weight_and_we_by_size() {
        let variant = |size| Variant { digest: String::new(), size };
        let encodings = [
            (Encoding::Br, variant(10)),
            (Encoding::Gzip, variant(12)),
            (Encoding::Zstd, variant(11)),
        ];
        let file = File {
            content_type: "text/html".to_owned(),
            plain: variant(100),
            encodings: encodings.into(),
        };
        let check = |accept: &'static str, expected: Option<Encoding>| {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
            assert_eq!(encoding(&file, &headers), expected, "{accept}");
        };
        check("gzip, deflate, br, zstd", Some(Encoding::Br));
        check("gzip, zstd", Some(Encoding::Zstd));
        check("GZIP", Some(Encoding::Gzip));
        check("br;q=0.5, gzip;q=0.8", Some(Encoding::Gzip));
        check("br;q=0, *", Some(Encoding::Zstd));
        check("identity", None);
        check("identity, gzip;q=0.5", None);
        check("gzip;q=0.5", Some(Encoding::Gzip));
        check("deflate", None);
        check("*;q=0", None);
        check("br;q=x", None);
        assert_eq!(encoding(&file, &HeaderMap::new()), None);
    }
}
