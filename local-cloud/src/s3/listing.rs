//! One page of a bucket's keys: byte order, prefix, delimiter and where to go on, as `ListObjects` and `ListObjectsV2`
//! have them (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::record::Object;

/// What to list.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    /// Empty means none.
    pub(crate) delimiter: &'a str,
    /// Keys up to and including this one are passed over, and so is the common prefix that it lies in.
    pub(crate) after: &'a str,
    /// Keys and common prefixes together.
    pub(crate) limit: usize,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Arc<Object>>,
    pub(crate) prefixes: Vec<String>,
    /// Where the next page goes on after; absent when nothing is left.
    pub(crate) next: Option<String>,
}

/// Reads one page out of an index.
pub(crate) fn page(index: &BTreeMap<String, Arc<Object>>, query: &Query<'_>) -> Page {
    let mut page = Page::default();
    let mut last = String::new();
    let start = match query.after {
        after if after >= query.prefix && !after.is_empty() => Bound::Excluded(after),
        _ => Bound::Included(query.prefix),
    };
    for (key, object) in index.range::<str, _>((start, Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(query.prefix) else { break };
        let common = common_prefix(key, rest, query.delimiter);
        if let Some(common) = common
            && (page.prefixes.last().is_some_and(|known| known == common)
                || query.after.starts_with(common))
        {
            continue;
        }
        if page.objects.len() + page.prefixes.len() >= query.limit {
            page.next = Some(last).filter(|_| query.limit > 0);
            break;
        }
        common.unwrap_or(key).clone_into(&mut last);
        match common {
            Some(common) => page.prefixes.push(common.to_owned()),
            None => page.objects.push(Arc::clone(object)),
        }
    }
    page
}

/// The key up to the first delimiter after the prefix, delimiter included.
fn common_prefix<'a>(key: &'a str, rest: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let end = key.len() - rest.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::record::{Checksums, Headers};

    fn index(keys: &[&str]) -> BTreeMap<String, Arc<Object>> {
        let object = |key: &str| Object {
            key: key.to_owned(),
            etag: String::new(),
            size: 0,
            modified: 0,
            data: String::new(),
            headers: Headers::default(),
            checksums: Checksums::default(),
        };
        keys.iter().map(|key| ((*key).to_owned(), Arc::new(object(key)))).collect()
    }

    /// Pages through to the end; a common prefix is shown in brackets.
    fn walk(keys: &[&str], prefix: &str, delimiter: &str, limit: usize) -> Vec<String> {
        let index = index(keys);
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = page(&index, &Query { prefix, delimiter, after: &after, limit });
            assert!(page.objects.len() + page.prefixes.len() <= limit);
            found.extend(page.objects.iter().map(|object| object.key.clone()));
            found.extend(page.prefixes.iter().map(|prefix| format!("[{prefix}]")));
            match page.next {
                Some(next) => after = next,
                None => return found,
            }
        }
    }

    const KEYS: [&str; 8] = ["a", "a-b", "a/b", "a/c/d", "a//b", "b/1", "b/2", "é"];

    #[test]
    fn keys_come_in_byte_order() {
        assert_eq!(
            walk(&KEYS, "", "", 1000),
            ["a", "a-b", "a//b", "a/b", "a/c/d", "b/1", "b/2", "é"]
        );
    }

    #[test]
    fn paging_neither_drops_nor_repeats() {
        for limit in 1..9 {
            assert_eq!(walk(&KEYS, "", "", limit), walk(&KEYS, "", "", 1000), "limit {limit}");
            let mut folded = walk(&KEYS, "", "/", limit);
            folded.sort();
            assert_eq!(folded, ["[a/]", "[b/]", "a", "a-b", "é"], "limit {limit}");
        }
    }

    #[test]
    fn a_delimiter_folds_below_the_prefix() {
        assert_eq!(walk(&KEYS, "a/", "/", 1000), ["a/b", "[a//]", "[a/c/]"]);
        assert_eq!(walk(&KEYS, "a", "/", 1000), ["a", "a-b", "[a/]"]);
        assert_eq!(walk(&KEYS, "zzz", "/", 1000), [""; 0]);
    }

    #[test]
    fn a_limit_of_zero_is_an_empty_whole_page() {
        let page = page(&index(&KEYS), &Query { limit: 0, ..Query::default() });
        assert_eq!(page, Page::default());
    }
}
