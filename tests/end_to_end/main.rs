//! What a platform team sees: published apps on the real `bootstrap` under the local cloud, well and badly served.
//!
//! One module per subject. [`stage`] sets the scene: a store, apps in it, host processes on it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod artifacts;
mod authorizers;
mod aws_cli;
mod browser;
mod building;
mod capabilities;
mod commands;
mod concurrency;
mod dev;
mod domains;
mod endings;
mod events;
mod faulty_s3;
mod files;
/// The local cloud's own tests judge events as these do.
#[path = "../../local-cloud/tests/support/judge.rs"]
mod judge;
mod load;
mod local_cloud;
mod logs;
mod packages;
mod page;
mod paging;
mod photos;
mod queues;
mod releases;
mod reuse;
mod serve;
mod server;
mod serving;
mod stage;
mod store_faults;
mod streaming;
mod triggers;
mod warmups;
mod websocket;
