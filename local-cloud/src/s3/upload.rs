//! Multipart uploads: parts are data of their own until the upload is completed into one object
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use fs_err as fs;
use md5::{Digest as _, Md5};
use s3s::dto::CompletedPart;
use s3s::{S3Error, S3Result, s3_error};
use uuid::Uuid;

use super::body::Received;
use super::condition::Write;
use super::folder::{Bucket, Folder, bucket, bucket_mut, internal};
use super::record::{Checksums, Headers, Object, Part, Upload, now};

/// The least size of every part but the last, in bytes.
const MIN_PART: u64 = 5 << 20;

/// Part numbers run from 1 to this.
const MAX_PART_NUMBER: i32 = 10_000;

impl Folder {
    /// Starts an upload and gives its id.
    pub(crate) fn create_upload(
        &self,
        bucket_name: &str,
        key: String,
        headers: Headers,
    ) -> S3Result<String> {
        let mut buckets = self.buckets();
        let bucket = bucket_mut(&mut buckets, bucket_name)?;
        let id = Uuid::new_v4().simple().to_string();
        let upload = Upload { key, initiated: now(), headers, parts: BTreeMap::new() };
        self.write_upload(bucket_name, &id, &upload)?;
        bucket.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    /// The upload as it is now.
    pub(crate) fn upload(&self, bucket_name: &str, key: &str, id: &str) -> S3Result<Upload> {
        let buckets = self.buckets();
        find(bucket(&buckets, bucket_name)?, key, id).cloned()
    }

    /// Adds a part, in place of an earlier one of the same number.
    pub(crate) fn put_part(
        &self,
        target: &Target,
        number: i32,
        received: Received,
    ) -> S3Result<Part> {
        if !(1..=MAX_PART_NUMBER).contains(&number) {
            return Err(s3_error!(InvalidArgument, "part number must be between 1 and 10000"));
        }
        let mut buckets = self.buckets();
        let bucket = bucket_mut(&mut buckets, &target.bucket)?;
        let mut upload = find(bucket, &target.key, &target.upload)?.clone();
        let part = Part {
            etag: hex(&received.md5),
            size: received.size,
            modified: now(),
            data: received.data().to_owned(),
        };
        let replaced = upload.parts.insert(number, part.clone());
        self.write_upload(&target.bucket, &target.upload, &upload)?;
        bucket.uploads.insert(target.upload.clone(), upload);
        drop(buckets);
        received.keep();
        if let Some(replaced) = replaced {
            self.remove_data(&target.bucket, &replaced.data);
        }
        Ok(part)
    }

    /// Joins the parts named into one object and ends the upload.
    pub(crate) fn complete_upload(
        self: &Arc<Self>,
        target: &Target,
        named: &[CompletedPart],
        condition: &Write,
    ) -> S3Result<Arc<Object>> {
        let upload = self.upload(&target.bucket, &target.key, &target.upload)?;
        let chosen = choose(&upload, named)?;
        let (data, path) = self.new_data(&target.bucket)?;
        let joined = self.join(&target.bucket, &chosen, &path).and_then(|()| {
            let object = Object {
                key: target.key.clone(),
                etag: multipart_etag(&chosen)?,
                size: chosen.iter().map(|part| part.size).sum(),
                modified: now(),
                data: data.clone(),
                headers: upload.headers.clone(),
                checksums: Checksums::default(),
            };
            self.put_object(&target.bucket, object, condition)
        });
        let object = joined.inspect_err(|_| self.remove_data(&target.bucket, &data))?;
        // The object stands. An upload that cannot be cleared away now stays listed and can be aborted.
        drop(self.abort_upload(target));
        Ok(object)
    }

    /// Ends the upload and removes its parts.
    pub(crate) fn abort_upload(&self, target: &Target) -> S3Result<()> {
        let mut buckets = self.buckets();
        let bucket = bucket_mut(&mut buckets, &target.bucket)?;
        find(bucket, &target.key, &target.upload)?;
        self.remove_upload(&target.bucket, &target.upload)?;
        let upload = bucket.uploads.remove(&target.upload);
        drop(buckets);
        for part in upload.into_iter().flat_map(|upload| upload.parts.into_values()) {
            self.remove_data(&target.bucket, &part.data);
        }
        Ok(())
    }

    fn join(&self, bucket: &str, parts: &[&Part], path: &std::path::Path) -> S3Result<()> {
        let mut joined = fs::File::create_new(path).map_err(internal)?;
        for part in parts {
            let mut part = fs::File::open(self.data_path(bucket, &part.data)).map_err(internal)?;
            io::copy(&mut part, &mut joined).map_err(internal)?;
        }
        Ok(())
    }
}

/// Which upload an operation is about.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) upload: String,
}

fn find<'a>(bucket: &'a Bucket, key: &str, id: &str) -> S3Result<&'a Upload> {
    let upload = bucket.uploads.get(id).filter(|upload| upload.key == key);
    upload.ok_or_else(|| s3_error!(NoSuchUpload, "the specified upload does not exist"))
}

fn choose<'a>(upload: &'a Upload, named: &[CompletedPart]) -> S3Result<Vec<&'a Part>> {
    let mut chosen: Vec<&Part> = Vec::with_capacity(named.len());
    let mut last = 0;
    for name in named {
        let number = name.part_number.unwrap_or_default();
        if number <= last {
            return Err(s3_error!(
                InvalidPartOrder,
                "the list of parts was not in ascending order"
            ));
        }
        last = number;
        let part = upload.parts.get(&number);
        let same = |part: &&Part| name.e_tag.as_ref().is_none_or(|etag| etag.value() == part.etag);
        let part = part.filter(same).ok_or_else(|| {
            s3_error!(
                InvalidPart,
                "part {number} was not uploaded, or its entity tag is not the one you named"
            )
        })?;
        if chosen.last().is_some_and(|before| before.size < MIN_PART) {
            return Err(s3_error!(
                EntityTooSmall,
                "every part but the last must have at least 5 MiB"
            ));
        }
        chosen.push(part);
    }
    if chosen.is_empty() {
        return Err(s3_error!(InvalidRequest, "you must specify at least one part"));
    }
    Ok(chosen)
}

/// The MD5 of the parts' MD5s, and their number.
fn multipart_etag(parts: &[&Part]) -> S3Result<String> {
    let mut md5 = Md5::new();
    for part in parts {
        for pair in part.etag.as_bytes().chunks(2) {
            let digits = str::from_utf8(pair).map_err(S3Error::internal_error)?;
            md5.update([u8::from_str_radix(digits, 16).map_err(S3Error::internal_error)?]);
        }
    }
    Ok(format!("{}-{}", hex(&md5.finalize()), parts.len()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
