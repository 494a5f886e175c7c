//! Which artifacts on disk have bytes in common: those with one base, or the base itself.
//!
//! Known are those that this process has fetched: their descriptions are not kept on disk.

use std::sync::Arc;

use moka::future::Cache as Memory;

use crate::cache::disk::Disk;
use crate::fetch::{Local, Span};
use crate::packed::{ArtifactDigest, Description};

/// How many families this process remembers one artifact of.
const REMEMBERED: u64 = 1024;

/// An artifact of each family, by the digest of the family's base.
#[derive(Clone, Debug)]
pub(super) struct Families(Memory<String, Arc<Member>>);

#[derive(Debug)]
struct Member {
    artifact: ArtifactDigest,
    spans: Vec<Span>,
}

impl Families {
    pub(super) fn new() -> Self {
        Self(Memory::new(REMEMBERED))
    }

    /// Notes that the artifact is on disk. The base itself is of more use to the others than they are.
    pub(super) async fn remember(&self, artifact: &ArtifactDigest, description: &Description) {
        let member = || {
            let (artifact, spans) = (artifact.clone(), Span::of(description));
            Arc::new(Member { artifact, spans })
        };
        match &description.base {
            None if description.can_be_base() => {
                self.0.insert(artifact.digest.clone(), member()).await;
            }
            None => {}
            Some(base) => {
                let known = self.0.get(&base.digest).await;
                if known.is_none_or(|known| known.artifact.digest != base.digest) {
                    self.0.insert(base.digest.clone(), member()).await;
                }
            }
        }
    }

    /// What the disk has of the base of an artifact. The file stays as long as the answer.
    pub(super) async fn local(&self, disk: &Disk, description: &Description) -> Option<Local> {
        let base = description.base.as_ref()?;
        let member = self.0.get(&base.digest).await?;
        if let Ok(Some(kept)) = disk.find(&member.artifact, None).await {
            return Some(Local { file: kept.lease, spans: member.spans.clone() });
        }
        // It was evicted, or cannot be read: then its bytes are fetched.
        self.0.invalidate(&base.digest).await;
        None
    }
}
