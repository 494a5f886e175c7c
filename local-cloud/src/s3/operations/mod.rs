//! S3's operations over the folder. The trait is `s3s`'s; an operation that is not here answers 501 `NotImplemented`.
//!
//! `buckets`, `objects`, `copies` and `uploads` hold one function per operation; this file only names them.

mod buckets;
mod copies;
mod objects;
mod uploads;

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput,
    DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput,
    PutObjectOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result};

use super::folder::Folder;
use super::notification::{Notifier, Place, client};

/// The folder as `s3s` wants to see it.
#[derive(Debug)]
pub(crate) struct Operations {
    folder: Arc<Folder>,
    region: String,
    notifier: Arc<Notifier>,
}

impl Operations {
    pub(crate) fn new(folder: Arc<Folder>, region: String, notifier: Arc<Notifier>) -> Self {
        Self { folder, region, notifier }
    }

    /// Passes on what an operation answered, and tells of the object that it made.
    fn created<T>(
        &self,
        name: &'static str,
        what: (Place, String),
        answer: Answer<T>,
    ) -> Answer<T> {
        if answer.is_ok() {
            self.notifier.created(&self.folder, name, what);
        }
        answer
    }
}

/// What every operation gives back.
type Answer<T> = S3Result<S3Response<T>>;

#[async_trait]
impl S3 for Operations {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        buckets::create(&self.folder, &self.region, request.input).await
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> Answer<DeleteBucketOutput> {
        buckets::delete(&self.folder, request.input).await
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        buckets::head(&self.folder, &self.region, &request.input)
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        buckets::location(&self.folder, &self.region, &request.input)
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> Answer<GetBucketVersioningOutput> {
        buckets::versioning(&self.folder, &request.input)
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> Answer<ListBucketsOutput> {
        Ok(buckets::list(&self.folder, &self.region, request.input))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> Answer<ListObjectsOutput> {
        buckets::objects(&self.folder, request.input)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        buckets::objects_v2(&self.folder, request.input)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let what = ((request.input.bucket.clone(), request.input.key.clone()), client(&request));
        // A form's upload comes here, too.
        let is_form = request.method == Method::POST;
        let name = if is_form { "ObjectCreated:Post" } else { "ObjectCreated:Put" };
        let answer = objects::put(&self.folder, request).await;
        self.created(name, what, answer)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        objects::get(&self.folder, request.input).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        objects::head(&self.folder, request.input)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let (place, client) =
            ((request.input.bucket.clone(), request.input.key.clone()), client(&request));
        let answer = objects::delete(&self.folder, request.input).await?;
        self.notifier.removed(place, client);
        Ok(answer)
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let (bucket, client) = (request.input.bucket.clone(), client(&request));
        let keys: Vec<_> =
            request.input.delete.objects.iter().map(|object| object.key.clone()).collect();
        let answer = objects::delete_many(&self.folder, request.input).await?;
        let failed = answer.output.errors.as_deref().unwrap_or_default();
        for key in keys {
            if !failed.iter().any(|error| error.key.as_ref() == Some(&key)) {
                self.notifier.removed((bucket.clone(), key), client.clone());
            }
        }
        Ok(answer)
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let what = ((request.input.bucket.clone(), request.input.key.clone()), client(&request));
        let answer = copies::object(&self.folder, request).await;
        self.created("ObjectCreated:Copy", what, answer)
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        copies::part(&self.folder, request.input).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        uploads::create(&self.folder, request.input).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        uploads::part(&self.folder, request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let what = ((request.input.bucket.clone(), request.input.key.clone()), client(&request));
        let answer = uploads::complete(&self.folder, request.input).await;
        self.created("ObjectCreated:CompleteMultipartUpload", what, answer)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        uploads::abort(&self.folder, request.input).await
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        uploads::list_parts(&self.folder, request.input)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        uploads::list(&self.folder, request.input)
    }
}
