//! The arguments of `lambkin dev`.

use super::Source;
use super::websocket::WebSocket;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Dev {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The address to serve the app on
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The address where AWS's clients of Lambda and of logs call; two ports beside --listen when nothing is said
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen_aws: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) websocket: WebSocket,
    /// Serve what is there, and do not watch the sources
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// The most sandboxes (host processes) at once
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) max_sandboxes: usize,
    /// How many requests the function answers at once before it refuses more as Lambda does; without it they wait
    #[arg(long, value_name = "COUNT")]
    pub(crate) reserved_concurrency: Option<usize>,
    /// The function's memory in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    pub(crate) memory: u32,
    /// How long an invocation may take, in seconds, as it is set at a function; an API gives up earlier by itself
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=900))]
    pub(crate) timeout: u64,
    /// The host to run, when it is not beside `lambkin`
    #[arg(long, env = "LAMBKIN_BOOTSTRAP", value_name = "FILE")]
    pub(crate) bootstrap: Option<PathBuf>,
}
