//! Which artifacts at hand have bytes in common: those with one base, or the base itself.
//!
//! Known are those that this process has fetched: their descriptions are not kept on disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::cache::disk::Disk;
use crate::fetch::{Local, Span};
use crate::packed::{ArtifactDigest, Description};
use crate::paged::PagedArtifact;

/// How many families this process remembers one artifact of; then it begins anew.
const REMEMBERED: usize = 1024;

/// An artifact of each family, by the digest of the family's base.
#[derive(Clone, Debug, Default)]
pub(super) struct Families(Arc<Mutex<HashMap<String, Arc<Member>>>>);

#[derive(Debug)]
struct Member {
    artifact: ArtifactDigest,
    spans: Vec<Span>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Disk,
    /// In memory, and only so much of it as the spans say.
    Memory(Weak<PagedArtifact>),
}

impl Families {
    /// Notes that the artifact is on disk. The base itself is of more use to the others than they are.
    pub(super) fn remember(&self, artifact: &ArtifactDigest, description: &Description) {
        let Some(base) = base_of(artifact, description) else { return };
        let spans = Span::of(description);
        self.insert(base, Member { artifact: artifact.clone(), spans, place: Place::Disk });
    }

    /// Notes that some of the artifact is in memory.
    pub(super) fn remember_paged(&self, artifact: &ArtifactDigest, paged: &Arc<PagedArtifact>) {
        let Some(base) = base_of(artifact, paged.description()) else { return };
        let place = Place::Memory(Arc::downgrade(paged));
        let spans = Span::of_those(paged.description(), |at| paged.is_there(at));
        self.insert(base, Member { artifact: artifact.clone(), spans, place });
    }

    fn insert(&self, base: &str, member: Member) {
        let mut families = self.lock();
        let is_better = |known: &Arc<Member>| match (&known.place, &member.place) {
            (Place::Disk, Place::Disk) => known.artifact.digest == *base,
            (Place::Disk, Place::Memory(_)) => true,
            (Place::Memory(_), Place::Disk) => false,
            (Place::Memory(paged), Place::Memory(_)) => paged.strong_count() > 0,
        };
        if families.get(base).is_some_and(is_better) {
            return;
        }
        if families.len() >= REMEMBERED {
            families.clear();
        }
        families.insert(base.to_owned(), Arc::new(member));
    }

    /// What is at hand of the base of an artifact. The file stays as long as the answer.
    pub(super) fn local(&self, disk: &Disk, description: &Description) -> Option<Local> {
        let base = description.base.as_ref()?;
        let member = self.lock().get(&base.digest).cloned()?;
        let file = match &member.place {
            Place::Disk => {
                let kept = disk.find(&member.artifact, None);
                kept.ok().flatten().map(|kept| Arc::new(kept.lease))
            }
            Place::Memory(paged) => paged.upgrade().map(|paged| paged.shared_file()),
        };
        if file.is_none() {
            // It was evicted, or cannot be read: then its bytes are fetched.
            self.lock().remove(&base.digest);
        }
        file.map(|file| Local { file, spans: member.spans.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Member>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest of the base that others may share with the artifact; none where there is nothing to share.
fn base_of<'a>(artifact: &'a ArtifactDigest, description: &'a Description) -> Option<&'a str> {
    match &description.base {
        None => description.can_be_base().then_some(&artifact.digest),
        Some(base) => Some(&base.digest),
    }
}
