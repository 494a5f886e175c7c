//! The command's arguments: where the programs are that are measured.

use clap::Parser;
use std::path::PathBuf;

/// Measures first answers and warm calls; `cargo xtask bench` builds the programs and gives the arguments.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The host, built with `--release`.
    #[arg(long)]
    pub(crate) bootstrap: PathBuf,
    /// The command that publishes the components.
    #[arg(long)]
    pub(crate) lambkin: PathBuf,
    /// The folder of the apps that are published, and whose handlers the native clients run.
    #[arg(long)]
    pub(crate) apps: PathBuf,
    /// The handler on Rust's own client, built with `--release`: what all are compared with.
    #[arg(long)]
    pub(crate) native_rust: PathBuf,
    /// The handler on Go's own client.
    #[arg(long)]
    pub(crate) native_go: Option<PathBuf>,
    /// A Python with `awslambdaric`.
    #[arg(long)]
    pub(crate) native_python: Option<PathBuf>,
    /// The script that starts Node's own client.
    #[arg(long)]
    pub(crate) native_node: Option<PathBuf>,
    /// How many first answers of each.
    #[arg(long, default_value_t = 15)]
    pub(crate) rounds: usize,
    /// How many warm calls of each.
    #[arg(long, default_value_t = 500)]
    pub(crate) calls: usize,
}
