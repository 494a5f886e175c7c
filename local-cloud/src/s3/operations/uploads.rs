//! Operations on multipart uploads.

use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, Part, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Answer;
use super::buckets::Encoding;
use super::objects::check_key;
use crate::s3::body::{self, Promise, blocking};
use crate::s3::condition::Write;
use crate::s3::folder::{Folder, bucket};
use crate::s3::record::{Checksums, Headers, moment};
use crate::s3::upload::Target;

/// The most parts or uploads in one page.
const MAX_PAGE: i32 = 1000;

pub(super) async fn create(
    folder: &Arc<Folder>,
    input: CreateMultipartUploadInput,
) -> Answer<CreateMultipartUploadOutput> {
    check_key(&input.key)?;
    let headers = Headers {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
    };
    let folder = Arc::clone(folder);
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let id = blocking(move || folder.create_upload(&bucket, key, headers)).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(super) async fn part(
    folder: &Arc<Folder>,
    request: S3Request<UploadPartInput>,
) -> Answer<UploadPartOutput> {
    let trailer =
        request.headers.get("x-amz-trailer").and_then(|name| name.to_str().ok()).map(str::to_owned);
    let input = request.input;
    folder.upload(&input.bucket, &input.key, &input.upload_id)?;
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
    let checksums = received.checksums.clone();
    let target = Target { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let folder = Arc::clone(folder);
    let part = blocking(move || folder.put_part(&target, input.part_number, received)).await?;
    Ok(S3Response::new(UploadPartOutput {
        e_tag: Some(ETag::Strong(part.etag)),
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        ..UploadPartOutput::default()
    }))
}

pub(super) async fn complete(
    folder: &Arc<Folder>,
    input: CompleteMultipartUploadInput,
) -> Answer<CompleteMultipartUploadOutput> {
    let target =
        Target { bucket: input.bucket.clone(), key: input.key.clone(), upload: input.upload_id };
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let condition = Write { if_match: input.if_match, if_none_match: input.if_none_match };
    let folder = Arc::clone(folder);
    let object = blocking(move || folder.complete_upload(&target, &parts, &condition)).await?;
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        ..CompleteMultipartUploadOutput::default()
    }))
}

pub(super) async fn abort(
    folder: &Arc<Folder>,
    input: AbortMultipartUploadInput,
) -> Answer<AbortMultipartUploadOutput> {
    let target = Target { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let folder = Arc::clone(folder);
    blocking(move || folder.abort_upload(&target)).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) fn list_parts(folder: &Folder, input: ListPartsInput) -> Answer<ListPartsOutput> {
    let upload = folder.upload(&input.bucket, &input.key, &input.upload_id)?;
    let after = input.part_number_marker.unwrap_or_default();
    let limit = page_size(input.max_parts)?;
    let mut parts: Vec<Part> = upload
        .parts
        .range(after.saturating_add(1)..)
        .map(|(number, part)| Part {
            part_number: Some(*number),
            e_tag: Some(ETag::Strong(part.etag.clone())),
            size: i64::try_from(part.size).ok(),
            last_modified: Some(moment(part.modified).into()),
            ..Part::default()
        })
        .collect();
    let truncated = parts.len() > limit;
    parts.truncate(limit);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        max_parts: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        parts: Some(parts),
        ..ListPartsOutput::default()
    }))
}

pub(super) fn list(
    folder: &Folder,
    input: ListMultipartUploadsInput,
) -> Answer<ListMultipartUploadsOutput> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let marker = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone());
    let limit = page_size(input.max_uploads)?;
    let encode = Encoding::of(input.encoding_type.as_ref());
    let buckets = folder.buckets();
    let mut found: Vec<_> = bucket(&buckets, &input.bucket)?
        .uploads
        .iter()
        .filter(|(id, upload)| match &marker {
            (key, None) => upload.key > *key || key.is_empty(),
            (key, Some(marker)) => (&upload.key, *id) > (key, marker),
        })
        .filter(|(_, upload)| upload.key.starts_with(&prefix))
        .collect();
    found.sort_by_key(|(id, upload)| (&upload.key, *id));
    let truncated = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| truncated);
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: Some(encode.text(&marker.0)),
        upload_id_marker: marker.1,
        next_key_marker: last.map(|(_, upload)| encode.text(&upload.key)),
        next_upload_id_marker: last.map(|(id, _)| (*id).clone()),
        max_uploads: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        encoding_type: input.encoding_type,
        uploads: Some(
            found
                .into_iter()
                .map(|(id, upload)| shown(id, &encode.text(&upload.key), upload.initiated))
                .collect(),
        ),
        ..ListMultipartUploadsOutput::default()
    }))
}

fn shown(id: &str, key: &str, initiated: u64) -> MultipartUpload {
    MultipartUpload {
        key: Some(key.to_owned()),
        upload_id: Some(id.to_owned()),
        initiated: Some(moment(initiated).into()),
        ..MultipartUpload::default()
    }
}

fn page_size(asked: Option<i32>) -> S3Result<usize> {
    usize::try_from(asked.unwrap_or(MAX_PAGE).min(MAX_PAGE))
        .map_err(|_| s3_error!(InvalidArgument, "a page size must not be negative"))
}
