//! What earlier runs have left in the local store: every edit adds a release with its artifacts, and nobody rolls back here.

use super::cloud::{BUCKET, STORE};
use anyhow::Result;
use lambkin_store::Files;
use lambkin_store::files::Place;

/// The most that the local store may have when `lambkin dev` starts, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Empties the local store when it has more than its bound: what the app needs is published again at once. Other buckets, and
/// what the app keeps beside the store, stay.
pub(super) async fn clear(files: &Files) -> Result<()> {
    clear_over(files, MAX_BYTES).await
}

async fn clear_over(files: &Files, max_bytes: u64) -> Result<()> {
    let prefix = format!("{STORE}/");
    let (mut keys, mut total, mut after) = (Vec::new(), 0, None);
    loop {
        let place = Place { bucket: BUCKET, key: &prefix };
        let (entries, next) = files.list(place, after.as_deref()).await?;
        total += entries.iter().map(|entry| entry.size).sum::<u64>();
        keys.extend(entries.into_iter().map(|entry| entry.key));
        after = next;
        if after.is_none() {
            break;
        }
    }
    if total <= max_bytes {
        return Ok(());
    }
    for key in &keys {
        files.delete(Place { bucket: BUCKET, key }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::cloud::{PATIENCE, access, settings_of_s3};
    use super::*;
    use lambkin_local_cloud::s3;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_over_its_bound_is_emptied_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let server = s3::Server::start(settings_of_s3(folder.path().to_owned())).await.unwrap();
        server.create_bucket(BUCKET).await.unwrap();
        let files = Files::new(&access(&server.endpoint()), PATIENCE).unwrap();
        let at = |key| Place { bucket: BUCKET, key };
        for key in ["store/apps/shop/aliases/dev.json", "store/artifacts/a", "uploads/mine"] {
            files.put(at(key), vec![7; 10].into(), None).await.unwrap();
        }
        clear_over(&files, 20).await.unwrap();
        assert_eq!(files.list(at("store/"), None).await.unwrap().0.len(), 2);
        clear_over(&files, 19).await.unwrap();
        assert!(files.list(at("store/"), None).await.unwrap().0.is_empty());
        assert_eq!(files.get(at("uploads/mine"), 100).await.unwrap().data.len(), 10);
    }
}
