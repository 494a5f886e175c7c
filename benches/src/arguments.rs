//! The command's arguments: which parts are measured, and where the programs are.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measures Lambkin beside the native runtimes; `cargo xtask bench` builds the programs and gives the arguments.
#[derive(Debug, Parser)]
#[command(args_override_self = true)] // what `cargo xtask bench` gives is overridden by what its user gives
pub(crate) struct Arguments {
    /// What to measure; everything when nothing is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
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
    /// The same with `aws-sdk-s3`: what "from S3" is compared with.
    #[arg(long)]
    pub(crate) native_rust_s3: PathBuf,
    /// The handler on Go's own client.
    #[arg(long)]
    pub(crate) native_go: Option<PathBuf>,
    /// A Python with `awslambdaric`.
    #[arg(long)]
    pub(crate) native_python: Option<PathBuf>,
    /// The script that starts Node's own client.
    #[arg(long)]
    pub(crate) native_node: Option<PathBuf>,
    /// The class path of Java's own client and the handler.
    #[arg(long)]
    pub(crate) native_java: Option<String>,
    /// The command whose `serve` is measured, built with `--release`.
    #[arg(long)]
    pub(crate) serve: Option<PathBuf>,
    /// The wasmtime command that it is compared with, of the same version and built the same way.
    #[arg(long)]
    pub(crate) wasmtime: Option<PathBuf>,
    /// wrk, which makes the load.
    #[arg(long)]
    pub(crate) wrk: Option<PathBuf>,
    /// The folder of wrk's libraries, when they are not the system's.
    #[arg(long)]
    pub(crate) wrk_libraries: Option<PathBuf>,
    /// How many first answers of each; the parts that take longer make fewer.
    #[arg(long, default_value_t = 15)]
    pub(crate) rounds: usize,
    /// How many warm calls of each.
    #[arg(long, default_value_t = 500)]
    pub(crate) calls: usize,
    /// Where to write everything that was measured, as JSON.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// The folder for the plots of `growth`.
    #[arg(long)]
    pub(crate) plots: Option<PathBuf>,
    /// The commit that is measured, for the JSON.
    #[arg(long, default_value = "unknown")]
    pub(crate) commit: String,
}

/// A part of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// First answers: from `exec` to the last byte.
    First,
    /// Warm calls: a greeting, and 10 KB of JSON transformed.
    Warm,
    /// Both under the share of a processor that Lambda gives small functions.
    Quota,
    /// The first call of an app that the process has not seen.
    Fetch,
    /// A thousand apps through one process.
    Density,
    /// How cost grows with bodies, routes, apps and concurrency.
    Growth,
    /// `lambkin serve` against `wasmtime serve`.
    Serve,
    /// From a saved file to an answer of the new code, under `lambkin dev`.
    Reload,
}

impl Arguments {
    /// Whether `part` is to be measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}
