//! `cargo xtask bench`: what Lambkin costs, beside each language's own Lambda client, all in one run, with one Runtime
//! API server and one S3.
//!
//! | part | what it measures | module |
//! |---|---|---|
//! | `first` | `exec` to first answer, artifact in S3 and in /tmp; the binary's size | `cold`, `binary` |
//! | `warm` | a greeting, and 10 KB of JSON transformed | `warm` |
//! | `quota` | both under the share of a processor that small functions get | `quota` |
//! | `fetch` | the first call of an app that the process has not seen; the second app on one engine | `fetch`, `second` |
//! | `density` | a thousand apps through one process | `density` |
//! | `growth` | cost against bodies, routes, apps and concurrency | `growth` |
//! | `reload` | from a saved file to the new answer under `lambkin dev`, beside `node --watch` | `reload` |
//! | `serve` | `lambkin serve` against `wasmtime serve`, 1 and 64 connections | `serve` |
//!
//! The runtimes take turns, so that whatever else the machine does meets all of them. Processor time is what a process
//! and the kernel for it used; on a machine with other work it is the figure to read. Every answer is checked.

mod arguments;
mod binary;
mod call;
mod cgroup;
mod cold;
mod component;
mod density;
mod fetch;
mod fleet;
mod growth;
mod lambkin;
mod log;
mod machine;
mod orders;
mod plot;
mod process;
mod quota;
mod reload;
mod report;
mod runtime_api;
mod second;
mod serve;
mod server;
mod statistics;
mod subject;
mod table;
mod target;
mod warm;
mod wrk;
mod zipf;

use arguments::{Arguments, Part};
use clap::Parser as _;
use lambkin::Cloud;
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::fail(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(arguments, folder.path())?;
    report::print(&machine::describe());
    let mut results = Map::new();
    results.insert("machine".to_owned(), machine::facts(&arguments.commit));
    let started = Instant::now();
    let outcome = measure(arguments, &cloud, &mut results);
    let seconds = started.elapsed().as_secs();
    report::print(&format!("\nIn {seconds} s; the load is {} now.", machine::load()));
    results.insert("loadAtEnd".to_owned(), machine::load().into());
    results.insert("seconds".to_owned(), seconds.into());
    if let Some(file) = &arguments.json {
        fs_err::write(file, serde_json::to_vec(&results)?)?;
        report::say(&format!("everything that was measured is in {}", file.display()));
    }
    outcome
}

fn measure(
    arguments: &Arguments,
    cloud: &Cloud,
    results: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    let mut keep = |name: &str, value| drop(results.insert(name.to_owned(), value));
    if [Part::First, Part::Warm, Part::Quota].iter().any(|part| arguments.wants(*part)) {
        let subjects = subject::all(arguments, cloud)?;
        if arguments.wants(Part::First) {
            keep("binary", binary::run(cloud.bootstrap())?);
            keep("first", cold::run(&subjects, arguments.rounds)?);
        }
        if arguments.wants(Part::Warm) {
            keep("warm", warm::run(&subjects, arguments.calls)?);
        }
        if arguments.wants(Part::Quota) {
            keep("quota", quota::run(&subjects, arguments.rounds.div_ceil(3))?);
        }
    }
    if arguments.wants(Part::Fetch) {
        keep("fetch", fetch::run(cloud, &arguments.native_rust_s3, arguments.rounds)?);
        keep("second", second::run(cloud)?);
    }
    if arguments.wants(Part::Reload) {
        keep("reload", reload::run(arguments, cloud)?);
    }
    if arguments.wants(Part::Serve) {
        keep("serve", serve::run(arguments, cloud)?);
    }
    if [Part::Density, Part::Growth].iter().any(|part| arguments.wants(*part)) {
        let fleet = density::Fleet::publish(cloud)?;
        if arguments.wants(Part::Density) {
            keep("density", density::run(cloud, &fleet)?);
        }
        if arguments.wants(Part::Growth) {
            keep("growth", growth::run(arguments, cloud, &fleet)?);
        }
    }
    Ok(())
}
