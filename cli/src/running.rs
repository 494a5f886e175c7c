//! The `lambkin dev` of an app's folder: there is one at a time, and others find it by a small file.
//!
//! `.lambkin/dev.json` says where it answers. It holds while its writer has it locked; the system unlocks it when that
//! process ends, however it ends, so that what a crash leaves behind is never taken for a running one.

use crate::hint::hinted;
use anyhow::Result;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::fs::TryLockError;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "dev.json";

/// How long a process that has just taken the lock may take to say where it answers.
const STARTING: Duration = Duration::from_secs(2);

/// Where a running `lambkin dev` answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Running {
    /// Its process id.
    pub(crate) process: u32,
    /// The URL of the app.
    pub(crate) app: String,
    /// The endpoint URL for clients of Lambda and `CloudWatch` Logs.
    pub(crate) aws: String,
    /// The endpoint URL for clients of S3.
    pub(crate) s3: String,
}

/// The lock on an app's folder; the file goes with it.
#[derive(Debug)]
pub(crate) struct Claim {
    file: fs::File,
    path: PathBuf,
}

impl Claim {
    /// Takes the folder `work`, unless another `lambkin dev` has it.
    pub(crate) async fn take(work: &Path) -> Result<Self> {
        fs::create_dir_all(work)?;
        let path = work.join(FILE);
        loop {
            let file = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(taken(work).await),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            // The one before may have removed the file between our opening and locking it.
            if is_same(&file, &path) {
                file.set_len(0)?;
                return Ok(Self { file, path });
            }
        }
    }

    /// Says where this process answers.
    pub(crate) fn tell(&mut self, running: &Running) -> Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&serde_json::to_vec(running)?)?;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Nobody takes an unlocked file for a running process, should it stay.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_same(file: &fs::File, path: &Path) -> bool {
    let there = fs::metadata(path).map(|there| (there.dev(), there.ino()));
    let here = file.metadata().map(|here| (here.dev(), here.ino()));
    matches!((there, here), (Ok(there), Ok(here)) if there == here)
}

/// The running `lambkin dev` of the folder `work`, if there is one that answers by now.
pub(crate) fn find(work: &Path) -> Option<Running> {
    let file = fs::File::open(work.join(FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        // It is nobody's, or cannot be known to be somebody's.
        Ok(()) | Err(TryLockError::Error(_)) => return None,
    }
    serde_json::from_slice(&fs::read(work.join(FILE)).ok()?).ok()
}

async fn taken(work: &Path) -> anyhow::Error {
    let waiting = async {
        loop {
            if let Some(running) = find(work) {
                return running;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let folder = work.parent().unwrap_or(work).display();
    match tokio::time::timeout(STARTING, waiting).await {
        Ok(Running { process, app, .. }) => hinted(
            format!("another `lambkin dev` serves {folder}: {app}, process {process}"),
            format!("use that one, or end it with `kill {process}`"),
        ),
        Err(_) => hinted(
            format!("another `lambkin dev` is starting or ending in {folder}"),
            "wait until it serves or is gone",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_claimed_once_and_free_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join(".lambkin");
        let running = Running {
            process: 7,
            app: "http://a".to_owned(),
            aws: "http://b".to_owned(),
            s3: "http://c".to_owned(),
        };
        assert_eq!(find(&work), None);
        let mut claim = Claim::take(&work).await.unwrap();
        claim.tell(&running).unwrap();
        assert_eq!(find(&work), Some(running.clone()));
        let refused = Claim::take(&work).await.unwrap_err().to_string();
        assert!(refused.ends_with("http://a, process 7"), "{refused}");
        drop(claim);
        assert!(!work.join(FILE).exists());
        // A crash leaves the file, but no lock.
        fs::write(work.join(FILE), serde_json::to_vec(&running).unwrap()).unwrap();
        assert_eq!(find(&work), None);
        Claim::take(&work).await.unwrap();
    }
}
