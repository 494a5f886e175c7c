//! The files of the S3 server and the index of them: the only module that knows the layout on disk.
//!
//! ```text
//! <folder>/lock                                  held while a server uses the folder
//! <folder>/buckets/<bucket>/bucket.json          when it was created
//! <folder>/buckets/<bucket>/objects/<hash>.json  one record per object, named by the hash of its key
//! <folder>/buckets/<bucket>/uploads/<id>.json    one record per multipart upload
//! <folder>/buckets/<bucket>/data/<id>            bytes, written once, named by a record
//! ```
//!
//! A record is renamed into place after its data is complete, under one lock with the check of its condition, so that
//! of many writers with `If-None-Match: *` one wins. Data that no record names is swept when the folder is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use lambkin_protocol::digest::sha256_hex;
use s3s::{S3Error, S3Result, s3_error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::StartError;
use super::condition::Write;
use super::record::{Object, Upload, now};

/// The open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    /// Unlocked by the system when the process ends, however it ends.
    _lock: fs::File,
}

/// One bucket's index.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Milliseconds since the Unix epoch.
    pub(crate) created: u64,
    pub(crate) objects: BTreeMap<String, Arc<Object>>,
    pub(crate) uploads: BTreeMap<String, Upload>,
}

#[derive(Serialize, Deserialize)]
struct BucketRecord {
    created: u64,
}

/// Whether a bucket was there before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Created {
    New,
    AlreadyThere,
}

impl Folder {
    /// Takes the folder for this process and reads every record.
    pub(crate) fn open(root: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Folder { folder: root.to_owned(), source };
        fs::create_dir_all(root.join("buckets")).map_err(failed)?;
        let lock = fs::File::create(root.join("lock")).map_err(failed)?;
        lock.file().try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StartError::InUse { folder: root.to_owned() },
            TryLockError::Error(source) => failed(source),
        })?;
        let mut buckets = BTreeMap::new();
        for (name, path) in entries(&root.join("buckets")).map_err(failed)? {
            // A folder without its record was being created or deleted when the process ended.
            if path.join("bucket.json").exists() {
                buckets.insert(name, Bucket::read(&path, failed)?);
            } else {
                fs::remove_dir_all(&path).map_err(failed)?;
            }
        }
        Ok(Self { root: root.to_owned(), buckets: Mutex::new(buckets), _lock: lock })
    }

    /// The index, locked.
    pub(crate) fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // A writer that panicked left the index as it was before or after one insertion: whole either way.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn create_bucket(&self, name: &str) -> io::Result<Created> {
        let mut buckets = self.buckets();
        if buckets.contains_key(name) {
            return Ok(Created::AlreadyThere);
        }
        let path = self.bucket_path(name);
        for part in ["objects", "uploads", "data"] {
            fs::create_dir_all(path.join(part))?;
        }
        let created = now();
        write_record(&path.join("bucket.json"), &BucketRecord { created })?;
        let bucket = Bucket { created, objects: BTreeMap::new(), uploads: BTreeMap::new() };
        buckets.insert(name.to_owned(), bucket);
        Ok(Created::New)
    }

    /// Refuses while an object is left, as S3 does; unfinished uploads go with the bucket.
    pub(crate) fn delete_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.buckets();
        if !bucket(&buckets, name)?.objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "the bucket you tried to delete is not empty"));
        }
        fs::remove_file(self.bucket_path(name).join("bucket.json")).map_err(internal)?;
        buckets.remove(name);
        fs::remove_dir_all(self.bucket_path(name)).map_err(internal)
    }

    pub(crate) fn object(&self, bucket_name: &str, key: &str) -> S3Result<Arc<Object>> {
        let buckets = self.buckets();
        let object = bucket(&buckets, bucket_name)?.objects.get(key);
        object.cloned().ok_or_else(|| s3_error!(NoSuchKey, "the specified key does not exist"))
    }

    /// An object and its open data: a later overwrite or deletion does not concern this reader.
    pub(crate) fn open_object(
        &self,
        bucket_name: &str,
        key: &str,
    ) -> S3Result<(Arc<Object>, fs::File)> {
        let buckets = self.buckets();
        let object = bucket(&buckets, bucket_name)?.objects.get(key);
        let object =
            object.ok_or_else(|| s3_error!(NoSuchKey, "the specified key does not exist"))?;
        let file = fs::File::open(self.data_path(bucket_name, &object.data)).map_err(internal)?;
        Ok((Arc::clone(object), file))
    }

    /// Makes `object` the content of its key if the condition holds. Its data is complete before.
    pub(crate) fn put_object(
        &self,
        bucket_name: &str,
        object: Object,
        condition: &Write,
    ) -> S3Result<Arc<Object>> {
        let mut buckets = self.buckets();
        let bucket = bucket_mut(&mut buckets, bucket_name)?;
        condition.check(bucket.objects.get(&object.key).map(AsRef::as_ref))?;
        write_record(&self.object_path(bucket_name, &object.key), &object).map_err(internal)?;
        let object = Arc::new(object);
        let replaced = bucket.objects.insert(object.key.clone(), Arc::clone(&object));
        drop(buckets);
        if let Some(replaced) = replaced {
            self.remove_data(bucket_name, &replaced.data);
        }
        Ok(object)
    }

    /// Deletes a key if the condition holds; a key that is not there is no error.
    pub(crate) fn delete_object(
        &self,
        bucket_name: &str,
        key: &str,
        condition: &Write,
    ) -> S3Result<()> {
        let mut buckets = self.buckets();
        let bucket = bucket_mut(&mut buckets, bucket_name)?;
        condition.check(bucket.objects.get(key).map(AsRef::as_ref))?;
        if !bucket.objects.contains_key(key) {
            return Ok(());
        }
        fs::remove_file(self.object_path(bucket_name, key)).map_err(internal)?;
        let removed = bucket.objects.remove(key);
        drop(buckets);
        if let Some(removed) = removed {
            self.remove_data(bucket_name, &removed.data);
        }
        Ok(())
    }

    /// Writes the record of an upload; the caller holds the index and changes it after.
    pub(crate) fn write_upload(&self, bucket: &str, id: &str, upload: &Upload) -> S3Result<()> {
        write_record(&self.upload_path(bucket, id), upload).map_err(internal)
    }

    pub(crate) fn remove_upload(&self, bucket: &str, id: &str) -> S3Result<()> {
        fs::remove_file(self.upload_path(bucket, id)).map_err(internal)
    }

    /// A name for new data, and the file to write it to.
    pub(crate) fn new_data(&self, bucket_name: &str) -> S3Result<(String, PathBuf)> {
        bucket(&self.buckets(), bucket_name)?;
        let name = Uuid::new_v4().simple().to_string();
        let path = self.data_path(bucket_name, &name);
        Ok((name, path))
    }

    pub(crate) fn data_path(&self, bucket: &str, data: &str) -> PathBuf {
        self.bucket_path(bucket).join("data").join(data)
    }

    /// What cannot be removed now is swept when the folder is opened again.
    pub(crate) fn remove_data(&self, bucket: &str, data: &str) {
        drop(fs::remove_file(self.data_path(bucket, data)));
    }

    fn bucket_path(&self, bucket: &str) -> PathBuf {
        self.root.join("buckets").join(bucket)
    }

    fn object_path(&self, bucket: &str, key: &str) -> PathBuf {
        // Keys such as `a`, `a/b`, `a//b` and `..` are all legal and may be 1024 bytes long: no file name can be.
        self.bucket_path(bucket)
            .join("objects")
            .join(format!("{}.json", sha256_hex(key.as_bytes())))
    }

    fn upload_path(&self, bucket: &str, id: &str) -> PathBuf {
        self.bucket_path(bucket).join("uploads").join(format!("{id}.json"))
    }
}

impl Bucket {
    fn read(
        path: &Path,
        failed: impl Fn(io::Error) -> StartError + Copy,
    ) -> Result<Self, StartError> {
        let BucketRecord { created } = read_record(&path.join("bucket.json"), failed)?;
        let mut bucket = Self { created, objects: BTreeMap::new(), uploads: BTreeMap::new() };
        let mut data = BTreeSet::new();
        for (_, path) in records(&path.join("objects")).map_err(failed)? {
            let object: Object = read_record(&path, failed)?;
            data.insert(object.data.clone());
            bucket.objects.insert(object.key.clone(), Arc::new(object));
        }
        for (name, path) in records(&path.join("uploads")).map_err(failed)? {
            let upload: Upload = read_record(&path, failed)?;
            data.extend(upload.parts.values().map(|part| part.data.clone()));
            bucket.uploads.insert(name, upload);
        }
        for (name, path) in entries(&path.join("data")).map_err(failed)? {
            if !data.contains(&name) {
                fs::remove_file(path).map_err(failed)?;
            }
        }
        Ok(bucket)
    }
}

/// The bucket in the index, or S3's error.
pub(crate) fn bucket<'a>(
    buckets: &'a BTreeMap<String, Bucket>,
    name: &str,
) -> S3Result<&'a Bucket> {
    buckets.get(name).ok_or_else(|| s3_error!(NoSuchBucket, "the specified bucket does not exist"))
}

/// The same, to change.
pub(crate) fn bucket_mut<'a>(
    buckets: &'a mut BTreeMap<String, Bucket>,
    name: &str,
) -> S3Result<&'a mut Bucket> {
    buckets
        .get_mut(name)
        .ok_or_else(|| s3_error!(NoSuchBucket, "the specified bucket does not exist"))
}

/// A failure of the disk, with the file it concerns.
pub(crate) fn internal(error: io::Error) -> S3Error {
    let message = error.to_string();
    let mut error = S3Error::internal_error(error);
    error.set_message(message);
    error
}

fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    fs::read_dir(folder)?
        .map(|entry| {
            entry.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        })
        .collect()
}

/// The records in a folder by their name without `.json`; half-written ones are removed.
fn records(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (name, path) in entries(folder)? {
        match name.strip_suffix(".json") {
            Some(name) => found.push((name.to_owned(), path)),
            None => fs::remove_file(path)?,
        }
    }
    Ok(found)
}

fn read_record<T: DeserializeOwned>(
    path: &Path,
    failed: impl Fn(io::Error) -> StartError,
) -> Result<T, StartError> {
    let bytes = fs::read(path).map_err(failed)?;
    serde_json::from_slice(&bytes)
        .map_err(|source| StartError::Record { path: path.to_owned(), source })
}

fn write_record(path: &Path, record: &impl Serialize) -> io::Result<()> {
    let half_written = path.with_extension("new");
    fs::write(&half_written, serde_json::to_vec(record)?)?;
    fs::rename(&half_written, path)
}
