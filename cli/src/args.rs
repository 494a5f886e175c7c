//! The command line as typed arguments. What they mean is resolved in `settings.rs`.

mod dev;
mod invoke;
mod logs;
mod websocket;

pub(crate) use dev::{Dev, Mapped};
pub(crate) use invoke::{EventTemplate, Invoke};
pub(crate) use logs::Logs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Build, run and publish WebAssembly apps for AWS Lambda.
#[derive(Debug, Parser)]
#[command(name = "lambkin", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For scripts: one JSON document on standard output
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create an app from a template
    New(New),
    /// Build the app's components
    Build(Build),
    /// Run the app on this machine, and rebuild it when its sources change
    Dev(Dev),
    /// Serve an app or a component over plain HTTP, by the host that Lambda runs, without Lambda
    Serve(Serve),
    /// Build, compile and upload the app, then move an alias to the new release
    Publish(Publish),
    /// Pack the app and the host into a function's zip that needs nothing from S3 to start
    Package(Package),
    /// Show an alias, or move it to another release
    Alias(Alias),
    /// List the app's releases and the aliases that point to them
    Releases(Releases),
    /// Map an app to a path of a domain
    Domain(Domain),
    /// Show what the app's function printed, here or on AWS
    Logs(Logs),
    /// Send one Lambda event to the app through the real host
    Invoke(Invoke),
    /// Show what a release, a component or a .wasm file holds
    Inspect(Inspect),
    /// Tell which toolchains are there, what is missing and how to get it
    Doctor,
    /// Print the functions that first calls of the app's components run, for who builds Lambkin
    #[command(hide = true)]
    HotFunctions(Build),
    /// Print the JSON Schema of lambkin.toml, for editors
    Schema,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The app's name, and the folder that is created
    #[arg(required_unless_present = "list")]
    pub(crate) name: Option<String>,
    /// Which template: `lambkin new --list` shows them
    #[arg(long, short, required_unless_present = "list")]
    pub(crate) template: Option<String>,
    /// List the templates
    #[arg(long)]
    pub(crate) list: bool,
}

/// Where the app's sources are.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The app's folder, or its manifest
    #[arg(long, short = 'p', default_value = ".", value_name = "PATH")]
    pub(crate) project: PathBuf,
}

/// Where releases are kept.
#[derive(Debug, Args)]
pub(crate) struct Store {
    /// The store: `s3://bucket/prefix`, or a folder
    #[arg(long, env = "LAMBKIN_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The app's folder or manifest, or one component: a .wasm file, which gets every path
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Serve this published app from the store, instead of what is at PATH
    #[arg(long, value_name = "NAME", requires = "store", conflicts_with = "path")]
    pub(crate) app: Option<String>,
    /// The alias of the published app
    #[arg(long, default_value = "live", requires = "app")]
    pub(crate) alias: String,
    #[command(flatten)]
    pub(crate) store: Store,
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        visible_alias = "listen",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub(crate) addr: SocketAddr,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    /// Let granted hosts have private addresses, such as those of a VPC or of this machine
    #[arg(long)]
    pub(crate) allow_private_network: bool,
    /// Print a line for each request: status, method, path, time to the first byte
    #[arg(long)]
    pub(crate) log: bool,
}

/// What one client, or all of them together, may take.
#[derive(Debug, Args)]
pub(crate) struct Bounds {
    /// Requests that are answered at once; more wait for their turn
    #[arg(long, default_value_t = 256, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) concurrency: u32,
    /// The most memory in MiB that a component may be given
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) memory: u32,
    /// The most time in seconds that a request may take; a component's own time-out counts too
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub(crate) timeout: u64,
    /// The largest request body in MiB that a web component gets; a function component gets 6 at most
    #[arg(long, default_value_t = 100, value_name = "MIB")]
    pub(crate) max_body: u64,
    /// Seconds until a connection is closed whose next request is not there, head and all
    #[arg(long, default_value_t = 75, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) header_timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) store: Store,
    /// The alias to move to the new release
    #[arg(long, default_value = "live")]
    pub(crate) alias: String,
    /// Upload the release and leave every alias where it is
    #[arg(long, conflicts_with = "alias")]
    pub(crate) no_alias: bool,
    /// The processors to compile for
    #[arg(long, value_delimiter = ',', default_value = "x86_64,aarch64", value_name = "TARGETS")]
    pub(crate) target: Vec<String>,
    /// Move the alias only if it points to this release now
    #[arg(long, value_name = "RELEASE")]
    pub(crate) expect: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Package {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Pack what an alias points to in a store, instead of the sources here
    #[arg(long, value_name = "APP@ALIAS", requires = "store")]
    pub(crate) app: Option<String>,
    #[command(flatten)]
    pub(crate) store: Store,
    /// The zip to write
    #[arg(long, short, default_value = "function.zip", value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The host to pack, when it is not beside `lambkin`; its processor is the one that artifacts are packed for
    #[arg(long, env = "LAMBKIN_BOOTSTRAP", value_name = "FILE")]
    pub(crate) bootstrap: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Alias {
    /// The alias
    #[arg(value_name = "ALIAS")]
    pub(crate) name: String,
    /// Move it to this release: an id, or its first digits
    #[arg(long, value_name = "RELEASE", conflicts_with = "rollback")]
    pub(crate) to: Option<String>,
    /// Send only this share of the requests to the release, and the rest to the one that the alias points to now
    #[arg(long, value_name = "PERCENT", requires = "to", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) weight: Option<u8>,
    /// Move it back to the release it pointed to before
    #[arg(long)]
    pub(crate) rollback: bool,
    #[command(flatten)]
    pub(crate) app: AppChoice,
    #[command(flatten)]
    pub(crate) store: Store,
}

/// Which app is meant, when it is not the one in this folder.
#[derive(Debug, Args)]
pub(crate) struct AppChoice {
    /// The app's name, when it is not the one of the manifest here
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Releases {
    #[command(flatten)]
    pub(crate) app: AppChoice,
    #[command(flatten)]
    pub(crate) store: Store,
}

#[derive(Debug, Args)]
pub(crate) struct Domain {
    /// The domain, for example `api.example.com`
    #[arg(value_name = "DOMAIN")]
    pub(crate) name: String,
    /// The app and alias: `shop@live`; without it the domain's mappings are shown
    #[arg(long, value_name = "APP@ALIAS")]
    pub(crate) app: Option<String>,
    /// The base path, for example `orders/v2`; empty takes all other paths
    #[arg(long, default_value = "", value_name = "PATH")]
    pub(crate) base_path: String,
    /// Take the base path's mapping away
    #[arg(long, conflicts_with = "app")]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) store: Store,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A release id, an alias, a component of the app here, or a .wasm file
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) app: AppChoice,
    #[command(flatten)]
    pub(crate) store: Store,
}
