//! URLs by which a client without credentials reads one object from S3
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html>). Nothing is sent.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::Bucket;
use super::failure::Failure;
use crate::error::ReadError;
use crate::objects::{Objects as _, SignedHeaders};

/// The URL. It ends earlier than `valid` where the credentials do.
pub(super) async fn url(
    bucket: &Bucket,
    key: &str,
    headers: &SignedHeaders,
    valid: Duration,
) -> Result<Option<String>, ReadError> {
    let refused = |reason: String| ReadError::Denied { object: bucket.url(key), reason };
    let presigning =
        PresigningConfig::expires_in(valid).map_err(|error| refused(error.to_string()))?;
    let request = bucket
        .get_object(key)
        .set_response_content_type(headers.content_type.clone())
        .set_response_content_encoding(headers.content_encoding.clone())
        .set_response_cache_control(headers.cache_control.clone())
        .presigned(presigning)
        .await
        .map_err(|error| Failure::from_sdk(error).read(bucket, key))?;
    Ok(Some(request.uri().to_owned()))
}
