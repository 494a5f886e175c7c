//! Copies inside the server: of an object, and of a range of one into a part of an upload.

use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag,
    MetadataDirective, Range, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Answer;
use super::objects::check_key;
use crate::s3::body::{self, Promise, blocking};
use crate::s3::condition::{Read, Write};
use crate::s3::folder::Folder;
use crate::s3::record::{Headers, Object, moment, now};
use crate::s3::upload::{Target, hex};

pub(super) async fn object(
    folder: &Arc<Folder>,
    request: S3Request<CopyObjectInput>,
) -> Answer<CopyObjectOutput> {
    // Only for a copy does `s3s` leave these two to the backend.
    let write = Write {
        if_match: condition(&request, "if-match")?,
        if_none_match: condition(&request, "if-none-match")?,
    };
    let mut input = request.input;
    check_key(&input.key)?;
    let replaced = headers(&mut input);
    let (bucket, key) = source(&input.copy_source)?;
    let (source, file) = folder.open_object(bucket, key)?;
    let read = Read {
        matching: input.copy_source_if_match,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    read.check_source(&source)?;
    let replace = input
        .metadata_directive
        .as_ref()
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    if !replace && bucket == input.bucket && key == input.key {
        return Err(s3_error!(
            InvalidRequest,
            "an object can be copied onto itself only with changed metadata"
        ));
    }
    let content = body::send(file, 0..source.size).await?;
    let received = body::receive(folder, &input.bucket, Some(content), Promise::default()).await?;
    let copy = Object {
        key: input.key,
        // A copy is written as one piece, so its tag is the MD5 of its bytes even if the source came in parts.
        etag: hex(&received.md5),
        size: received.size,
        modified: now(),
        data: received.data().to_owned(),
        headers: if replace { replaced } else { source.headers.clone() },
        checksums: source.checksums.clone(),
    };
    let (folder, bucket) = (Arc::clone(folder), input.bucket);
    let copy = blocking(move || {
        let copy = folder.put_object(&bucket, copy, &write)?;
        received.keep();
        Ok(copy)
    })
    .await?;
    let result = CopyObjectResult {
        e_tag: Some(ETag::Strong(copy.etag.clone())),
        last_modified: Some(moment(copy.modified).into()),
        ..CopyObjectResult::default()
    };
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        ..CopyObjectOutput::default()
    }))
}

pub(super) async fn part(
    folder: &Arc<Folder>,
    input: UploadPartCopyInput,
) -> Answer<UploadPartCopyOutput> {
    let (bucket, key) = source(&input.copy_source)?;
    let (source, file) = folder.open_object(bucket, key)?;
    let read = Read {
        matching: input.copy_source_if_match,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    read.check_source(&source)?;
    let range = match input.copy_source_range.as_deref().map(Range::parse) {
        None => 0..source.size,
        Some(Ok(range)) => range.check(source.size).map_err(|_| s3_error!(InvalidRange))?,
        Some(Err(_)) => {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-copy-source-range must be bytes=first-last"
            ));
        }
    };
    let target = Target { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let content = body::send(file, range).await?;
    let received = body::receive(folder, &target.bucket, Some(content), Promise::default()).await?;
    let folder = Arc::clone(folder);
    let part = blocking(move || folder.put_part(&target, input.part_number, received)).await?;
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(moment(part.modified).into()),
        ..CopyPartResult::default()
    };
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    }))
}

/// The headers for a copy that does not take its source's.
fn headers(input: &mut CopyObjectInput) -> Headers {
    Headers {
        content_type: input.content_type.take(),
        cache_control: input.cache_control.take(),
        content_disposition: input.content_disposition.take(),
        content_encoding: input.content_encoding.take(),
        content_language: input.content_language.take(),
        metadata: input.metadata.take().unwrap_or_default().into_iter().collect(),
    }
}

fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket, key)),
        _ => Err(s3_error!(NotImplemented, "a copy needs a source of the form bucket/key")),
    }
}

fn condition(
    request: &S3Request<CopyObjectInput>,
    name: &str,
) -> S3Result<Option<s3s::dto::ETagCondition>> {
    let Some(value) = request.headers.get(name) else { return Ok(None) };
    let parsed = s3s::dto::ETagCondition::parse_http_header(value.as_bytes());
    parsed
        .map(Some)
        .map_err(|_| s3_error!(InvalidArgument, "the header {name} is not an entity tag"))
}
