//! `cargo xtask bench`: what a first answer and a warm call cost on Lambkin and on each language's own Lambda client,
//! all in one run, with one Runtime API server and one S3.
//!
//! A first answer is timed from `exec` to the last byte of the answer; its processor time is what the process used
//! until then. The runtimes take turns, so that whatever else the machine does meets all of them.

mod arguments;
mod cold;
mod lambkin;
mod process;
mod report;
mod runtime_api;
mod statistics;
mod subject;
mod warm;

use anyhow::Context as _;
use arguments::Arguments;
use clap::Parser as _;
use std::process::ExitCode;

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
    let servers = tokio::runtime::Runtime::new().context("starting the servers' threads")?;
    let folder = tempfile::tempdir()?;
    report::say("publishing the components");
    let store = servers.block_on(lambkin::Store::start(folder.path()))?;
    let subjects = subject::all(arguments, &store, folder.path())?;
    report::say(&format!("first answers, {} rounds", arguments.rounds));
    let cold = cold::measure(&subjects, arguments.rounds)?;
    report::say(&format!("warm calls, {} each", arguments.calls));
    let warm = warm::measure(&subjects, arguments.calls)?;
    report::table(&subjects, &cold, &warm);
    Ok(())
}
