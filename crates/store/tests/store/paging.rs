//! Artifacts that begin before all of them is unpacked, over every kind of store.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;

use lambkin_store::{
    Artifact, ArtifactKey, Cache, PagedArtifact, Paging, ReadError, Source, Store,
};

use crate::cache::{cache, kept};
use crate::suite::{ENGINE, TARGET, alter, blob, key_of, noise};
use crate::watch::Watched;

const PAGE: u64 = 4096;

/// What is touched at first: some pages here and there, and zeros.
fn hot() -> Vec<Range<u64>> {
    vec![0..PAGE, 400 * PAGE..420 * PAGE, 1000 * PAGE..1001 * PAGE, 1300 * PAGE..1400 * PAGE]
}

fn content(seed: u64) -> Vec<u8> {
    [noise(seed, 5_000_000), vec![0; 1_000_000], noise(7, 2_000_123)].concat()
}

pub(crate) async fn a_first_call_finds_what_it_touches_and_the_rest_comes(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let content = content(1);
    let key = published(&store, &content, hot()).await;
    let paged = paged(&cache, &key).await;
    let file = paged.file().unwrap();
    let there = in_memory(&file);
    assert!((121 * PAGE..1 << 20).contains(&there), "{there} bytes are there");
    for range in hot() {
        assert_same(&file, &content, range);
    }
    assert_eq!(in_memory(&file), there, "what was read was there");
    // Pages of noise, of zeros, at the end, and across the borders of these.
    let last = (content.len() as u64 / PAGE) * PAGE;
    for at in [80 * PAGE, 1219 * PAGE, 1250 * PAGE, 1463 * PAGE, last] {
        let range = at..at + 2 * PAGE;
        paged.bring(range.clone()).unwrap();
        let before = in_memory(&file);
        assert_same(&file, &content, range);
        assert_eq!(in_memory(&file), before, "nothing of it was a hole");
    }
    paged.bring(0..last + PAGE).unwrap();
    assert_same(&file, &content, 0..content.len() as u64);
}

pub(crate) async fn what_was_paged_is_kept_whole_on_disk(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let content = content(2);
    let key = published(&store, &content, hot()).await;
    let paged = paged(&cache, &key).await;
    assert!(!kept(disk.path(), &key));
    paged.bring(80 * PAGE..81 * PAGE).unwrap();
    paged.fetch_rest().unwrap();
    cache.keep(&key, &paged).await.unwrap();
    let file = paged.file().unwrap();
    paged.bring(1100 * PAGE..1240 * PAGE).unwrap();
    assert_same(&file, &content, 1100 * PAGE..1240 * PAGE);
    match cache.artifact(&key, Paging::Yes).await.unwrap() {
        Artifact::File(file) => {
            assert_eq!(file.source, Source::Disk);
            assert_eq!(fs_err::read(file.path()).unwrap(), content);
        }
        other @ Artifact::Paged(..) => panic!("{other:?}"),
    }
    // It was kept already.
    cache.keep(&key, &paged).await.unwrap();
}

pub(crate) async fn beside_another_of_its_family_only_what_differs_is_fetched(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let (second, keys) = two_of_a_family(&store, 3).await;
    let alone = paged(&cache, &keys[0]).await;
    alone.fetch_rest().unwrap();
    cache.keep(&keys[0], &alone).await.unwrap();
    drop(cache.artifact_file(&keys[0]).await.unwrap());
    let (paged, fetched) = begun(&cache, &keys[1]).await;
    assert!(fetched < 20_000, "{fetched} bytes {keys:?}");
    let file = paged.file().unwrap();
    for range in hot() {
        assert_same(&file, &second, range);
    }
    paged.bring(0..second.len() as u64).unwrap();
    assert_same(&file, &second, 0..second.len() as u64);
}

pub(crate) async fn beside_another_in_memory_what_that_has_is_not_fetched(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let (second, keys) = two_of_a_family(&store, 10).await;
    let alone = paged(&cache, &keys[0]).await;
    let (paged, fetched) = begun(&cache, &keys[1]).await;
    assert_eq!(fetched, keys[1].start_size);
    drop(alone);
    paged.bring(0..second.len() as u64).unwrap();
    assert_same(&paged.file().unwrap(), &second, 0..second.len() as u64);
}

pub(crate) async fn without_the_other_at_hand_what_both_have_is_fetched_with_it(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let (second, keys) = two_of_a_family(&store, 11).await;
    let (paged, fetched) = begun(&cache, &keys[1]).await;
    assert!(fetched > 80_000, "{fetched} bytes");
    let file = paged.file().unwrap();
    for range in hot() {
        assert_same(&file, &second, range);
    }
    paged.bring(0..second.len() as u64).unwrap();
    assert_same(&file, &second, 0..second.len() as u64);
    let whole = cache.artifact_file(&keys[1]).await.unwrap();
    assert_eq!(fs_err::read(whole.path()).unwrap(), second);
}

pub(crate) async fn without_pages_that_are_known_to_be_touched_all_is_unpacked(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let content = content(4);
    for (key, paging) in [
        (published(&store, &content, Vec::new()).await, Paging::Yes),
        (
            published(&store, &noise(5, 3_000_000), vec![0..1_500_000, 1_500_000..3_000_000]).await,
            Paging::Yes,
        ),
        (published(&store, &self::content(6), hot()).await, Paging::No),
    ] {
        match cache.artifact(&key, paging).await.unwrap() {
            Artifact::File(file) => assert_eq!(file.source, Source::Store),
            other @ Artifact::Paged(..) => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn all_of_a_small_artifact_is_one_request(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let (watched, watched_store) = Watched::over(&store);
    let cache = cache(&watched_store, disk.path(), 1 << 30);
    let hot = || hot().into_iter().take(2).collect();
    let small = published(&store, &noise(11, 900_000), hot()).await;
    let whole = published(&store, &noise(12, 3_500_000), hot()).await;
    for (requests, key, paging) in [(1, small, Paging::Yes), (2, whole, Paging::No)] {
        let artifact = cache.artifact(&key, paging).await.unwrap();
        assert!(matches!(artifact, Artifact::File(_)), "{artifact:?}");
        assert_eq!(watched.requests(), requests, "{artifact:?}");
    }
}

pub(crate) async fn what_is_not_touched_at_first_is_checked_when_it_comes(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let content = content(8);
    let key = published(&store, &content, hot()).await;
    alter(&store, &object(&key), |object| {
        let cold = object.len() * 3 / 4;
        object[cold] ^= 1;
    })
    .await;
    let paged = paged(&cache, &key).await;
    for range in hot() {
        assert_same(&paged.file().unwrap(), &content, range);
    }
    let error = paged.fetch_rest().unwrap_err();
    assert!(matches!(error, ReadError::Corrupt { .. }), "{error:?}");
    let error = paged.bring(0..content.len() as u64).unwrap_err();
    assert!(error.to_string().contains(&key.component), "{error}");
    assert!(!kept(disk.path(), &key));
}

async fn paged(cache: &Cache, key: &ArtifactKey) -> Arc<PagedArtifact> {
    let (paged, fetched) = begun(cache, key).await;
    assert_eq!(fetched, key.start_size, "nothing but what a first call touches");
    assert!(fetched < key.stored_size / 3, "{fetched} of {}", key.stored_size);
    paged
}

/// An artifact in memory, and how many bytes were fetched for it.
async fn begun(cache: &Cache, key: &ArtifactKey) -> (Arc<PagedArtifact>, u64) {
    match cache.artifact(key, Paging::Yes).await.unwrap() {
        Artifact::Paged(paged, _, fetched) => (paged, fetched),
        other @ Artifact::File(_) => panic!("{other:?}"),
    }
}

/// Two that differ in five pages, and in a word of each of twenty that are touched: what the second is, and the names of
/// both.
async fn two_of_a_family(store: &Store, seed: u64) -> (Vec<u8>, [ArtifactKey; 2]) {
    let first = content(seed);
    let mut second = first.clone();
    second[4_500_000..4_520_000].fill(7);
    second[400 * 4096..420 * 4096].chunks_mut(4096).for_each(|page| page[8..12].fill(7));
    let keys = [published(store, &first, hot()).await, published(store, &second, hot()).await];
    (second, keys)
}

/// The artifact's name in the store.
fn object(key: &ArtifactKey) -> String {
    format!("artifacts/{ENGINE}/{TARGET}/{}", key.component)
}

async fn published(store: &Store, content: &[u8], hot: Vec<Range<u64>>) -> ArtifactKey {
    let (component, bytes) = blob(content);
    let stored = store.put_artifact(ENGINE, TARGET, &component, (bytes, hot)).await.unwrap();
    key_of(&component, &stored)
}

/// How many bytes of the file are no holes.
fn in_memory(file: &File) -> u64 {
    file.metadata().unwrap().blocks() * 512
}

fn assert_same(file: &File, content: &[u8], range: Range<u64>) {
    let end = range.end.min(content.len() as u64);
    let mut found = vec![0; usize::try_from(end - range.start).unwrap()];
    file.read_exact_at(&mut found, range.start).unwrap();
    let expected = &content[usize::try_from(range.start).unwrap()..usize::try_from(end).unwrap()];
    assert!(found == expected, "{range:?} differs");
}
