//! Objects as parallel ranged GETs: how fast bytes come from S3 when nothing is done with them.

use aws_sdk_s3::Client;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lambda_runtime::Error;
use serde::Deserialize;

/// The bytes of one GET, as the host's own.
const PART: u64 = 4 * 1024 * 1024;
/// GETs under way at once, as the host's own.
const PARALLEL: usize = 4;

/// An event that says what is to be fetched.
#[derive(Deserialize)]
pub(crate) struct Event {
    bucket: String,
    /// Keys and sizes in bytes.
    objects: Vec<(String, u64)>,
}

/// Fetches all and says how many bytes came.
pub(crate) async fn fetch(client: &Client, wanted: &Event) -> Result<u64, Error> {
    let parts: Vec<(&str, u64, u64)> = wanted
        .objects
        .iter()
        .flat_map(|(key, size)| {
            let starts = (0..*size).step_by(PART as usize);
            starts.map(move |start| (key.as_str(), start, (start + PART).min(*size)))
        })
        .collect();
    let bucket = wanted.bucket.as_str();
    stream::iter(parts)
        .map(|(key, start, end)| async move {
            let range = format!("bytes={start}-{}", end - 1);
            let request = client.get_object().bucket(bucket).key(key).range(range);
            let mut body = request.send().await.map_err(Error::from)?.body;
            let mut bytes = 0;
            while let Some(chunk) = body.try_next().await? {
                bytes += chunk.len() as u64;
            }
            Ok::<u64, Error>(bytes)
        })
        .buffer_unordered(PARALLEL)
        .try_fold(0, |sum, bytes| async move { Ok(sum + bytes) })
        .await
}
