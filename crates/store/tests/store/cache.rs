//! The caches over every kind of store.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fs_err as fs;
use futures::future::join_all;
use lambkin_store::{ArtifactKey, Cache, CacheSettings, ReadError, Source, Store};

use crate::suite::{ENGINE, TARGET, alter, blob, key_of, noise, release_id};
use crate::watch::Watched;

pub(crate) async fn an_artifact_is_fetched_once_and_then_on_disk(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    for content in [noise(1, 9_000_000), b"compiled".repeat(1000)] {
        let key = published(&store, &content).await;
        let (watched, store) = Watched::over(&store);
        let cache = cache(&store, disk.path(), 1 << 30);
        let first = cache.artifact_file(&key).await.unwrap();
        assert_eq!(first.source, Source::Store);
        // All but the list of blocks at its end, which only publishers read, and a frame's part twice.
        let (fetched, stored) = (first.fetched_bytes, key.stored_size);
        assert!(
            (stored * 98 / 100..stored * 104 / 100).contains(&fetched),
            "{fetched} of {stored}"
        );
        assert!(first.timings.fetch > Duration::ZERO && first.timings.verify > Duration::ZERO);
        assert_eq!(fs::read(first.path()).unwrap(), content);
        let second = cache.artifact_file(&key).await.unwrap();
        assert_eq!((second.source, second.fetched_bytes), (Source::Disk, 0));
        assert_eq!((second.path(), second.timings.fetch), (first.path(), Duration::ZERO));
        assert_eq!(watched.reads(), 1);
    }
}

pub(crate) async fn of_a_second_artifact_only_what_differs_is_fetched(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let (first, second, third) = alike();
    let keys = [
        published(&store, &first).await,
        published(&store, &second).await,
        published(&store, &third).await,
    ];
    assert!(keys[1].stored_size < 40_000 && keys[2].stored_size < 40_000, "{keys:?}");
    let cache = cache(&store, disk.path(), 1 << 30);
    let alone = cache.artifact_file(&keys[1]).await.unwrap();
    assert!(alone.fetched_bytes > 5_000_000, "nothing of it was there: {alone:?}");
    assert_eq!(fs::read(alone.path()).unwrap(), second);
    // What the second one has of the base is enough for the third, but for the frame where the second differs.
    let beside_the_second = cache.artifact_file(&keys[2]).await.unwrap();
    assert!(beside_the_second.fetched_bytes < 600_000, "{beside_the_second:?}");
    assert_eq!(fs::read(beside_the_second.path()).unwrap(), third);
    drop((alone, beside_the_second));
    // With the base there, nothing but the own frames of another is asked for.
    assert_eq!(fs::read(cache.artifact_file(&keys[0]).await.unwrap().path()).unwrap(), first);
    fs::remove_file(cache.artifact_file(&keys[1]).await.unwrap().path()).unwrap();
    let again = cache.artifact_file(&keys[1]).await.unwrap();
    assert!(again.fetched_bytes < 40_000, "{again:?}");
    assert_eq!(fs::read(again.path()).unwrap(), second);
}

pub(crate) async fn an_artifact_whose_base_is_gone_or_altered_names_it(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let (first, second, _) = alike();
    let base = published(&store, &first).await;
    let key = published(&store, &second).await;
    let object = format!("artifacts/{ENGINE}/{TARGET}/{}", base.component);
    alter(&store, &object, |bytes| bytes[1_000_000] ^= 1).await;
    let cache = cache(&store, disk.path(), 1 << 30);
    let error = cache.artifact_file(&key).await.unwrap_err();
    let ReadError::Corrupt { object: named, .. } = &error else { panic!("{error}") };
    assert!(named.ends_with(&object), "{error}");
    assert!(!kept(disk.path(), &key));
}

pub(crate) async fn a_base_on_disk_makes_room_for_those_that_share_it(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let (first, second, _) = alike();
    let keys = [published(&store, &first).await, published(&store, &second).await];
    // One of them fits.
    let cache = cache(&store, disk.path(), 9_000_000);
    drop(cache.artifact_file(&keys[0]).await.unwrap());
    let file = cache.artifact_file(&keys[1]).await.unwrap();
    assert!(file.fetched_bytes > 5_000_000, "{file:?}");
    assert_eq!(fs::read(file.path()).unwrap(), second);
    assert!(!kept(disk.path(), &keys[0]));
}

pub(crate) async fn a_base_that_is_damaged_when_another_is_published_is_not_used(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let (first, second, third) = alike();
    let base = published(&store, &first).await;
    let object = format!("artifacts/{ENGINE}/{TARGET}/{}", base.component);
    // In the list of blocks, which is at the end.
    alter(&store, &object, |bytes| *bytes.last_mut().unwrap() ^= 1).await;
    let keys = [published(&store, &second).await, published(&store, &third).await];
    assert!(keys[0].stored_size > 5_000_000, "it stands alone: {keys:?}");
    assert!(keys[1].stored_size < 80_000, "it shares with the second: {keys:?}");
    let cache = cache(&store, disk.path(), 1 << 30);
    for (key, content) in keys.iter().zip([second, third]) {
        assert_eq!(fs::read(cache.artifact_file(key).await.unwrap().path()).unwrap(), content);
    }
}

/// Three artifacts with the same machine code and mostly the same heap.
fn alike() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let first = noise(40, 6_000_000);
    let (mut second, mut third) = (first.clone(), first.clone());
    second[3_000_000..3_008_000].fill(1);
    second.extend(noise(41, 9000));
    third[5_000_000..5_008_000].fill(2);
    third.extend(noise(42, 9000));
    (first, second, third)
}

pub(crate) async fn damaged_files_are_fetched_again(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let content = noise(2, 300_000);
    let key = published(&store, &content).await;
    let cache = cache(&store, disk.path(), 1 << 30);
    let path = cache.artifact_file(&key).await.unwrap().path().to_owned();
    let damages: [fn(&Path); 4] = [
        |path| File::options().write(true).open(path).unwrap().set_len(0).unwrap(),
        |path| File::options().write(true).open(path).unwrap().set_len(299_999).unwrap(),
        |path| fs::write(path, noise(3, 300_000)).unwrap(),
        |path| fs::remove_file(path).unwrap(),
    ];
    for damage in damages {
        damage(&path);
        let file = cache.artifact_file(&key).await.unwrap();
        assert_eq!(file.source, Source::Store);
        assert_eq!(fs::read(file.path()).unwrap(), content);
    }
}

pub(crate) async fn a_file_of_another_process_is_believed_when_only_its_user_can_have_written_it(
    store: Store,
) {
    let disk = tempfile::tempdir().unwrap();
    let content = noise(4, 300_000);
    let key = published(&store, &content).await;
    let path =
        cache(&store, disk.path(), 1 << 30).artifact_file(&key).await.unwrap().path().to_owned();
    // A second cache knows no more than another process would.
    let (watched, watched_store) = Watched::over(&store);
    let other = cache(&watched_store, disk.path(), 1 << 30);
    let file = other.artifact_file(&key).await.unwrap();
    assert_eq!((file.source, watched.reads()), (Source::Disk, 0));
    for open_to_others in [0o620, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(open_to_others)).unwrap();
        let third = cache(&watched_store, disk.path(), 1 << 30);
        let file = third.artifact_file(&key).await.unwrap();
        assert_eq!(file.source, Source::Store, "{open_to_others:o}");
        assert_eq!(fs::read(file.path()).unwrap(), content);
    }
    assert_eq!(watched.reads(), 2);
}

pub(crate) async fn a_file_from_before_the_machine_started_is_not_believed(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let key = published(&store, &noise(8, 300_000)).await;
    let path =
        cache(&store, disk.path(), 1 << 30).artifact_file(&key).await.unwrap().path().to_owned();
    let name = path.file_name().unwrap().to_str().unwrap();
    let (digest, boot) = name.split_once('-').unwrap();
    assert!(digest == key.expected.digest && boot.len() > 3, "{name}");
    fs::rename(&path, disk.path().join(format!("{digest}-000000000000"))).unwrap();
    let file = cache(&store, disk.path(), 400_000).artifact_file(&key).await.unwrap();
    assert_eq!(file.source, Source::Store);
    // The old one is the first to make room.
    assert_eq!(bytes_in(disk.path()), 300_000);
}

pub(crate) async fn an_altered_object_leaves_nothing_on_disk(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 1 << 30);
    let a_frame = |bytes: &mut Vec<u8>| bytes[200_000] ^= 1;
    // As if the description were of 4 GiB.
    let its_label = |bytes: &mut Vec<u8>| bytes[64..68].fill(0xFF);
    for (seed, damage) in [(5, &a_frame as &dyn Fn(&mut Vec<u8>)), (8, &its_label)] {
        let key = published(&store, &noise(seed, 300_000)).await;
        let object = format!("artifacts/{ENGINE}/{TARGET}/{}", key.component);
        alter(&store, &object, damage).await;
        let error = cache.artifact_file(&key).await.unwrap_err();
        let ReadError::Corrupt { object: named, expected, .. } = &error else { panic!("{error}") };
        assert!(named.ends_with(&object) && expected.starts_with(&key.expected.digest), "{error}");
        assert!(!kept(disk.path(), &key));
    }
    // What was being written goes when room is made for the next.
    let whole = published(&store, &noise(6, 300_000)).await;
    cache.artifact_file(&whole).await.unwrap();
    assert_eq!(bytes_in(disk.path()), 300_000);
}

pub(crate) async fn those_who_ask_at_once_share_one_fetch(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let key = published(&store, &noise(7, 6_000_000)).await;
    let (watched, store) = Watched::over(&store);
    // Two caches share nothing but the folder, like two processes.
    let caches = [cache(&store, disk.path(), 1 << 30), cache(&store, disk.path(), 1 << 30)];
    let askers = (0..16).map(|asker| {
        let (cache, key) = (caches[asker % 2].clone(), key.clone());
        tokio::spawn(async move { cache.artifact_file(&key).await.unwrap() })
    });
    let files: Vec<_> = join_all(askers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(watched.reads(), 1);
    assert_eq!(files.iter().filter(|file| file.source == Source::Store).count(), 1);
    assert_eq!(files.iter().map(|file| file.fetched_bytes).filter(|bytes| *bytes > 0).count(), 1);
}

pub(crate) async fn the_longest_unused_files_make_room(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let cache = cache(&store, disk.path(), 3_500_000);
    let mut keys = Vec::new();
    for seed in 10..13 {
        keys.push(published(&store, &noise(seed, 1_000_000)).await);
        let file = cache.artifact_file(&keys[keys.len() - 1]).await.unwrap();
        // Long ago, the first one the longest.
        let age = Duration::from_hours(100 - seed);
        let times = std::fs::FileTimes::new().set_accessed(SystemTime::now() - age);
        File::options().write(true).open(file.path()).unwrap().set_times(times).unwrap();
    }
    assert_eq!(cache.artifact_file(&keys[0]).await.unwrap().source, Source::Disk);
    keys.push(published(&store, &noise(13, 1_000_000)).await);
    cache.artifact_file(&keys[3]).await.unwrap();
    assert_eq!(bytes_in(disk.path()), 3_000_000);
    for (key, stays) in keys.iter().zip([true, false, true, true]) {
        assert_eq!(kept(disk.path(), key), stays, "{key:?}");
    }
}

pub(crate) async fn files_in_use_are_not_evicted(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let (one, two) = (
        published(&store, &noise(20, 1_000_000)).await,
        published(&store, &noise(21, 1_000_000)).await,
    );
    let cache = cache(&store, disk.path(), 1_500_000);
    let in_use = cache.artifact_file(&one).await.unwrap();
    let error = cache.artifact_file(&two).await.unwrap_err();
    assert!(
        matches!(
            error,
            ReadError::CacheFull { needed: 1_000_000, held: 1_000_000, bound: 1_500_000, .. }
        ),
        "{error}"
    );
    assert!(in_use.path().exists());
    drop(in_use);
    assert_eq!(cache.artifact_file(&two).await.unwrap().source, Source::Store);
    assert_eq!(bytes_in(disk.path()), 1_000_000);
}

pub(crate) async fn what_a_dead_process_left_is_removed(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let key = published(&store, &noise(22, 1_000_000)).await;
    let digest = &key.expected.digest;
    for left in [
        format!("{digest}.part"),
        format!("{digest}.lock"),
        "0123.part".to_owned(),
        "0123.lock".to_owned(),
    ] {
        fs::write(disk.path().join(left), vec![0; 400_000]).unwrap();
    }
    let file = cache(&store, disk.path(), 1_500_000).artifact_file(&key).await.unwrap();
    assert_eq!(fs::read(file.path()).unwrap(), noise(22, 1_000_000));
    assert!(!disk.path().join("0123.part").exists() && !disk.path().join("0123.lock").exists());
}

pub(crate) async fn releases_are_read_once(store: Store) {
    let disk = tempfile::tempdir().unwrap();
    let text = Bytes::from_static(b"{\"app\":\"shop\"}");
    let id = release_id(&text);
    let (watched, watched_store) = Watched::over(&store);
    let cache = cache(&watched_store, disk.path(), 1 << 30);
    assert!(cache.release("shop", &id).await.is_err());
    assert_eq!(watched.reads(), 1);
    store.put_release("shop", &id, text.clone()).await.unwrap();
    let answers = join_all((0..16).map(|_| cache.release("shop", &id))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == &text));
    assert_eq!(watched.reads(), 2);
}

pub(crate) fn cache(store: &Store, disk: &Path, bytes: u64) -> Cache {
    let settings = CacheSettings {
        disk_dir: disk.to_owned(),
        disk_bytes: bytes,
        memory_bytes: 1 << 20,
        package: None,
    };
    Cache::new(store.clone(), settings)
}

/// Publishes an artifact of a component that is named after it.
async fn published(store: &Store, content: &[u8]) -> ArtifactKey {
    let (component, bytes) = blob(content);
    let stored = store.put_artifact(ENGINE, TARGET, &component, (bytes, Vec::new())).await.unwrap();
    key_of(&component, &stored)
}

/// Whether the folder has the whole file of the artifact.
pub(crate) fn kept(folder: &Path, key: &ArtifactKey) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        name.starts_with(&key.expected.digest) && !name.contains('.')
    })
}

fn bytes_in(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}
