//! What S3 tells of objects that come and go, in the form of its event notifications.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3Request;
use s3s::dto::{Timestamp, TimestampFormat};
use serde_json::{Value, json};
use uuid::Uuid;

use super::folder::Folder;
use crate::http_server::Peer;

/// What S3 leaves as it is in a notification's key; a space becomes `+`.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// Is called with every change, after it has been made.
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

/// An object that came or went.
#[derive(Debug, Clone)]
pub struct Change {
    /// The event's name without `s3:`, such as `ObjectCreated:Put`.
    pub name: &'static str,
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Its size in bytes and its tag without quotes; none for one that was deleted.
    pub content: Option<(u64, String)>,
    /// The client's address.
    pub client: String,
    /// Tells the order of the changes of one key.
    pub sequencer: u64,
    /// When it happened.
    pub time: SystemTime,
}

impl Change {
    /// The event that a function gets, in version 2.1 of the notification's form
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
    pub fn event(&self, region: &str, configuration: &str) -> Value {
        let key = utf8_percent_encode(&self.key, KEY).to_string().replace(' ', "+");
        let mut object = json!({ "key": key, "sequencer": format!("{:018X}", self.sequencer) });
        if let (Some((size, tag)), Some(members)) = (&self.content, object.as_object_mut()) {
            members.insert("size".to_owned(), json!(size));
            members.insert("eTag".to_owned(), json!(tag));
        }
        let mut time = Vec::new();
        // Writing to memory does not fail, and the present can be written.
        let _ = Timestamp::from(self.time).format(TimestampFormat::DateTime, &mut time);
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": region,
            "eventTime": String::from_utf8_lossy(&time),
            "eventName": self.name,
            "userIdentity": { "principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE" },
            "requestParameters": { "sourceIPAddress": self.client },
            "responseElements": {
                "x-amz-request-id": format!("{:016X}", Uuid::new_v4().as_u64_pair().0),
                "x-amz-id-2": Uuid::new_v4().simple().to_string(),
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": "A3NL1KOZZKExample" },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        }] })
    }
}

/// Who hears of changes; nobody until it is told so.
#[derive(Default)]
pub(crate) struct Notifier {
    listener: OnceLock<OnChange>,
    sequence: AtomicU64,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Notifier").finish_non_exhaustive()
    }
}

impl Notifier {
    /// The first listener stays.
    pub(super) fn listen(&self, listener: OnChange) {
        let _ = self.listener.set(listener);
    }

    /// Tells of an object that is there now.
    pub(super) fn created(
        &self,
        folder: &Folder,
        name: &'static str,
        (place, client): (Place, String),
    ) {
        if self.listener.get().is_none() {
            return;
        }
        // One that is gone again was replaced or deleted, which is told by whoever did it.
        if let Ok(object) = folder.object(&place.0, &place.1) {
            self.tell(name, Some((object.size, object.etag.clone())), (place, client));
        }
    }

    /// Tells of an object that is gone.
    pub(super) fn removed(&self, place: Place, client: String) {
        self.tell("ObjectRemoved:Delete", None, (place, client));
    }

    fn tell(
        &self,
        name: &'static str,
        content: Option<(u64, String)>,
        (place, client): (Place, String),
    ) {
        let Some(listener) = self.listener.get() else { return };
        let (bucket, key) = place;
        let time = SystemTime::now();
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        // Later than the one before, in one microsecond too.
        let before = self.sequence.fetch_max(now, Ordering::Relaxed);
        let sequencer =
            if before < now { now } else { self.sequence.fetch_add(1, Ordering::Relaxed) + 1 };
        listener(Change { name, bucket, key, content, client, sequencer, time });
    }
}

/// Bucket and key.
pub(super) type Place = (String, String);

/// The address that a request came from.
pub(super) fn client<T>(request: &S3Request<T>) -> String {
    let peer = request.extensions.get::<Peer>();
    peer.map_or_else(
        || "127.0.0.1".to_owned(),
        |Peer(address): &Peer| SocketAddr::ip(address).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_s3_does_and_a_deletion_has_no_size() {
        let change = Change {
            name: "ObjectRemoved:Delete",
            bucket: "in".to_owned(),
            key: "a b/ü+(1)*.png".to_owned(),
            content: None,
            client: "127.0.0.1".to_owned(),
            sequencer: 1,
            time: SystemTime::UNIX_EPOCH,
        };
        let event = change.event("eu-west-1", "x");
        let record = &event["Records"][0];
        assert_eq!(
            record["s3"]["object"],
            json!({ "key": "a+b/%C3%BC%2B%281%29*.png", "sequencer": "000000000000000001" })
        );
        assert_eq!(record["eventTime"], "1970-01-01T00:00:00.000Z");
    }
}
