//! An S3 server over a folder: the `s3s` crate speaks the protocol and checks signatures, our own backend keeps the data.
//!
//! [`Server`] is the whole of the public interface. Inside: `folder` owns the files and the index of them, `listing`
//! pages through an index, `condition` decides If-Match and its kin, `body` moves bytes between sockets and files,
//! `upload` assembles multipart uploads and `operations` maps S3's operations onto these. `front` stands before it all.
//!
//! Writes are atomic (a record is renamed into place after its data) and survive a restart of the process; they are not
//! flushed to the disk one by one, so the latest of them may be lost with the machine's power.

mod body;
mod condition;
mod folder;
mod front;
mod host_name;
mod listing;
mod notification;
mod operations;
mod record;
mod upload;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use crate::http_server::HttpServer;
use folder::Folder;
use host_name::LocalHost;
use notification::Notifier;
pub use notification::{Change, OnChange};
use operations::Operations;

/// How long requests in flight may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// What an S3 server is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the buckets are kept; created when missing. One server at a time may use it.
    pub folder: PathBuf,
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// The one access key that may sign requests.
    pub access_key_id: String,
    /// The secret that belongs to it.
    pub secret_access_key: String,
    /// The region that `GetBucketLocation` and `HeadBucket` name.
    pub region: String,
}

/// Why an S3 server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another server uses the folder.
    #[error("the S3 folder {} is in use by another process", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be read or written; the source names the file.
    #[error("cannot open the S3 folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A file that describes an object, a bucket or an upload is not what this server writes.
    #[error("the S3 record {} cannot be read", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The address is taken or not allowed.
    #[error("cannot listen on {address} for S3")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// Why a bucket could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateBucketError {
    /// S3's naming rules forbid it
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
    #[error("`{name}` is not a valid bucket name")]
    Name {
        /// The name asked for.
        name: String,
    },
    /// The folder cannot be written.
    #[error("cannot create the bucket {name}")]
    Folder {
        /// The bucket.
        name: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// A running S3 server; dropping it closes its connections.
#[derive(Debug)]
pub struct Server {
    http: HttpServer,
    folder: Arc<Folder>,
    notifier: Arc<Notifier>,
}

impl Server {
    /// Opens the folder, reads its index and listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let path = settings.folder.clone();
        let opened = tokio::task::spawn_blocking(move || Folder::open(&path)).await;
        let folder = Arc::new(opened.unwrap_or_else(|failure| {
            Err(StartError::Folder { folder: settings.folder, source: io::Error::other(failure) })
        })?);
        let notifier = Arc::new(Notifier::default());
        let operations =
            Operations::new(Arc::clone(&folder), settings.region, Arc::clone(&notifier));
        let mut service = S3ServiceBuilder::new(operations);
        service
            .set_auth(SimpleAuth::from_single(settings.access_key_id, settings.secret_access_key));
        service.set_host(LocalHost);
        let address = settings.address;
        let service = service.build();
        let front = service_fn(move |request| {
            let service = service.clone();
            async move { front::answer(&service, request).await }
        });
        let http = HttpServer::start(address, front)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        Ok(Self { http, folder, notifier })
    }

    /// The endpoint URL for S3 clients, such as `http://127.0.0.1:40113`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// Calls `listener` for every object that any client creates or deletes from now on. Only the first listener hears.
    pub fn on_change(&self, listener: OnChange) {
        self.notifier.listen(listener);
    }

    /// Creates a bucket, or leaves it as it is when it exists.
    pub async fn create_bucket(&self, name: &str) -> Result<(), CreateBucketError> {
        let name = name.to_owned();
        if !s3s::path::check_bucket_name(&name) {
            return Err(CreateBucketError::Name { name });
        }
        let (folder, bucket) = (Arc::clone(&self.folder), name.clone());
        let created = tokio::task::spawn_blocking(move || folder.create_bucket(&bucket)).await;
        created
            .unwrap_or_else(|failure| Err(io::Error::other(failure)))
            .map(drop)
            .map_err(|source| CreateBucketError::Folder { name, source })
    }

    /// Stops accepting, lets requests in flight end for up to two seconds, and closes.
    pub async fn stop(self) {
        self.http.stop(DRAIN).await;
    }
}
