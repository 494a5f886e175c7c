//! A range of an object as its bytes come; what breaks off is asked for again from there on.

use std::ops::Range;
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::stream::{self, Stream};
use tokio::sync::Mutex;

use super::Bucket;
use super::failure::{Attempt, Failure};
use super::retry::{Pace, retry};
use crate::deadline::Deadline;
use crate::error::ReadError;

/// What is left of a range, and the answer that gives it.
struct Left {
    range: Range<u64>,
    answer: Option<ByteStream>,
}

impl Left {
    /// The next bytes; none at the end. An attempt that fails or is given up takes its answer with it.
    async fn next(&mut self, bucket: &Bucket, key: &str) -> Attempt<Option<Bytes>> {
        let mut answer = match self.answer.take() {
            Some(answer) => answer,
            None => match bucket.get_range(key, &self.range).await {
                Ok(answer) => answer.body,
                // There is no byte here.
                Err(Failure::RangeUnsatisfiable) => return Ok(None),
                Err(failure) => return Err(failure),
            },
        };
        let Some(bytes) = answer.next().await.transpose().map_err(Failure::transient)? else {
            return Ok(None);
        };
        self.range.start += bytes.len() as u64;
        self.answer = Some(answer);
        Ok(Some(bytes))
    }
}

/// The bytes of a range of an object.
pub(super) fn stream(
    bucket: Arc<Bucket>,
    key: String,
    range: Range<u64>,
    deadline: Deadline,
) -> impl Stream<Item = Result<Bytes, ReadError>> + Send {
    // Locked by one attempt at a time.
    let left = Mutex::new(Left { range, answer: None });
    stream::try_unfold((bucket, key, left), move |(bucket, key, left)| async move {
        let next =
            retry(deadline, Pace::Read, |_| async { left.lock().await.next(&bucket, &key).await });
        let next = next.await.map_err(|failure| failure.read(&bucket, &key))?;
        Ok(next.map(|bytes| (bytes, (bucket, key, left))))
    })
}
