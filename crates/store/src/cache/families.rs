//! Which artifacts on disk have bytes in common: those with one base, or the base itself.
//!
//! Known are those that this process has fetched: their descriptions are not kept on disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::disk::Disk;
use crate::fetch::{Local, Span};
use crate::packed::{ArtifactDigest, Description};

/// How many families this process remembers one artifact of; then it begins anew.
const REMEMBERED: usize = 1024;

/// An artifact of each family, by the digest of the family's base.
#[derive(Clone, Debug, Default)]
pub(super) struct Families(Arc<Mutex<HashMap<String, Arc<Member>>>>);

#[derive(Debug)]
struct Member {
    artifact: ArtifactDigest,
    spans: Vec<Span>,
}

impl Families {
    /// Notes that the artifact is on disk. The base itself is of more use to the others than they are.
    pub(super) fn remember(&self, artifact: &ArtifactDigest, description: &Description) {
        let base = match &description.base {
            None if !description.can_be_base() => return,
            None => &artifact.digest,
            Some(base) => &base.digest,
        };
        let mut families = self.lock();
        if families.get(base).is_some_and(|known| known.artifact.digest == *base) {
            return;
        }
        if families.len() >= REMEMBERED {
            families.clear();
        }
        let member = Member { artifact: artifact.clone(), spans: Span::of(description) };
        families.insert(base.clone(), Arc::new(member));
    }

    /// What the disk has of the base of an artifact. The file stays as long as the answer.
    pub(super) async fn local(&self, disk: &Disk, description: &Description) -> Option<Local> {
        let base = description.base.as_ref()?;
        let member = self.lock().get(&base.digest).cloned()?;
        if let Ok(Some(kept)) = disk.find(&member.artifact, None).await {
            return Some(Local { file: kept.lease, spans: member.spans.clone() });
        }
        // It was evicted, or cannot be read: then its bytes are fetched.
        self.lock().remove(&base.digest);
        None
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Member>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
