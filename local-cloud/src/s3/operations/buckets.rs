//! Operations on buckets, and the lists of what they hold.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    Bucket, BucketLocationConstraint, CommonPrefix, CreateBucketInput, CreateBucketOutput,
    DeleteBucketInput, DeleteBucketOutput, ETag, EncodingType, GetBucketLocationInput,
    GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput,
    HeadBucketOutput, ListBucketsInput, ListBucketsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass, Timestamp,
};
use s3s::{S3Error, S3Response, S3Result, s3_error};

use super::Answer;
use crate::s3::body::blocking;
use crate::s3::folder::{Created, Folder, bucket, internal};
use crate::s3::listing::{self, Page, Query};
use crate::s3::record::moment;

/// The region whose buckets name no location and may be created twice.
const FIRST_REGION: &str = "us-east-1";

/// The most keys in one page.
const MAX_KEYS: i32 = 1000;

pub(super) async fn create(
    folder: &Arc<Folder>,
    region: &str,
    input: CreateBucketInput,
) -> Answer<CreateBucketOutput> {
    let location = format!("/{}", input.bucket);
    let folder = Arc::clone(folder);
    let created = blocking(move || folder.create_bucket(&input.bucket).map_err(internal)).await?;
    if created == Created::AlreadyThere && region != FIRST_REGION {
        return Err(s3_error!(
            BucketAlreadyOwnedByYou,
            "the bucket you tried to create already exists, and you own it"
        ));
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
}

pub(super) async fn delete(
    folder: &Arc<Folder>,
    input: DeleteBucketInput,
) -> Answer<DeleteBucketOutput> {
    let folder = Arc::clone(folder);
    blocking(move || folder.delete_bucket(&input.bucket)).await?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

pub(super) fn head(
    folder: &Folder,
    region: &str,
    input: &HeadBucketInput,
) -> Answer<HeadBucketOutput> {
    bucket(&folder.buckets(), &input.bucket)?;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(region.to_owned()),
        ..HeadBucketOutput::default()
    }))
}

pub(super) fn location(
    folder: &Folder,
    region: &str,
    input: &GetBucketLocationInput,
) -> Answer<GetBucketLocationOutput> {
    bucket(&folder.buckets(), &input.bucket)?;
    let location =
        (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region.to_owned()));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: location }))
}

/// Buckets are never versioned here, which S3 says with an empty answer.
pub(super) fn versioning(
    folder: &Folder,
    input: &GetBucketVersioningInput,
) -> Answer<GetBucketVersioningOutput> {
    bucket(&folder.buckets(), &input.bucket)?;
    Ok(S3Response::new(GetBucketVersioningOutput::default()))
}

pub(super) fn list(
    folder: &Folder,
    region: &str,
    input: ListBucketsInput,
) -> S3Response<ListBucketsOutput> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let buckets = folder.buckets();
    let found =
        buckets.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(name, bucket)| Bucket {
            bucket_region: Some(region.to_owned()),
            creation_date: Some(moment(bucket.created).into()),
            name: Some(name.clone()),
        });
    let output = ListBucketsOutput {
        buckets: Some(found.collect()),
        prefix: input.prefix,
        ..ListBucketsOutput::default()
    };
    S3Response::new(output)
}

pub(super) fn objects_v2(
    folder: &Folder,
    input: ListObjectsV2Input,
) -> Answer<ListObjectsV2Output> {
    let after = match &input.continuation_token {
        Some(token) => decode_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let limit = page_size(input.max_keys)?;
    let page = read(folder, &input.bucket, (&input.prefix, &input.delimiter), (&after, limit))?;
    let encode = Encoding::of(input.encoding_type.as_ref());
    let next = page.next.as_ref().map(|next| URL_SAFE_NO_PAD.encode(next));
    let (contents, common_prefixes) = encode.page(&page);
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode.text(&input.prefix.unwrap_or_default())),
        max_keys: Some(limit),
        key_count: i32::try_from(contents.len() + common_prefixes.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        delimiter: input.delimiter.map(|delimiter| encode.text(&delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|after| encode.text(&after)),
        request_charged: None,
    }))
}

pub(super) fn objects(folder: &Folder, input: ListObjectsInput) -> Answer<ListObjectsOutput> {
    let limit = page_size(input.max_keys)?;
    let after = input.marker.clone().unwrap_or_default();
    let page = read(folder, &input.bucket, (&input.prefix, &input.delimiter), (&after, limit))?;
    let encode = Encoding::of(input.encoding_type.as_ref());
    let next = page.next.clone();
    let (contents, common_prefixes) = encode.page(&page);
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encode.text(&input.prefix.unwrap_or_default())),
        marker: Some(encode.text(&after)),
        max_keys: Some(limit),
        is_truncated: Some(next.is_some()),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        // Without a delimiter the last key is the marker, and S3 does not repeat it.
        next_marker: next.filter(|_| input.delimiter.is_some()).map(|next| encode.text(&next)),
        delimiter: input.delimiter.map(|delimiter| encode.text(&delimiter)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

fn read(
    folder: &Folder,
    bucket_name: &str,
    (prefix, delimiter): (&Option<String>, &Option<String>),
    (after, limit): (&str, i32),
) -> S3Result<Page> {
    let query = Query {
        prefix: prefix.as_deref().unwrap_or_default(),
        delimiter: delimiter.as_deref().unwrap_or_default(),
        after,
        limit: usize::try_from(limit).map_err(S3Error::internal_error)?,
    };
    Ok(listing::page(&bucket(&folder.buckets(), bucket_name)?.objects, &query))
}

fn page_size(asked: Option<i32>) -> S3Result<i32> {
    let asked = asked.unwrap_or(MAX_KEYS);
    if asked < 0 {
        return Err(s3_error!(InvalidArgument, "max-keys must not be negative"));
    }
    Ok(asked.min(MAX_KEYS))
}

fn decode_token(token: &str) -> S3Result<String> {
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| s3_error!(InvalidArgument, "the continuation token provided is incorrect"))
}

/// How keys are written in a list: as they are, or percent-encoded because XML 1.0 cannot hold every key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Url,
}

/// Everything but RFC 3986's unreserved characters and the slash.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl Encoding {
    pub(super) fn of(asked: Option<&EncodingType>) -> Self {
        if asked.is_some_and(|asked| asked.as_str() == EncodingType::URL) {
            Self::Url
        } else {
            Self::Plain
        }
    }

    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, KEY).to_string(),
        }
    }

    fn page(self, page: &Page) -> (Vec<Object>, Vec<CommonPrefix>) {
        let objects = page.objects.iter().map(|object| Object {
            key: Some(self.text(&object.key)),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            size: i64::try_from(object.size).ok(),
            last_modified: Some(Timestamp::from(moment(object.modified))),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Object::default()
        });
        let prefixes =
            page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.text(prefix)) });
        (objects.collect(), prefixes.collect())
    }
}
