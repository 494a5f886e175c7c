//! Operations on whole objects: put, get, head, delete.

use std::ops::Range;
use std::sync::Arc;

use http::StatusCode;
use s3s::dto::{
    ChecksumMode, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject, ETag, ETagCondition, Error, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, PutObjectInput, PutObjectOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Answer;
use crate::s3::body::{self, Promise, blocking};
use crate::s3::condition::{Read, Write};
use crate::s3::folder::Folder;
use crate::s3::record::{Checksums, Headers, Object, moment, now};
use crate::s3::upload::hex;

/// The longest key, in bytes of UTF-8.
const MAX_KEY: usize = 1024;

pub(super) async fn put(
    folder: &Arc<Folder>,
    request: S3Request<PutObjectInput>,
) -> Answer<PutObjectOutput> {
    let trailer =
        request.headers.get("x-amz-trailer").and_then(|name| name.to_str().ok()).map(str::to_owned);
    let input = request.input;
    check_key(&input.key)?;
    let promise = Promise {
        md5: input.content_md5,
        checksums: Checksums {
            crc32: input.checksum_crc32,
            crc32c: input.checksum_crc32c,
            crc64nvme: input.checksum_crc64nvme,
            sha1: input.checksum_sha1,
            sha256: input.checksum_sha256,
        },
        trailer,
        trailing_headers: request.trailing_headers,
    };
    let received = body::receive(folder, &input.bucket, input.body, promise).await?;
    let object = Object {
        key: input.key,
        etag: hex(&received.md5),
        size: received.size,
        modified: now(),
        data: received.data().to_owned(),
        headers: Headers {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            metadata: input.metadata.unwrap_or_default().into_iter().collect(),
        },
        checksums: received.checksums.clone(),
    };
    let condition = Write { if_match: input.if_match, if_none_match: input.if_none_match };
    let (folder, bucket) = (Arc::clone(folder), input.bucket);
    let object = blocking(move || {
        let object = folder.put_object(&bucket, object, &condition)?;
        received.keep();
        Ok(object)
    })
    .await?;
    Ok(S3Response::new(PutObjectOutput {
        e_tag: Some(ETag::Strong(object.etag.clone())),
        checksum_crc32: object.checksums.crc32.clone(),
        checksum_crc32c: object.checksums.crc32c.clone(),
        checksum_crc64nvme: object.checksums.crc64nvme.clone(),
        checksum_sha1: object.checksums.sha1.clone(),
        checksum_sha256: object.checksums.sha256.clone(),
        ..PutObjectOutput::default()
    }))
}

pub(super) async fn get(folder: &Arc<Folder>, input: GetObjectInput) -> Answer<GetObjectOutput> {
    let (folder, bucket, key) = (Arc::clone(folder), input.bucket, input.key);
    let (object, file) = blocking(move || folder.open_object(&bucket, &key)).await?;
    let condition = Read {
        matching: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    condition.check(&object)?;
    let (range, content_range) = choose_range(&object, input.range)?;
    let whole = content_range.is_none();
    let checksums = shown(&object, input.checksum_mode.as_ref(), whole);
    let headers = object.headers.clone();
    let output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(range.end - range.start).ok(),
        body: Some(body::send(file, range).await?),
        content_range,
        content_type: headers.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        metadata: Some(headers.metadata.into_iter().collect()),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(moment(object.modified).into()),
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        ..GetObjectOutput::default()
    };
    Ok(S3Response::new(output))
}

pub(super) fn head(folder: &Folder, input: HeadObjectInput) -> Answer<HeadObjectOutput> {
    let object = folder.object(&input.bucket, &input.key)?;
    let condition = Read {
        matching: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    condition.check(&object)?;
    let (range, content_range) = choose_range(&object, input.range)?;
    let status = if content_range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let checksums = shown(&object, input.checksum_mode.as_ref(), content_range.is_none());
    let headers = object.headers.clone();
    let output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(range.end - range.start).ok(),
        content_range,
        content_type: headers.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        metadata: Some(headers.metadata.into_iter().collect()),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(moment(object.modified).into()),
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        ..HeadObjectOutput::default()
    };
    Ok(S3Response::with_status(output, status))
}

pub(super) async fn delete(
    folder: &Arc<Folder>,
    input: DeleteObjectInput,
) -> Answer<DeleteObjectOutput> {
    let condition = Write { if_match: input.if_match, if_none_match: None };
    let folder = Arc::clone(folder);
    blocking(move || folder.delete_object(&input.bucket, &input.key, &condition)).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

/// Each key for itself: one that cannot be deleted is reported beside those that were.
pub(super) async fn delete_many(
    folder: &Arc<Folder>,
    input: DeleteObjectsInput,
) -> Answer<DeleteObjectsOutput> {
    let folder = Arc::clone(folder);
    let quiet = input.delete.quiet.unwrap_or_default();
    blocking(move || {
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            let condition =
                Write { if_match: object.e_tag.map(ETagCondition::ETag), if_none_match: None };
            match folder.delete_object(&input.bucket, &object.key, &condition) {
                Ok(()) => deleted
                    .push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    version_id: None,
                }),
            }
        }
        let deleted = if quiet { None } else { Some(deleted) };
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted,
            errors: Some(errors),
            request_charged: None,
        }))
    })
    .await
}

/// Refuses keys that S3 refuses.
pub(super) fn check_key(key: &str) -> S3Result<()> {
    if key.len() > MAX_KEY {
        return Err(s3_error!(
            KeyTooLongError,
            "your key is too long: {} bytes of at most {MAX_KEY}",
            key.len()
        ));
    }
    Ok(())
}

/// The bytes to answer with, and the `Content-Range` when they are not all.
fn choose_range(
    object: &Object,
    asked: Option<s3s::dto::Range>,
) -> S3Result<(Range<u64>, Option<String>)> {
    let Some(asked) = asked else { return Ok((0..object.size, None)) };
    let range = asked.check(object.size).map_err(|_| {
        s3_error!(InvalidRange, "the requested range is not satisfiable: {} bytes", object.size)
    })?;
    let content_range =
        format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), object.size);
    Ok((range, Some(content_range)))
}

/// The checksums to show: those of a whole object, to a reader that asked.
fn shown(object: &Object, mode: Option<&ChecksumMode>, whole: bool) -> Checksums {
    let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    if asked && whole { object.checksums.clone() } else { Checksums::default() }
}
