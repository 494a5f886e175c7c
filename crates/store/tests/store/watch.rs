//! A place that counts the requests it passes on.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use lambkin_store::{
    Apart, Deadline, ETag, Expect, Fetched, Objects, Part, ReadError, Store, WriteError,
};

/// Counts whole reads and first parts, so that one download of any size counts once.
#[derive(Debug)]
pub(crate) struct Watched {
    inner: Arc<dyn Objects>,
    reads: AtomicUsize,
    /// Of parts, each counted.
    requests: AtomicUsize,
}

impl Watched {
    /// The same store, watched.
    pub(crate) fn over(store: &Store) -> (Arc<Self>, Store) {
        let (reads, requests) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let watched = Arc::new(Self { inner: store.objects(), reads, requests });
        let store = Store::over(watched.clone());
        (watched, store)
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// How many parts were asked for.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Objects for Watched {
    fn apart(&self) -> Option<Apart> {
        self.inner.apart()
    }

    fn url(&self, key: &str) -> String {
        self.inner.url(key)
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        known: Option<&'a ETag>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Fetched, ReadError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.get(key, known, deadline)
    }

    fn part<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Part, ReadError>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if range.start == 0 {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.part(key, range, deadline)
    }

    fn size<'a>(
        &'a self,
        key: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Option<u64>, ReadError>> {
        self.inner.size(key, deadline)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        expect: Expect,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<ETag, WriteError>> {
        self.inner.put(key, bytes, expect, deadline)
    }

    fn children<'a>(
        &'a self,
        folder: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Vec<String>, ReadError>> {
        self.inner.children(folder, deadline)
    }
}
