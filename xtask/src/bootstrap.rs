//! `cargo xtask bootstrap`: the host as it goes to Lambda.
//!
//! The C library is linked into it: a start has no libraries to find, map and relocate, and the glibc of the machine that
//! builds need not be that of the machine that runs.
//!
//! A cold start maps the executable page by page: what it runs should lie together. Which functions that are is found by
//! running a build that still has its symbols under callgrind, and told to the linker of a second one. The names have
//! digests of features and profile in them, so that a list would be of no use to another build.

use crate::bindings::fingerprint;
use crate::instructions::{self, Bucket};
use crate::setup::valgrind;
use crate::{ci::build, config::Config, setup, shell};
use anyhow::{Context as _, bail};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Keys that the local S3 takes.
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local-secret"),
    ("AWS_REGION", "us-east-1"),
];

/// Sets up, and builds `release/bootstrap` in cargo's target folder.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    setup::for_building(config)?;
    setup::for_counting(config)?;
    build::programs(config, build::Targets::Programs)?;
    build(config)?;
    shell::say(&format!("the host is {}", program(config).display()));
    Ok(())
}

/// Builds it, with the programs of the debug build; in any order where this machine cannot tell which is best.
pub(crate) fn build(config: &Config) -> anyhow::Result<()> {
    // Elsewhere rustc does not bring the linker that takes a list
    // (https://blog.rust-lang.org/2025/09/18/Rust-1.90.0/#lld-is-now-the-default-linker-on-x86_64-unknown-linux-gnu).
    let has_linker = cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"));
    let of_one_piece = of_one_piece(config);
    if !has_linker || valgrind::callgrind(config).is_none() {
        shell::say("functions stay in the order that they have: valgrind or lld is missing");
        return link(config, &config.target, of_one_piece);
    }
    shell::say("building the host twice, first with symbols, to see what a start runs");
    // A target folder of its own: neither build makes the other one stale.
    let folder = config.target.join("start");
    link(config, &folder, &[of_one_piece, &["-Cstrip=none"]].concat())?;
    let named = folder.join("release/bootstrap");
    let cloud = Cloud::start(config)?;
    let functions = instructions::functions(config, &named, cloud.bucket())?;
    drop(cloud);
    shell::say(&format!("{} functions run at a start", functions.len()));
    let text = functions.into_iter().collect::<Vec<_>>().join("\n") + "\n";
    // Another list has another name, so that cargo links anew.
    let list = folder.join(format!("functions-{}.txt", fingerprint(&text)));
    fs_err::write(&list, text)?;
    let order = format!("-Clink-arg=-Wl,--symbol-ordering-file={}", list.display());
    // The C library's functions are in the list, too.
    let ordered = [&order, "-Clink-arg=-Wl,--no-warn-symbol-ordering"];
    link(config, &config.target, &[of_one_piece, &ordered].concat())
}

/// The options that link the C library into the program, or none where there is only a shared one.
///
/// It stays position independent; its relocations, 26,000 of one kind, take a bit each instead of 24 bytes (`DT_RELR`).
fn of_one_piece(config: &Config) -> &'static [&'static str] {
    let has = |file: &str| {
        let file = format!("-print-file-name={file}");
        let found = shell::output_of(shell::command("cc", &[&file], &config.root));
        // What cc does not find it answers as it was asked.
        found.is_some_and(|path| Path::new(path.trim()).is_absolute())
    };
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return &[];
    }
    if has("libc.a") && has("rcrt1.o") {
        return &["-Ctarget-feature=+crt-static", "-Clink-arg=-Wl,-z,pack-relative-relocs"];
    }
    shell::say(
        "it needs the glibc of this machine or a later one: there is no libc.a (Fedora: glibc-static)",
    );
    &[]
}

fn program(config: &Config) -> PathBuf {
    config.target.join("release/bootstrap")
}

fn link(config: &Config, target: &Path, options: &[&str]) -> anyhow::Result<()> {
    let arguments = ["rustc", "--release", "--package", "lambkin-host", "--bin", "bootstrap", "--"];
    let mut command = shell::command("cargo", &arguments, &config.root);
    command.args(options).env("CARGO_TARGET_DIR", target);
    shell::run(command)
}

/// `lambkin dev`, for its S3.
struct Cloud {
    process: Child,
    endpoint: String,
}

impl Cloud {
    fn start(config: &Config) -> anyhow::Result<Self> {
        let app = config.root.join("benches/apps/rust-function");
        let mut command: Command =
            shell::command(config.program("lambkin"), &["dev", "--listen", "127.0.0.1:0"], &app);
        let mut process = command.stderr(Stdio::piped()).spawn().context("lambkin dev")?;
        let errors = process.stderr.take().context("lambkin dev has no output")?;
        let mut cloud = Self { process, endpoint: String::new() };
        let mut lines = BufReader::new(errors).lines();
        for line in &mut lines {
            if let Some((_, endpoint)) = line?.split_once(", S3 ") {
                endpoint.trim().clone_into(&mut cloud.endpoint);
                // What it says later must not fill the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(cloud);
            }
        }
        bail!("`lambkin dev` ended before it had an S3")
    }

    /// A folder of the bucket that it has for stores.
    fn bucket(&self) -> Bucket {
        let keys = KEYS.map(|(name, value)| (name, value.to_owned()));
        let endpoint = ("AWS_ENDPOINT_URL_S3", self.endpoint.clone());
        Bucket {
            url: "s3://lambkin/start".to_owned(),
            variables: keys.into_iter().chain([endpoint]).collect(),
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
