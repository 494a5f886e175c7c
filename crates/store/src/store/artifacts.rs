//! The store's artifacts: packed on the way in, unpacked and verified on the way out.
//!
//! An artifact is named by the component it was compiled from, so two publishers may hold different bytes for one
//! name. The first one's stay, and every publisher learns what the store holds. The first artifact of a family (those
//! that begin alike) is the base that the later ones share frames with, so it must stay as long as they do.

use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use fs_err::File;

use crate::error::{ReadError, WriteError};
use crate::fetch::{ArtifactKey, Fetch, Scope};
use crate::layout;
use crate::objects::{Expect, Fetched};
use crate::packed::{self, BaseBlocks, Description, LABEL_BYTES, Label, StoredArtifact};
use crate::store::Store;

impl Store {
    /// Reads an artifact, decompressed, verified against what the release says. To map it from a file, use
    /// [`crate::Cache`].
    pub async fn artifact(&self, key: &ArtifactKey) -> Result<Bytes, ReadError> {
        let fetch = Fetch::begin(self.objects(), (key, Scope::All), self.deadline()).await?;
        let failed = |error| {
            let object = self.objects.url(&key.object());
            ReadError::Disk { object, source: Arc::new(error) }
        };
        let file = Arc::new(scratch(key.expected.size).map_err(failed)?);
        fetch.write_to(&file, None).await?;
        let length = usize::try_from(key.expected.size).unwrap_or(usize::MAX);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; length];
            file.file().read_exact_at(&mut bytes, 0).map(|()| bytes)
        });
        let bytes = read.await.map_err(io::Error::other).flatten();
        Ok(bytes.map_err(failed)?.into())
    }

    /// Compresses and writes the artifact of the component whose Wasm has `digest`, unless a whole one is there.
    ///
    /// `hot` is which bytes of it a first call touches, ascending and apart from each other; none when that is not
    /// known. A host begins when it has these.
    ///
    /// The answer describes what the store holds, and that is what a release must name: another publisher may have
    /// compiled the same component before, and its artifact then stays. One that lacks its label or is of the wrong
    /// length is replaced; that its bytes are right is seen only by those who load it.
    pub async fn put_artifact(
        &self,
        engine: &str,
        target: &str,
        digest: &str,
        (bytes, hot): (Bytes, Vec<Range<u64>>),
    ) -> Result<StoredArtifact, WriteError> {
        let key = layout::artifact(engine, target, digest);
        let expect = match self.describe(&key).await? {
            There::Nothing => Expect::Absent,
            There::Artifact(label) => return Ok(label.artifact),
            There::Damage => self.version(&key).await?,
        };
        let family = packed::family(&bytes).map(|start| layout::family(engine, target, &start));
        let base = match &family {
            Some(family) => self.base(family, (engine, target)).await?,
            None => None,
        };
        let is_first = base.is_none();
        let packing =
            tokio::task::spawn_blocking(move || packed::pack(&bytes, &hot, base.as_ref())).await;
        let (object, ours) = packing.map_err(io::Error::other).flatten().map_err(|error| {
            WriteError::Io { object: self.objects.url(&key), source: Arc::new(error) }
        })?;
        match self.put(&key, object.into(), expect).await {
            Ok(_) => {}
            // Another publisher was quicker.
            Err(WriteError::Conflict { object, expected }) => {
                return match self.describe(&key).await? {
                    There::Artifact(label) => Ok(label.artifact),
                    There::Nothing | There::Damage => {
                        Err(WriteError::Conflict { object, expected })
                    }
                };
            }
            Err(error) => return Err(error),
        }
        if let Some(family) = family.filter(|_| is_first) {
            let digest = Bytes::copy_from_slice(digest.as_bytes());
            match self.put(&family, digest, Expect::Any).await {
                // Of two first ones either will do.
                Ok(_) | Err(WriteError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ours)
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
            There::Artifact(label) => Ok(Some(label.artifact)),
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

    /// The blocks of a family's base; none where there is none that can be used.
    async fn base(
        &self,
        family: &str,
        (engine, target): (&str, &str),
    ) -> Result<Option<BaseBlocks>, ReadError> {
        let component = match self.objects.get(family, None, self.deadline()).await {
            Ok(Fetched::Object { bytes, .. }) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(Fetched::Unchanged)
            | Err(ReadError::NotFound { .. } | ReadError::NoStore { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = layout::artifact(engine, target, &component);
        let There::Artifact(label) = self.describe(&key).await? else { return Ok(None) };
        let end = (LABEL_BYTES + label.description) as u64;
        let text = self.objects.part(&key, LABEL_BYTES as u64..end, self.deadline()).await?;
        let Ok(description) = Description::read(&label, &text.bytes) else { return Ok(None) };
        let Some(list) = description.list(&label) else { return Ok(None) };
        let list = self.objects.part(&key, list, self.deadline()).await?;
        let hot = match label.artifact.start_size {
            start if start > end => {
                self.objects.part(&key, end..start, self.deadline()).await?.bytes
            }
            _ => Bytes::new(),
        };
        let parts = (&*list.bytes, &*hot);
        Ok(BaseBlocks::new(&component, (&label, &description), parts))
    }

    async fn describe(&self, key: &str) -> Result<There, ReadError> {
        let start = match self.objects.part(key, 0..LABEL_BYTES as u64, self.deadline()).await {
            Ok(start) => start,
            Err(ReadError::NotFound { .. } | ReadError::NoStore { .. }) => {
                return Ok(There::Nothing);
            }
            Err(error) => return Err(error),
        };
        let label = Label::read(&start.bytes);
        let whole = label.filter(|label| label.artifact.stored_size == start.total);
        Ok(whole.map_or(There::Damage, There::Artifact))
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
    /// Something without a readable label, or of another length than it says.
    Damage,
    Artifact(Label),
}

/// A file of this length without a name.
fn scratch(length: u64) -> io::Result<File> {
    let file = File::from_parts(tempfile::tempfile()?, "a temporary file");
    file.set_len(length)?;
    Ok(file)
}
