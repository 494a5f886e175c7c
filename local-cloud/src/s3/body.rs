//! Bytes between sockets and files: an upload is hashed and checked while it is written, a download is read in chunks.

use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use fs_err as fs;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use md5::{Digest as _, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};

use super::folder::{Folder, internal};
use super::record::Checksums;

/// How much is read or written at once, in bytes.
const CHUNK: usize = 1 << 20;

/// What the writer promised about the bytes it sends; a promise that is not kept is a `BadDigest`.
#[derive(Default)]
pub(crate) struct Promise {
    /// `Content-MD5`, base64.
    pub(crate) md5: Option<String>,
    pub(crate) checksums: Checksums,
    /// The checksum that will come after the body, by header name.
    pub(crate) trailer: Option<String>,
    pub(crate) trailing_headers: Option<TrailingHeaders>,
}

/// Data on disk that no record names yet: removed again unless it is kept.
pub(crate) struct Received {
    folder: Arc<Folder>,
    bucket: String,
    data: String,
    kept: bool,
    pub(crate) size: u64,
    /// MD5 of the bytes.
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Checksums,
}

impl Received {
    /// The name of the data, for the record that will name it.
    pub(crate) fn data(&self) -> &str {
        &self.data
    }

    /// Leaves the data in place: a record names it now.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.kept {
            self.folder.remove_data(&self.bucket, &self.data);
        }
    }
}

/// The file being written, moved in and out of the blocking threads.
struct Writer {
    path: PathBuf,
    file: Option<fs::File>,
    md5: Md5,
    checksums: ChecksumHasher,
    received: Received,
}

impl Writer {
    fn write(&mut self, chunk: &[u8]) -> S3Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(fs::File::create_new(&self.path).map_err(internal)?),
        };
        file.write_all(chunk).map_err(internal)?;
        self.md5.update(chunk);
        self.checksums.update(chunk);
        self.received.size += chunk.len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Received {
        self.received.md5 = self.md5.finalize().into();
        self.received.checksums = self.checksums.finalize().into();
        self.received
    }
}

/// Writes a request's body to new data of `bucket` and holds it against the writer's promise.
pub(crate) async fn receive(
    folder: &Arc<Folder>,
    bucket: &str,
    body: Option<StreamingBlob>,
    promise: Promise,
) -> S3Result<Received> {
    let (data, path) = folder.new_data(bucket)?;
    let received = Received {
        folder: Arc::clone(folder),
        bucket: bucket.to_owned(),
        data,
        kept: false,
        size: 0,
        md5: [0; 16],
        checksums: Checksums::default(),
    };
    let mut writer =
        Writer { path, file: None, md5: Md5::new(), checksums: hasher(&promise), received };
    let mut pending = BytesMut::new();
    if let Some(mut body) = body {
        while let Some(chunk) =
            body.try_next().await.map_err(|source| s3_error!(IncompleteBody, "{source}"))?
        {
            pending.extend_from_slice(&chunk);
            if pending.len() >= CHUNK {
                writer = write(writer, pending.split().freeze()).await?;
            }
        }
    }
    let received = write(writer, pending.freeze()).await?.finish();
    promise.check(&received)?;
    Ok(received)
}

async fn write(mut writer: Writer, chunk: Bytes) -> S3Result<Writer> {
    blocking(move || writer.write(&chunk).map(|()| writer)).await
}

fn hasher(promise: &Promise) -> ChecksumHasher {
    let trailer = promise.trailer.as_deref().unwrap_or_default().to_ascii_lowercase();
    let wanted = |name: &str, given: &Option<String>| given.is_some() || trailer.contains(name);
    let sums = &promise.checksums;
    ChecksumHasher {
        crc32: wanted("x-amz-checksum-crc32", &sums.crc32).then(s3s::crypto::Crc32::new),
        crc32c: wanted("x-amz-checksum-crc32c", &sums.crc32c).then(s3s::crypto::Crc32c::new),
        crc64nvme: wanted("x-amz-checksum-crc64nvme", &sums.crc64nvme)
            .then(s3s::crypto::Crc64Nvme::new),
        sha1: wanted("x-amz-checksum-sha1", &sums.sha1).then(s3s::crypto::Sha1::new),
        sha256: wanted("x-amz-checksum-sha256", &sums.sha256).then(s3s::crypto::Sha256::new),
    }
}

impl Promise {
    fn check(&self, received: &Received) -> S3Result<()> {
        if self.md5.as_ref().is_some_and(|md5| *md5 != STANDARD.encode(received.md5)) {
            return Err(s3_error!(
                BadDigest,
                "the Content-MD5 you specified did not match what was received"
            ));
        }
        let found = &received.checksums;
        let given = &self.checksums;
        for (name, found, given) in [
            ("x-amz-checksum-crc32", &found.crc32, &given.crc32),
            ("x-amz-checksum-crc32c", &found.crc32c, &given.crc32c),
            ("x-amz-checksum-crc64nvme", &found.crc64nvme, &given.crc64nvme),
            ("x-amz-checksum-sha1", &found.sha1, &given.sha1),
            ("x-amz-checksum-sha256", &found.sha256, &given.sha256),
        ] {
            let trailing = self.trailing(name);
            let expected = given.as_ref().or(trailing.as_ref());
            if expected.is_some() && expected != found.as_ref() {
                return Err(s3_error!(
                    BadDigest,
                    "the {name} you specified did not match what was received"
                ));
            }
        }
        Ok(())
    }

    fn trailing(&self, name: &str) -> Option<String> {
        let value =
            self.trailing_headers.as_ref()?.read(|headers| headers.get(name).cloned())??;
        value.to_str().ok().map(str::to_owned)
    }
}

/// The bytes of `range` as a response body; small ones are read at once.
pub(crate) async fn send(file: fs::File, range: Range<u64>) -> S3Result<StreamingBlob> {
    let file = Arc::new(file.into_file());
    let first =
        read(Arc::clone(&file), range.start..range.end.min(range.start + CHUNK as u64)).await?;
    let after = range.start + first.len() as u64;
    let rest = stream::try_unfold((file, after), move |(file, at)| async move {
        if at >= range.end {
            return Ok(None);
        }
        let chunk = read(Arc::clone(&file), at..range.end.min(at + CHUNK as u64)).await?;
        let next = at + chunk.len() as u64;
        Ok::<_, S3Error>(Some((chunk, (file, next))))
    });
    Ok(StreamingBlob::wrap(stream::once(async move { Ok(first) }).chain(rest)))
}

async fn read(file: Arc<std::fs::File>, range: Range<u64>) -> S3Result<Bytes> {
    let length =
        usize::try_from(range.end.saturating_sub(range.start)).map_err(S3Error::internal_error)?;
    blocking(move || {
        let mut chunk = vec![0; length];
        file.read_exact_at(&mut chunk, range.start).map_err(internal)?;
        Ok(chunk.into())
    })
    .await
}

/// Runs what waits for the disk or for the index off the event loop.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|failure| Err(S3Error::internal_error(failure)))
}
