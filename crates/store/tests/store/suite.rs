//! What every store must do, whatever keeps its objects.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use lambkin_store::{
    ArtifactKey, Deadline, Expect, Fetched, Pointer, Put, ReadError, Store, StoredArtifact,
    WriteError,
};
use sha2::{Digest as _, Sha256};

pub(crate) const ENGINE: &str = "engine-1";
pub(crate) const TARGET: &str = "x86_64";

pub(crate) async fn blobs_come_back_and_are_stored_once(store: Store) {
    let (digest, bytes) = blob(b"hello");
    assert!(!store.has_blob(&digest).await.unwrap());
    assert_eq!(store.put_blob(&digest, bytes.clone()).await.unwrap(), Put::Stored);
    assert_eq!(store.put_blob(&digest, bytes.clone()).await.unwrap(), Put::AlreadyThere);
    assert!(store.has_blob(&digest).await.unwrap());
    assert_eq!(store.blob(&digest).await.unwrap(), bytes);
}

pub(crate) async fn large_and_empty_blobs_come_back(store: Store) {
    for content in [noise(1, 9_500_000), noise(2, 4 * 1024 * 1024), Vec::new()] {
        let (digest, bytes) = blob(&content);
        assert_eq!(store.put_blob(&digest, bytes.clone()).await.unwrap(), Put::Stored);
        assert_eq!(store.blob(&digest).await.unwrap(), bytes);
        assert_eq!(store.put_blob(&digest, bytes).await.unwrap(), Put::AlreadyThere);
    }
}

pub(crate) async fn bytes_that_are_not_what_the_name_says_are_refused(store: Store) {
    let (digest, _) = blob(b"hello");
    let error = store.put_blob(&digest, Bytes::from_static(b"other")).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Mismatch { object, .. } if object.ends_with(&format!("blobs/{digest}")))
    );
    let error = store
        .put_release("shop", "0123456789abcdef0123", Bytes::from_static(b"{}"))
        .await
        .unwrap_err();
    assert!(matches!(error, WriteError::Mismatch { .. }));
    assert!(!store.has_blob(&digest).await.unwrap());
}

pub(crate) async fn what_is_missing_is_named(store: Store) {
    store.put_alias("shop", "live", Bytes::from_static(b"{}"), Expect::Absent).await.unwrap();
    let (digest, _) = blob(b"never stored");
    let absent =
        StoredArtifact { digest: digest.clone(), size: 12, stored_size: 12, start_size: 12 };
    let errors = [
        (store.blob(&digest).await.unwrap_err(), format!("blobs/{digest}")),
        (store.release("shop", "00").await.unwrap_err(), "apps/shop/releases/00.json".to_owned()),
        (
            store.artifact(&key_of(&digest, &absent)).await.unwrap_err(),
            format!("artifacts/{ENGINE}/{TARGET}/{digest}"),
        ),
    ];
    for (error, key) in errors {
        assert!(
            matches!(&error, ReadError::NotFound { object } if object == &store.objects().url(&key)),
            "{error}"
        );
    }
    assert_eq!(store.alias("shop", "other", None).await.unwrap(), Pointer::Missing);
    assert_eq!(store.domain("example.com", None).await.unwrap(), Pointer::Missing);
    assert_eq!(store.find_artifact(ENGINE, TARGET, &digest).await.unwrap(), None);
    assert!(store.list_releases("nobody").await.unwrap().is_empty());
}

pub(crate) async fn altered_objects_are_corrupt(store: Store) {
    let (digest, bytes) = blob(&noise(3, 50_000));
    store.put_blob(&digest, bytes.clone()).await.unwrap();
    let stored =
        store.put_artifact(ENGINE, TARGET, &digest, (bytes.clone(), Vec::new())).await.unwrap();
    let id = release_id(b"{}");
    store.put_release("shop", &id, Bytes::from_static(b"{}")).await.unwrap();
    let keys = [
        format!("blobs/{digest}"),
        format!("artifacts/{ENGINE}/{TARGET}/{digest}"),
        format!("apps/shop/releases/{id}.json"),
    ];
    for key in &keys {
        alter(&store, key, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        })
        .await;
    }
    let errors = [
        store.blob(&digest).await.unwrap_err(),
        store.artifact(&key_of(&digest, &stored)).await.unwrap_err(),
        store.release("shop", &id).await.unwrap_err(),
    ];
    for (error, key) in errors.into_iter().zip(&keys) {
        let ReadError::Corrupt { object, expected, found } = &error else { panic!("{error}") };
        assert!(object.ends_with(key.as_str()), "{object}");
        assert!(
            expected != found
                && [&digest, &stored.digest, &id].iter().any(|named| expected.starts_with(*named)),
            "{expected} {found}"
        );
    }
}

pub(crate) async fn artifacts_come_back_and_describe_themselves(store: Store) {
    for content in [noise(4, 9_500_000), b"small".repeat(1000)] {
        let (digest, bytes) = blob(&content);
        let stored =
            store.put_artifact(ENGINE, TARGET, &digest, (bytes.clone(), Vec::new())).await.unwrap();
        assert_eq!(stored.size, content.len() as u64);
        let object = object(&store, &format!("artifacts/{ENGINE}/{TARGET}/{digest}")).await;
        // The digest is that of the description, whose length the label ends with.
        let length = u32::from_le_bytes(object[64..68].try_into().unwrap()) as usize;
        assert_eq!(blob(&object[68..68 + length]).0, stored.digest);
        assert_eq!(object.len() as u64, stored.stored_size);
        assert_eq!(
            store.find_artifact(ENGINE, TARGET, &digest).await.unwrap(),
            Some(stored.clone())
        );
        assert!(store.has_artifact(ENGINE, TARGET, &digest).await.unwrap());
        assert!(!store.has_artifact(ENGINE, "aarch64", &digest).await.unwrap());
        assert_eq!(store.artifact(&key_of(&digest, &stored)).await.unwrap(), bytes);
    }
}

pub(crate) async fn the_first_publisher_of_an_artifact_is_kept(store: Store) {
    let component = blob(b"the component").0;
    let compiled = join_all((0..4).map(|n| {
        store.put_artifact(ENGINE, TARGET, &component, (noise(n, 5000).into(), Vec::new()))
    }))
    .await;
    let first = compiled[0].as_ref().unwrap();
    assert!(compiled.iter().all(|stored| stored.as_ref().unwrap() == first));
    assert_eq!(store.artifact(&key_of(&component, first)).await.unwrap().len(), 5000);
}

pub(crate) async fn a_truncated_artifact_is_corrupt_and_is_replaced_by_the_next_publisher(
    store: Store,
) {
    let (digest, bytes) = blob(&noise(5, 100_000));
    let key = format!("artifacts/{ENGINE}/{TARGET}/{digest}");
    for length in [0, 20, 68, 50_000] {
        let stored =
            store.put_artifact(ENGINE, TARGET, &digest, (bytes.clone(), Vec::new())).await.unwrap();
        assert!(stored.stored_size > 50_000);
        alter(&store, &key, |object| object.truncate(length)).await;
        let error = store.artifact(&key_of(&digest, &stored)).await.unwrap_err();
        assert!(
            matches!(&error, ReadError::Corrupt { object, .. } if object.ends_with(&key)),
            "{length}: {error}"
        );
    }
    let stored =
        store.put_artifact(ENGINE, TARGET, &digest, (bytes.clone(), Vec::new())).await.unwrap();
    assert_eq!(store.artifact(&key_of(&digest, &stored)).await.unwrap(), bytes);
}

pub(crate) async fn an_alias_moves_by_compare_and_swap(store: Store) {
    let put = |text: &'static str, expect| {
        store.put_alias("shop", "live", Bytes::from_static(text.as_bytes()), expect)
    };
    let first = put("one", Expect::Absent).await.unwrap();
    let error = put("two", Expect::Absent).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Conflict { object, expected: Expect::Absent } if object.ends_with("shop/aliases/live.json"))
    );
    let Pointer::Changed { bytes, etag } = store.alias("shop", "live", None).await.unwrap() else {
        panic!()
    };
    assert_eq!((&bytes[..], &etag), (&b"one"[..], &first));
    assert_eq!(store.alias("shop", "live", Some(&first)).await.unwrap(), Pointer::Unchanged);
    let second = put("two", Expect::Match(first.clone())).await.unwrap();
    let error = put("three", Expect::Match(first.clone())).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Conflict { expected: Expect::Match(tag), .. } if tag == first)
    );
    let Pointer::Changed { bytes, etag } = store.alias("shop", "live", Some(&first)).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((&bytes[..], etag), (&b"two"[..], second.clone()));
    let gone = store
        .put_alias("shop", "new", Bytes::from_static(b"x"), Expect::Match(second))
        .await
        .unwrap_err();
    assert!(matches!(gone, WriteError::Conflict { .. }), "{gone}");
    assert_eq!(store.alias("shop", "new", None).await.unwrap(), Pointer::Missing);
}

pub(crate) async fn one_of_eight_racing_writers_creates_an_alias(store: Store) {
    for round in 0..5 {
        race(&store, &format!("race-{round}"), &Expect::Absent).await;
    }
}

pub(crate) async fn one_of_eight_racing_writers_moves_an_alias(store: Store) {
    for round in 0..5 {
        let alias = format!("race-{round}");
        let etag = store
            .put_alias("shop", &alias, Bytes::from_static(b"start"), Expect::Absent)
            .await
            .unwrap();
        race(&store, &alias, &Expect::Match(etag)).await;
    }
}

pub(crate) async fn domains_and_lists(store: Store) {
    for alias in ["live", "feature/new basket", "..", "příliš~"] {
        store.put_alias("shop", alias, Bytes::from_static(b"{}"), Expect::Absent).await.unwrap();
    }
    let mut ids: Vec<String> = Vec::new();
    for text in ["{}", "{\"a\":1}"] {
        let id = release_id(text.as_bytes());
        assert_eq!(store.put_release("shop", &id, text.into()).await.unwrap(), Put::Stored);
        assert_eq!(store.put_release("shop", &id, text.into()).await.unwrap(), Put::AlreadyThere);
        assert_eq!(store.release("shop", &id).await.unwrap(), text);
        ids.push(id);
    }
    ids.sort();
    store.put_alias("a.json", "live", Bytes::from_static(b"{}"), Expect::Absent).await.unwrap();
    store.put_domain("shop.example.com", Bytes::from_static(b"{}"), Expect::Absent).await.unwrap();
    assert!(matches!(
        store.domain("shop.example.com", None).await.unwrap(),
        Pointer::Changed { .. }
    ));
    assert_eq!(store.list_apps().await.unwrap(), ["a.json", "shop"]);
    assert_eq!(store.list_releases("shop").await.unwrap(), ids);
    let mut aliases = store.list_aliases("shop").await.unwrap();
    aliases.sort();
    assert_eq!(aliases, ["..", "feature/new basket", "live", "příliš~"]);
}

/// Eight writers at once: one wins, the others see a conflict, and what is there is the winner's.
async fn race(store: &Store, alias: &str, expect: &Expect) {
    let writers = (0..8).map(|writer| {
        let (store, alias, expect) = (store.clone(), alias.to_owned(), expect.clone());
        tokio::spawn(async move {
            store.put_alias("shop", &alias, format!("writer {writer}").into(), expect).await
        })
    });
    let outcomes = join_all(writers).await;
    let winners: Vec<usize> =
        (0..8).filter(|&writer| outcomes[writer].as_ref().unwrap().is_ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().unwrap().as_ref().err()) {
        assert!(matches!(outcome, WriteError::Conflict { .. }), "{outcome}");
    }
    let Pointer::Changed { bytes, .. } = store.alias("shop", alias, None).await.unwrap() else {
        panic!()
    };
    assert_eq!(bytes, format!("writer {}", winners[0]));
}

/// Changes an object behind the store's back.
pub(crate) async fn alter(store: &Store, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = object(store, key).await.to_vec();
    change(&mut bytes);
    store.objects().put(key, bytes.into(), Expect::Any, deadline()).await.unwrap();
}

/// An object as it is stored.
async fn object(store: &Store, key: &str) -> Bytes {
    match store.objects().get(key, None, deadline()).await.unwrap() {
        Fetched::Object { bytes, .. } => bytes,
        Fetched::Unchanged => panic!("nothing was asked to be unchanged"),
    }
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// What a release says of an artifact.
pub(crate) fn key_of(component: &str, stored: &StoredArtifact) -> ArtifactKey {
    ArtifactKey {
        engine: ENGINE.to_owned(),
        target: TARGET.to_owned(),
        component: component.to_owned(),
        expected: stored.expected(),
        stored_size: stored.stored_size,
        start_size: stored.start_size,
    }
}

pub(crate) fn blob(bytes: &[u8]) -> (String, Bytes) {
    let mut digest = String::new();
    for byte in Sha256::digest(bytes) {
        write!(digest, "{byte:02x}").unwrap();
    }
    (digest, Bytes::copy_from_slice(bytes))
}

/// Bytes that do not compress, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| random.u8(..)).collect()
}

pub(crate) fn release_id(bytes: &[u8]) -> String {
    blob(bytes).0[..20].to_owned()
}
