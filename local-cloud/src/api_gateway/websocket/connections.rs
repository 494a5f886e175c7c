//! Who is connected: the clients by their ids, and the way to each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use lambkin_protocol::websocket::Connection;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::api::{self, now};

/// How many bytes an id stands for: one more than fits without a `=`, as API Gateway's.
const ID_BYTES: usize = 11;

/// A client, as it was when it connected.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) stage: String,
    pub(super) domain_name: String,
    pub(super) source_ip: String,
    pub(super) user_agent: Option<String>,
    /// What the authorizer said of it.
    pub(super) authorizer: Option<Box<RawValue>>,
    /// Milliseconds since 1970.
    pub(super) connected_at: i64,
    /// The same, of the last message either way.
    last_active: AtomicI64,
    outbox: mpsc::Sender<Parcel>,
}

/// What a client is to be sent.
#[derive(Debug)]
pub(super) enum Parcel {
    /// A message; the sender is told when it is on its way.
    Message(Bytes, oneshot::Sender<()>),
    /// The end.
    Close,
}

/// What is known of a client before it has an id.
pub(super) struct Visitor {
    pub(super) stage: String,
    pub(super) domain_name: String,
    pub(super) source_ip: String,
    pub(super) user_agent: Option<String>,
}

/// The client is not connected any more.
#[derive(Debug)]
pub(super) struct Gone;

impl Client {
    pub(super) fn new(visitor: Visitor, outbox: mpsc::Sender<Parcel>) -> Self {
        let now = now();
        Self {
            id: new_id(),
            stage: visitor.stage,
            domain_name: visitor.domain_name,
            source_ip: visitor.source_ip,
            user_agent: visitor.user_agent,
            authorizer: None,
            connected_at: now,
            last_active: AtomicI64::new(now),
            outbox,
        }
    }

    /// The client as events tell of it.
    pub(super) fn connection(&self) -> Connection<'_> {
        Connection {
            api_id: api::ID,
            stage: &self.stage,
            domain_name: &self.domain_name,
            id: &self.id,
            connected_at_ms: self.connected_at,
            source_ip: &self.source_ip,
            user_agent: self.user_agent.as_deref(),
            authorizer: self.authorizer.as_deref(),
        }
    }

    pub(super) fn last_active(&self) -> i64 {
        self.last_active.load(Ordering::Relaxed)
    }

    pub(super) fn is_active(&self) {
        self.last_active.store(now(), Ordering::Relaxed);
    }

    /// Sends a message, and waits until it is on its way.
    pub(super) async fn send(&self, message: Bytes) -> Result<(), Gone> {
        let (delivered, delivery) = oneshot::channel();
        self.outbox.send(Parcel::Message(message, delivered)).await.map_err(|_| Gone)?;
        delivery.await.map_err(|_| Gone)
    }

    async fn close(&self) {
        // Who is gone already needs no end.
        drop(self.outbox.send(Parcel::Close).await);
    }
}

/// The clients by their ids.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<HashMap<String, Arc<Client>>>);

impl Connections {
    pub(super) fn insert(&self, client: &Arc<Client>) {
        self.lock().insert(client.id.clone(), Arc::clone(client));
    }

    pub(super) fn remove(&self, id: &str) -> Option<Arc<Client>> {
        self.lock().remove(id)
    }

    pub(super) fn get(&self, id: &str) -> Result<Arc<Client>, Gone> {
        self.lock().get(id).cloned().ok_or(Gone)
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends a connection. From now on it is gone, whatever its client still does.
    pub(super) async fn close(&self, id: &str) -> Result<(), Gone> {
        let client = self.remove(id).ok_or(Gone)?;
        client.close().await;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Client>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id in the form that API Gateway gives, such as `L0SM9cOFvHcCIhw=`.
fn new_id() -> String {
    URL_SAFE.encode(Uuid::new_v4().as_bytes().first_chunk::<ID_BYTES>().unwrap_or(&[0; ID_BYTES]))
}

/// Whether a connection may have this id at all.
pub(super) fn is_id(text: &str) -> bool {
    URL_SAFE.decode(text).is_ok_and(|bytes| bytes.len() == ID_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_api_gateways() {
        let id = new_id();
        assert!(id.len() == 16 && id.ends_with('=') && is_id(&id), "{id}");
        assert!(is_id("L0SM9cOFvHcCIhw="));
        assert!(!is_id("someone") && !is_id("") && !is_id("L0SM9cOFvHcCIhw"));
        assert_ne!(id, new_id());
    }
}
