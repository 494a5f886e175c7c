//! The arguments of `lambkin invoke`.

use super::{Source, Store};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Invoke {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The event: a JSON file, or `-` for standard input, as when nothing is said; with --event-template what the event carries
    #[arg(long, short, value_name = "FILE")]
    pub(crate) event: Option<PathBuf>,
    /// Make an event as this service sends it, for the trigger of the app here
    #[arg(long, value_name = "SERVICE", value_enum)]
    pub(crate) event_template: Option<EventTemplate>,
    /// Invoke what an alias points to in a store, instead of the sources here
    #[arg(long, value_name = "APP@ALIAS", requires = "store")]
    pub(crate) app: Option<String>,
    #[command(flatten)]
    pub(crate) store: Store,
    /// The function's memory in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    pub(crate) memory: u32,
    /// The function's time-out in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) timeout: u64,
    /// The host to run, when it is not beside `lambkin`
    #[arg(long, env = "LAMBKIN_BOOTSTRAP", value_name = "FILE")]
    pub(crate) bootstrap: Option<PathBuf>,
}

/// A service whose events can be made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventTemplate {
    /// An object that was created; the event carries its key
    S3,
    /// A rule whose time has come
    Schedule,
    /// A message of a queue
    Sqs,
    /// A message of a topic
    Sns,
    /// An event of a bus; what is carried is its detail, a JSON object
    Eventbridge,
    /// An item that was written; what is carried is the new item as JSON
    Dynamodb,
    /// A record of a stream
    Kinesis,
}
