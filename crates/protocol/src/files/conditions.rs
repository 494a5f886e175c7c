//! Conditional and range requests (RFC 9110 sections 13 and 14), for representations with strong tags and no time.

use std::ops::Range;

use http::{HeaderMap, HeaderName, header};

/// Which bytes are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All: no range, one that is not understood, several, or one of another version.
    Whole,
    /// These.
    Bytes(Range<u64>),
    /// Some that are not there.
    Unsatisfiable,
}

/// Whether the client has what `tag` names.
pub(super) fn is_known(tag: &str, headers: &HeaderMap) -> bool {
    // Compared weakly, as section 13.1.2 says: a proxy that compressed the body made the tag weak.
    tags(headers, header::IF_NONE_MATCH).is_some_and(|known| {
        known.iter().any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    })
}

/// Whether the client insists on another version than `tag`.
pub(super) fn is_other(tag: &str, headers: &HeaderMap) -> bool {
    tags(headers, header::IF_MATCH)
        .is_some_and(|wanted| !wanted.iter().any(|wanted| wanted == "*" || wanted == tag))
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Option<Vec<String>> {
    let mut values =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).peekable();
    values.peek()?;
    Some(values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect())
}

/// The bytes that are asked for of `size`.
pub(super) fn part(tag: &str, size: u64, headers: &HeaderMap) -> Part {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(range) = text(header::RANGE) else { return Part::Whole };
    if headers.contains_key(header::IF_RANGE) && text(header::IF_RANGE) != Some(tag) {
        return Part::Whole;
    }
    let Some(("bytes", bounds)) = range.split_once('=') else { return Part::Whole };
    // The whole answers several ranges as well, and no part of it can be asked for out of proportion.
    let Some((first, last)) = bounds.trim().split_once('-').filter(|_| !bounds.contains(','))
    else {
        return Part::Whole;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(last)) if first.is_empty() => (size.saturating_sub(last), size),
        _ => return Part::Whole,
    };
    if start < end { Part::Bytes(start..end) } else { Part::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn ranges_are_cut_to_the_file_and_odd_ones_ask_for_all_of_it() {
        let check = |range: &'static str, expected: Part| {
            assert_eq!(part("\"a\"", 10, &headers(&[(header::RANGE, range)])), expected, "{range}");
        };
        check("bytes=0-3", Part::Bytes(0..4));
        check("bytes=4-", Part::Bytes(4..10));
        check("bytes=-3", Part::Bytes(7..10));
        check("bytes=-30", Part::Bytes(0..10));
        check("bytes=8-99", Part::Bytes(8..10));
        check("bytes=10-", Part::Unsatisfiable);
        check("bytes=-0", Part::Unsatisfiable);
        for odd in ["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=", "bytes=a-b", "0-3"] {
            check(odd, Part::Whole);
        }
        assert_eq!(part("\"a\"", 0, &headers(&[(header::RANGE, "bytes=0-")])), Part::Unsatisfiable);
    }

    #[test]
    fn a_range_of_another_version_asks_for_all_of_this_one() {
        let of = |tag| headers(&[(header::RANGE, "bytes=0-3"), (header::IF_RANGE, tag)]);
        assert_eq!(part("\"a\"", 10, &of("\"a\"")), Part::Bytes(0..4));
        assert_eq!(part("\"a\"", 10, &of("\"b\"")), Part::Whole);
        assert_eq!(part("\"a\"", 10, &of("W/\"a\"")), Part::Whole);
        assert_eq!(part("\"a\"", 10, &of("Sat, 29 Oct 1994 19:43:31 GMT")), Part::Whole);
    }

    #[test]
    fn tags_are_compared_weakly_for_reading_and_strongly_for_a_precondition() {
        let none_match = |tags| is_known("\"a\"", &headers(&[(header::IF_NONE_MATCH, tags)]));
        assert!(none_match("\"b\", \"a\"") && none_match("W/\"a\"") && none_match("*"));
        assert!(!none_match("\"b\""));
        assert!(!is_known("\"a\"", &HeaderMap::new()));
        let other = |tags| is_other("\"a\"", &headers(&[(header::IF_MATCH, tags)]));
        assert!(other("\"b\"") && other("W/\"a\""));
        assert!(!other("*") && !other("\"a\""));
        assert!(!is_other("\"a\"", &HeaderMap::new()));
    }
}
