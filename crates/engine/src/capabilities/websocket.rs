//! `lambkin:websocket/connections`: messages to the clients of a WebSocket API.

use super::{Capabilities, CapabilityFuture, not_granted};
use crate::bindings::websocket::lambkin::websocket::connections as wit;

pub use wit::{
    Connection as WebSocketConnection, Error as WebSocketError, ErrorCode as WebSocketErrorCode,
};

/// A WebSocket API's connections, as a guest may use them.
pub trait WebSocket: Send + Sync {
    /// Sends `message` to the client, as text.
    fn send(
        &self,
        connection: String,
        message: Vec<u8>,
    ) -> CapabilityFuture<'_, Result<(), WebSocketError>>;

    /// Closes the connection.
    fn close(&self, connection: String) -> CapabilityFuture<'_, Result<(), WebSocketError>>;

    /// Tells of the connection.
    fn info(
        &self,
        connection: String,
    ) -> CapabilityFuture<'_, Result<WebSocketConnection, WebSocketError>>;
}

fn denied() -> WebSocketError {
    WebSocketError { code: WebSocketErrorCode::NotGranted, message: not_granted("websocket") }
}

impl wit::Host for Capabilities {
    async fn send(&mut self, connection: String, message: Vec<u8>) -> Result<(), wit::Error> {
        match &self.websocket {
            Some(websocket) => websocket.send(connection, message).await,
            None => Err(denied()),
        }
    }

    async fn close(&mut self, connection: String) -> Result<(), wit::Error> {
        match &self.websocket {
            Some(websocket) => websocket.close(connection).await,
            None => Err(denied()),
        }
    }

    async fn info(&mut self, connection: String) -> Result<wit::Connection, wit::Error> {
        match &self.websocket {
            Some(websocket) => websocket.info(connection).await,
            None => Err(denied()),
        }
    }
}
