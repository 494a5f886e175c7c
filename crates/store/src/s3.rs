//! Objects in an S3 bucket, below a prefix, through the AWS SDK.
//!
//! The SDK signs and parses; retries, deadlines and the HTTP connection are ours, since its own retries neither cover
//! reading a body nor end at a deadline. Its checksums are off: every immutable object is verified by its digest, and
//! TLS and the signed payload hash cover the way up.

mod arriving;
mod client;
mod connection;
pub(crate) mod failure;
pub(crate) mod retry;
mod signed;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::BoxStream;

use crate::access::S3Access;
use crate::deadline::Deadline;
use crate::error::{OpenError, ReadError, WriteError};
use crate::objects::{Apart, ETag, Expect, Fetched, Objects, Part, SignedHeaders};
pub(crate) use client::client;
use failure::{Attempt, Failure};
use retry::{Pace, retry};

/// A bucket and a prefix, and the client that speaks to it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    client: Client,
    name: String,
    prefix: String,
    /// What the client was made with; none where it is another's.
    access: Option<S3Access>,
}

impl Bucket {
    /// Sets up the client; nothing is sent yet. `url` is only for messages.
    pub(crate) fn new(
        url: &str,
        bucket: &str,
        prefix: &str,
        access: &S3Access,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            client: client(url, access)?,
            name: bucket.to_owned(),
            prefix: prefix.to_owned(),
            access: Some(access.clone()),
        })
    }

    /// A whole bucket, through a client that is there.
    pub(crate) fn over(client: Client, bucket: &str) -> Self {
        Self { client, name: bucket.to_owned(), prefix: String::new(), access: None }
    }

    fn key(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) }
    }

    fn get_object(&self, key: &str) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.name).key(self.key(key))
    }

    async fn fetch(&self, key: &str, known: Option<&ETag>) -> Attempt<Fetched> {
        let request =
            self.get_object(key).set_if_none_match(known.map(|tag| tag.as_str().to_owned()));
        match request.send().await.map_err(Failure::from_sdk) {
            Ok(answer) => {
                let etag = ETag::new(answer.e_tag.unwrap_or_default());
                let bytes = answer.body.collect().await.map_err(Failure::transient)?.into_bytes();
                Ok(Fetched::Object { bytes, etag })
            }
            Err(Failure::NotModified) => Ok(Fetched::Unchanged),
            Err(failure) => Err(failure),
        }
    }

    async fn get_range(&self, key: &str, range: &Range<u64>) -> Attempt<GetObjectOutput> {
        let bounds = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        self.get_object(key).range(bounds).send().await.map_err(Failure::from_sdk)
    }

    async fn fetch_part(&self, key: &str, range: &Range<u64>) -> Attempt<Part> {
        match self.get_range(key, range).await {
            Ok(answer) => {
                let length = answer.content_length.and_then(|length| u64::try_from(length).ok());
                let total = answer.content_range.as_deref().and_then(total_of).or(length);
                let bytes = answer.body.collect().await.map_err(Failure::transient)?.into_bytes();
                let total = total.unwrap_or(bytes.len() as u64);
                Ok(Part { bytes, total })
            }
            // No byte of an empty object satisfies a range.
            Err(Failure::RangeUnsatisfiable) => {
                let total = self.head(key).await?.unwrap_or_default();
                Ok(Part { bytes: Bytes::new(), total })
            }
            Err(failure) => Err(failure),
        }
    }

    async fn head(&self, key: &str) -> Attempt<Option<u64>> {
        let request = self.client.head_object().bucket(&self.name).key(self.key(key));
        match request.send().await.map_err(Failure::from_sdk) {
            Ok(answer) => Ok(Some(
                answer.content_length.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
            )),
            Err(Failure::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn upload(&self, key: &str, bytes: &Bytes, expect: &Expect) -> Attempt<ETag> {
        let request = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(self.key(key))
            .body(bytes.clone().into());
        let request = match expect {
            Expect::Any => request,
            Expect::Absent => request.if_none_match("*"),
            Expect::Match(tag) => request.if_match(tag.as_str()),
        };
        match request.send().await.map_err(Failure::from_sdk) {
            Ok(answer) => Ok(ETag::new(answer.e_tag.unwrap_or_default())),
            // An object that is gone does not match either; S3 answers 404 then.
            Err(Failure::NotFound) if matches!(expect, Expect::Match(_)) => {
                Err(Failure::Precondition)
            }
            Err(failure) => Err(failure),
        }
    }

    /// After an attempt without an answer, a refused condition may mean that our own write went through: look.
    async fn upload_again(&self, key: &str, bytes: &Bytes, expect: &Expect) -> Attempt<ETag> {
        match self.upload(key, bytes, expect).await {
            Err(Failure::Precondition) => match self.fetch(key, None).await? {
                Fetched::Object { bytes: there, etag } if there == bytes => Ok(etag),
                _ => Err(Failure::Precondition),
            },
            other => other,
        }
    }

    /// One page of a listing: names below `folder`, and the token of the next page.
    async fn page(
        &self,
        folder: &str,
        token: Option<String>,
    ) -> Attempt<(Vec<String>, Option<String>)> {
        let above = format!("{}/", self.key(folder));
        let request =
            self.client.list_objects_v2().bucket(&self.name).prefix(&above).delimiter("/");
        let answer =
            request.set_continuation_token(token).send().await.map_err(Failure::from_sdk)?;
        let objects = answer.contents.into_iter().flatten().filter_map(|object| object.key);
        let folders =
            answer.common_prefixes.into_iter().flatten().filter_map(|folder| folder.prefix);
        let names = objects
            .chain(folders)
            .filter_map(|key| Some(key.strip_prefix(&above)?.trim_end_matches('/').to_owned()))
            .filter(|name| !name.is_empty())
            .collect();
        Ok((names, answer.next_continuation_token))
    }
}

impl Objects for Bucket {
    fn apart(&self) -> Option<Apart> {
        let (access, bucket) = (self.access.clone()?, self.clone());
        Some(Box::new(move || {
            let client = client(&bucket.url(""), &access).map_err(io::Error::other)?;
            Ok(Arc::new(Self { client, ..bucket }))
        }))
    }

    fn url(&self, key: &str) -> String {
        let path = if key.is_empty() { self.prefix.clone() } else { self.key(key) };
        format!("s3://{}/{path}", self.name)
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        known: Option<&'a ETag>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Fetched, ReadError>> {
        async move {
            retry(deadline, Pace::Read, |_| self.fetch(key, known))
                .await
                .map_err(|failure| failure.read(self, key))
        }
        .boxed()
    }

    fn part<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Part, ReadError>> {
        async move {
            retry(deadline, Pace::Read, |_| self.fetch_part(key, &range))
                .await
                .map_err(|failure| failure.read(self, key))
        }
        .boxed()
    }

    fn arriving(
        self: Arc<Self>,
        key: String,
        range: Range<u64>,
        deadline: Deadline,
    ) -> BoxStream<'static, Result<Bytes, ReadError>> {
        arriving::stream(self, key, range, deadline).boxed()
    }

    fn size<'a>(
        &'a self,
        key: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Option<u64>, ReadError>> {
        async move {
            retry(deadline, Pace::Read, |_| self.head(key))
                .await
                .map_err(|failure| failure.read(self, key))
        }
        .boxed()
    }

    fn signed_url<'a>(
        &'a self,
        key: &'a str,
        headers: &'a SignedHeaders,
        valid: Duration,
    ) -> BoxFuture<'a, Result<Option<String>, ReadError>> {
        signed::url(self, key, headers, valid).boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        expect: Expect,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<ETag, WriteError>> {
        let attempt = move |tried: u32| {
            let (bytes, expect) = (bytes.clone(), expect.clone());
            async move {
                let result = match tried {
                    0 => self.upload(key, &bytes, &expect).await,
                    _ => self.upload_again(key, &bytes, &expect).await,
                };
                result.map_err(|failure| failure.expecting(&expect))
            }
        };
        async move {
            retry(deadline, Pace::Write, attempt).await.map_err(|failure| failure.write(self, key))
        }
        .boxed()
    }

    fn children<'a>(
        &'a self,
        folder: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Vec<String>, ReadError>> {
        async move {
            let (mut names, mut token) = (Vec::new(), None);
            loop {
                let (page, next) =
                    retry(deadline, Pace::Read, |_| self.page(folder, token.clone()))
                        .await
                        .map_err(|failure| failure.read(self, folder))?;
                names.extend(page);
                token = next;
                if token.is_none() {
                    names.sort_unstable();
                    names.dedup();
                    return Ok(names);
                }
            }
        }
        .boxed()
    }
}

/// The total in `bytes 0-99/1234` (RFC 9110 section 14.4).
fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}
