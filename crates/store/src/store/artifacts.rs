//! The store's artifacts: packed on the way in, unpacked and verified on the way out.
//!
//! An artifact is named by the component it was compiled from, so two publishers may hold different bytes for one
//! name. The first one's stay, and every publisher learns what the store holds.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;

use crate::error::{ReadError, WriteError};
use crate::objects::{Expect, Fetched};
use crate::packed::{self, ArtifactDigest, StoredArtifact, Unpack, UnpackError};
use crate::store::Store;
use crate::{layout, transfer};

impl Store {
    /// Reads the artifact of the component whose Wasm has `digest`, decompressed, verified against what the release
    /// says. To map it from a file, use [`crate::Cache`].
    pub async fn artifact(
        &self,
        engine: &str,
        target: &str,
        digest: &str,
        expected: &ArtifactDigest,
    ) -> Result<Bytes, ReadError> {
        let key = layout::artifact(engine, target, digest);
        let mut parts =
            Box::pin(transfer::parts(Arc::clone(&self.objects), &key, self.deadline()).await?);
        let judge = |error| self.unpack_error(&key, expected, error);
        let mut unpack = Unpack::new(Vec::new(), expected.clone())
            .map_err(|error| judge(UnpackError::Output(error)))?;
        while let Some(part) = parts.next().await.transpose()? {
            unpack.push(&part).map_err(judge)?;
        }
        Ok(unpack.finish().map_err(judge)?.into())
    }

    /// Compresses and writes the artifact of the component whose Wasm has `digest`, unless a whole one is there.
    ///
    /// The answer describes what the store holds, and that is what a release must name: another publisher may have
    /// compiled the same component before, and its artifact then stays. One that lacks its label or is of the wrong
    /// length is replaced; that its bytes are right is seen only by those who load it.
    pub async fn put_artifact(
        &self,
        engine: &str,
        target: &str,
        digest: &str,
        bytes: Bytes,
    ) -> Result<StoredArtifact, WriteError> {
        let key = layout::artifact(engine, target, digest);
        let packing = tokio::task::spawn_blocking(move || packed::pack(&bytes)).await;
        let (object, inside) =
            packing.map_err(std::io::Error::other).and_then(|packed| packed).map_err(|error| {
                WriteError::Io { object: self.objects.url(&key), source: Arc::new(error) }
            })?;
        let ours = StoredArtifact {
            digest: inside.digest,
            size: inside.size,
            stored_size: object.len() as u64,
        };
        let expect = match self.describe(&key).await? {
            There::Nothing => Expect::Absent,
            // Ours in another length was cut short, or packed by another version.
            There::Artifact(there) if there.digest == ours.digest && there != ours => {
                self.version(&key).await?
            }
            There::Artifact(there) => return Ok(there),
            There::Damage => self.version(&key).await?,
        };
        match self.put(&key, object.into(), expect).await {
            Ok(_) => Ok(ours),
            // Another publisher was quicker.
            Err(WriteError::Conflict { object, expected }) => match self.describe(&key).await? {
                There::Artifact(there) => Ok(there),
                There::Nothing | There::Damage => Err(WriteError::Conflict { object, expected }),
            },
            Err(error) => Err(error),
        }
    }

    /// What the store holds as the artifact of a component, read from its first bytes: none when there is nothing
    /// usable. A publisher that gets an answer need not compile.
    pub async fn find_artifact(
        &self,
        engine: &str,
        target: &str,
        digest: &str,
    ) -> Result<Option<StoredArtifact>, ReadError> {
        match self.describe(&layout::artifact(engine, target, digest)).await? {
            There::Artifact(there) => Ok(Some(there)),
            There::Nothing | There::Damage => Ok(None),
        }
    }

    /// Whether the store holds an artifact of a component; see [`Store::find_artifact`].
    pub async fn has_artifact(
        &self,
        engine: &str,
        target: &str,
        digest: &str,
    ) -> Result<bool, ReadError> {
        Ok(self.find_artifact(engine, target, digest).await?.is_some())
    }

    /// The error for a stored artifact that did not unpack.
    pub(crate) fn unpack_error(
        &self,
        key: &str,
        expected: &ArtifactDigest,
        error: UnpackError,
    ) -> ReadError {
        let object = self.objects.url(key);
        match error {
            UnpackError::Damaged(found) => {
                let expected = format!("{} ({} bytes)", expected.digest, expected.size);
                ReadError::Corrupt { object, expected, found }
            }
            UnpackError::Output(error) => ReadError::Disk { object, source: Arc::new(error) },
        }
    }

    async fn describe(&self, key: &str) -> Result<There, ReadError> {
        let start =
            match self.objects.part(key, 0..packed::LABEL_BYTES as u64, self.deadline()).await {
                Ok(start) => start,
                Err(ReadError::NotFound { .. } | ReadError::NoStore { .. }) => {
                    return Ok(There::Nothing);
                }
                Err(error) => return Err(error),
            };
        Ok(packed::label(&start.bytes).map_or(There::Damage, |inside| {
            There::Artifact(StoredArtifact {
                digest: inside.digest,
                size: inside.size,
                stored_size: start.total,
            })
        }))
    }

    /// To replace just the version that is there now, and not what another publisher repairs meanwhile.
    async fn version(&self, key: &str) -> Result<Expect, ReadError> {
        match self.objects.get(key, None, self.deadline()).await {
            Ok(Fetched::Object { etag, .. }) => Ok(Expect::Match(etag)),
            Ok(Fetched::Unchanged) | Err(ReadError::NotFound { .. }) => Ok(Expect::Absent),
            Err(error) => Err(error),
        }
    }
}

/// What is found under an artifact's key.
enum There {
    Nothing,
    /// Something without a readable label.
    Damage,
    Artifact(StoredArtifact),
}
