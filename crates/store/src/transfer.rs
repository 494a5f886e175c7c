//! Reads one large object as several ranges at once, in order.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt as _};

use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::objects::Objects;

/// An object up to this size is one request. S3 serves one connection at 80-100 MB/s
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html>), so a part
/// takes about 50 ms.
const PART: u64 = 4 * 1024 * 1024;
/// How many parts are under way at once, which also bounds the memory held to this many parts.
const PARALLEL: usize = 4;

/// The object's bytes from its start to its end. The first part tells how many more there are.
pub(crate) async fn parts(
    objects: Arc<dyn Objects>,
    key: &str,
    deadline: Deadline,
) -> Result<impl Stream<Item = Result<Bytes, ReadError>> + Send + use<>, ReadError> {
    let first = objects.part(key, 0..PART, deadline).await?;
    let key: Arc<str> = Arc::from(key);
    let rest = stream::iter(ranges(first.total))
        .map(move |range| {
            let (objects, key) = (Arc::clone(&objects), Arc::clone(&key));
            async move { objects.part(&key, range, deadline).await.map(|part| part.bytes) }
        })
        .buffered(PARALLEL);
    Ok(stream::iter([Ok(first.bytes)]).chain(rest))
}

/// The whole object in memory.
pub(crate) async fn whole(
    objects: Arc<dyn Objects>,
    key: &str,
    deadline: Deadline,
) -> Result<Bytes, ReadError> {
    let mut parts = Box::pin(parts(objects, key, deadline).await?);
    let first = parts.next().await.transpose()?.unwrap_or_default();
    let Some(second) = parts.next().await.transpose()? else { return Ok(first) };
    let mut bytes = [first, second].concat();
    while let Some(part) = parts.next().await.transpose()? {
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.into())
}

/// The ranges after the first part of an object of `total` bytes.
fn ranges(total: u64) -> impl Iterator<Item = Range<u64>> {
    let mut start = PART;
    std::iter::from_fn(move || {
        let range = start..total.min(start + PART);
        start = range.end;
        (range.start < range.end).then_some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_object_once() {
        for total in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 5] {
            let mut end = PART.min(total);
            for range in ranges(total) {
                assert_eq!(range.start, end);
                assert!(range.end - range.start <= PART);
                end = range.end;
            }
            assert_eq!(end, total);
        }
    }
}
