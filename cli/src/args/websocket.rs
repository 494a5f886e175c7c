//! The arguments of `lambkin dev` that concern the WebSocket API.

use clap::Args;
use std::net::SocketAddr;

/// The WebSocket API of an app whose manifest has `[websocket]`.
#[derive(Debug, Args)]
pub(crate) struct WebSocket {
    /// The address to serve the app's WebSocket API on, if it has one; the port beside --listen when nothing is said
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen_websocket: Option<SocketAddr>,
    /// How long a WebSocket lives on which nothing is sent; API Gateway's ten minutes unless you test the end of one
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(crate) websocket_idle: u64,
    /// How long a WebSocket lives at most; API Gateway's two hours unless you test the end of one
    #[arg(long, default_value_t = 7200, value_name = "SECONDS")]
    pub(crate) websocket_lifetime: u64,
}
