//! The conditions of S3's reads and writes, as RFC 9110 section 13 and S3's own page have them
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>).

use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};
use s3s::dto::{ETag, ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::record::{Object, moment};

/// What must hold for a write to happen.
#[derive(Debug, Default)]
pub(crate) struct Write {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

impl Write {
    /// Judges against the object as it is now; the caller holds the lock until the write is done.
    pub(crate) fn check(&self, current: Option<&Object>) -> S3Result<()> {
        if let Some(condition) = &self.if_match {
            let Some(current) = current else {
                return Err(s3_error!(NoSuchKey, "the specified key does not exist"));
            };
            if !matches(condition, current) {
                return Err(failed("If-Match"));
            }
        }
        match (&self.if_none_match, current) {
            (Some(condition), Some(current)) if matches(condition, current) => {
                Err(failed("If-None-Match"))
            }
            _ => Ok(()),
        }
    }
}

/// What must hold for a read to answer with the object.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) matching: Option<ETagCondition>,
    pub(crate) none_match: Option<ETagCondition>,
    pub(crate) modified_since: Option<Timestamp>,
    pub(crate) unmodified_since: Option<Timestamp>,
}

impl Read {
    /// `Ok` to answer with the object; a 412 or a 304 otherwise, in the order of RFC 9110 section 13.2.2.
    pub(crate) fn check(&self, object: &Object) -> S3Result<()> {
        match (&self.matching, &self.unmodified_since) {
            (Some(condition), _) if !matches(condition, object) => return Err(failed("If-Match")),
            (None, Some(since)) if modified_after(object, since) => {
                return Err(failed("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.none_match, &self.modified_since) {
            (Some(condition), _) if matches(condition, object) => Err(not_modified(object)),
            (None, Some(since)) if !modified_after(object, since) => Err(not_modified(object)),
            _ => Ok(()),
        }
    }

    /// The same for the source of a copy, where S3 answers 412 in place of 304.
    pub(crate) fn check_source(&self, object: &Object) -> S3Result<()> {
        self.check(object).map_err(|error| match error.code() {
            S3ErrorCode::NotModified => failed("x-amz-copy-source-If-None-Match"),
            _ => error,
        })
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

/// Dates in headers have whole seconds, so the object's time is cut to them first.
fn modified_after(object: &Object, since: &Timestamp) -> bool {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut text = Vec::new();
    if since.format(TimestampFormat::EpochSeconds, &mut text).is_err() {
        return true;
    }
    let since = String::from_utf8_lossy(&text)
        .split('.')
        .next()
        .and_then(|whole| whole.parse::<u64>().ok());
    since.is_none_or(|since| seconds(moment(object.modified)) > since)
}

fn failed(condition: &'static str) -> S3Error {
    s3_error!(
        PreconditionFailed,
        "at least one of the preconditions you specified did not hold: {condition}"
    )
}

fn not_modified(object: &Object) -> S3Error {
    let mut error = s3_error!(NotModified, "not modified");
    let mut headers = HeaderMap::new();
    if let Ok(etag) = ETag::Strong(object.etag.clone()).to_http_header() {
        headers.insert(ETAG, etag);
    }
    let mut date = Vec::new();
    let written =
        Timestamp::from(moment(object.modified)).format(TimestampFormat::HttpDate, &mut date);
    if let (Ok(()), Ok(date)) = (written, HeaderValue::from_bytes(&date)) {
        headers.insert(LAST_MODIFIED, date);
    }
    error.set_headers(headers);
    error
}
