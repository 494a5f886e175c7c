//! Static files: reads what `lambkin_protocol::files` decided on from the store, and sends what is too large for Lambda's
//! answer another way.
//!
//! Nothing is set up here before the first request for a file: indexes and small files that were asked for stay in memory.

use crate::config::ResponseMode;
use crate::error::{Failure, Fault};
use crate::guest;
use crate::invocation::{Answer, Destination, Host, Streamed, tags};
use crate::received::Received;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use lambkin_engine::{Body, BodyError};
use lambkin_protocol::answer;
use lambkin_protocol::event::{Format, HttpEvent};
use lambkin_protocol::files::{self, Content, Index, IndexError};
use lambkin_protocol::release::FileIndex;
use lambkin_protocol::routes;
use lambkin_store::{ReadError, SignedHeaders, Store};
use moka::future::Cache as Memory;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A file up to this size is kept in memory, and read whole and verified.
const SMALL: u64 = 1 << 20;
/// What small files may take in memory together, in bytes.
const MEMORY: u64 = 16 << 20;
/// How many indexes are kept.
const INDEXES: u64 = 64;
/// How much of a large file is read at once.
const PART: u64 = 1 << 20;
/// How many parts of it are under way at once.
const PARTS_AHEAD: usize = 2;
/// What a body may take that goes into a JSON answer as base64, with room for the headers.
const LARGEST: u64 = (answer::MAX_PAYLOAD as u64 / 4 * 3) - (64 << 10);
/// The same for an Application Load Balancer, which takes answers of 1 MB
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>).
const LARGEST_FOR_ALB: u64 = (1_000_000 / 4 * 3) - (16 << 10);
/// How long a URL to S3 may be used. A download that has begun goes on.
const URL_VALID: Duration = Duration::from_mins(15);

/// Why files cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error("release {release} has no index of them: publish the app again")]
    NoIndex { release: String },
    #[error("the store cannot be read")]
    Read(#[from] Arc<ReadError>),
    #[error("their index cannot be read")]
    Index(#[from] Arc<IndexError>),
}

impl FilesError {
    /// Whose fault it is.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Read(error) if matches!(**error, ReadError::Unavailable { .. }) => {
                Fault::Upstream
            }
            _ => Fault::Config,
        }
    }
}

/// The files of all apps, and what was read of them.
#[derive(Debug)]
pub(crate) struct Files {
    store: Store,
    memory: OnceLock<Kept>,
}

#[derive(Debug)]
struct Kept {
    indexes: Memory<String, Arc<Index>>,
    small: Memory<String, Bytes>,
}

impl Files {
    /// Nothing is read yet.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, memory: OnceLock::new() }
    }

    fn kept(&self) -> &Kept {
        self.memory.get_or_init(|| Kept {
            indexes: Memory::new(INDEXES),
            small: Memory::builder()
                .max_capacity(MEMORY)
                .weigher(|_, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
                .build(),
        })
    }

    async fn index(&self, index: &FileIndex) -> Result<Arc<Index>, FilesError> {
        let digest = &index.digest;
        if let Some(index) = self.kept().indexes.get(digest).await {
            return Ok(index);
        }
        let bytes = self.small(digest).await?;
        let index = Arc::new(Index::parse(&bytes).map_err(Arc::new)?);
        self.kept().indexes.insert(digest.clone(), Arc::clone(&index)).await;
        Ok(index)
    }

    /// A whole blob, verified.
    async fn small(&self, digest: &str) -> Result<Bytes, FilesError> {
        let read = async { self.store.blob(digest).await };
        Ok(self.kept().small.try_get_with(digest.to_owned(), read).await?)
    }

    /// The bytes of a blob, as they are read.
    async fn body(&self, digest: String, size: u64, range: Range<u64>) -> Result<Body, FilesError> {
        if size <= SMALL {
            let place = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
            let whole = self.small(&digest).await?;
            let part = place(range.start)..place(range.end).min(whole.len());
            return Ok(guest::body_of(whole.slice(part)));
        }
        // The first part tells whether there is anything to be sent.
        let first = range.start..range.end.min(range.start + PART);
        let rest = first.end..range.end;
        let first = self.store.blob_part(&digest, size, first).await.map_err(Arc::new)?;
        let (store, digest) = (self.store.clone(), Arc::<str>::from(digest));
        let starts = (rest.start..rest.end).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        let rest = stream::iter(starts).map(move |start| {
            let (store, digest) = (store.clone(), Arc::clone(&digest));
            let part = start..rest.end.min(start + PART);
            async move { store.blob_part(&digest, size, part).await }
        });
        let parts = stream::iter([Ok(first)]).chain(rest.buffered(PARTS_AHEAD));
        let frames = parts.map(|part| {
            part.map(Frame::data).map_err(|error| BodyError(crate::error::chain(&error)))
        });
        Ok(StreamBody::new(frames).boxed_unsync())
    }
}

impl Host {
    /// Answers an event whose route leads to files.
    pub(crate) async fn answer_file(
        &self,
        received: &Received,
        destination: &Destination,
        http: &HttpEvent,
    ) -> Result<Answer, Failure> {
        let decided = self.decide(received, destination, (&http.method, &http.headers)).await?;
        if self.response_mode == ResponseMode::Stream {
            let response = self.read(destination, decided).await?;
            return Ok(Answer::Stream(Streamed::whole(response)));
        }
        let most =
            if matches!(http.format, Format::Alb { .. }) { LARGEST_FOR_ALB } else { LARGEST };
        if let Some(redirect) = self.elsewhere(destination, &decided, most).await? {
            return payload(http.format, redirect, &Bytes::new());
        }
        let (parts, body) = self.read(destination, decided).await?.into_parts();
        let body = body.collect().await.map_err(|error| Failure::RequestBody(error.to_string()))?;
        payload(http.format, Response::from_parts(parts, ()), &body.to_bytes())
    }

    /// Answers a request whose route leads to files; the body is read as it is sent.
    pub(crate) async fn file(
        &self,
        received: &Received,
        destination: &Destination,
        request: (&Method, &HeaderMap),
    ) -> Result<Response<Body>, Failure> {
        let decided = self.decide(received, destination, request).await?;
        self.read(destination, decided).await
    }

    async fn decide(
        &self,
        received: &Received,
        destination: &Destination,
        (method, headers): (&Method, &HeaderMap),
    ) -> Result<files::Answer, Failure> {
        let Destination { app, files: Some(route), .. } = destination else {
            return Err(Failure::NoComponent { what: "the request".to_owned() });
        };
        received.tag(tags(app, "", &received.request_id));
        let index = match app.release.files.get(route.folder()) {
            Some(index) => self.files.index(index).await,
            None => Err(FilesError::NoIndex { release: app.release_id.clone() }),
        };
        let index = index.map_err(|source| failure(destination, source))?;
        let matched = destination.route.as_deref().unwrap_or_default();
        let rest = routes::rest(matched, &destination.path);
        Ok(files::answer(&index, route, (method, rest), headers))
    }

    async fn read(
        &self,
        destination: &Destination,
        decided: files::Answer,
    ) -> Result<Response<Body>, Failure> {
        let body = match decided.body {
            Content::Empty => guest::body_of(Bytes::new()),
            Content::Text(text) => guest::body_of(Bytes::from_static(text.as_bytes())),
            Content::Blob { digest, size, range } => {
                let body = self.files.body(digest, size, range).await;
                body.map_err(|source| failure(destination, source))?
            }
        };
        Ok(decided.head.map(|()| body))
    }

    /// Where a body is to be had that is too large for Lambda's answer; none for one that is not.
    async fn elsewhere(
        &self,
        destination: &Destination,
        decided: &files::Answer,
        most: u64,
    ) -> Result<Option<Response<()>>, Failure> {
        let Content::Blob { digest, range, .. } = &decided.body else { return Ok(None) };
        let bytes = range.end - range.start;
        if bytes <= most {
            return Ok(None);
        }
        let said = |name| {
            let value: Option<&HeaderValue> = decided.head.headers().get(name);
            value.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
        };
        let headers = SignedHeaders {
            content_type: said(header::CONTENT_TYPE),
            content_encoding: said(header::CONTENT_ENCODING),
            cache_control: said(header::CACHE_CONTROL),
        };
        let url = self.files.store.blob_url(digest, &headers, URL_VALID).await;
        let url = url.map_err(|source| failure(destination, Arc::new(source).into()))?;
        let location = url.and_then(|url| HeaderValue::from_str(&url).ok());
        let location = location.ok_or(Failure::FileTooLarge { bytes })?;
        let mut redirect = Response::new(());
        *redirect.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        // The URL ends; nobody else is to be sent there.
        let control = HeaderValue::from_static("private, no-store");
        redirect
            .headers_mut()
            .extend([(header::LOCATION, location), (header::CACHE_CONTROL, control)]);
        Ok(Some(redirect))
    }
}

fn payload(format: Format, head: Response<()>, body: &Bytes) -> Result<Answer, Failure> {
    let (parts, ()) = head.into_parts();
    let payload = answer::buffered(format, &parts, body)
        .map_err(|source| Failure::Answer { component: String::new(), source })?;
    Ok(Answer::Whole(payload.into()))
}

fn failure(destination: &Destination, source: FilesError) -> Failure {
    let folder = destination.files.as_ref().map_or("", |files| files.folder()).to_owned();
    Failure::Files { folder, source }
}
