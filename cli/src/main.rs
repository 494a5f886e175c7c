//! `lambkin`: scaffold, build, run locally, publish, roll back and inspect apps.
//!
//! A command goes three steps: typed arguments, resolved settings, one plain function that does the work.

mod args;
mod commands;
mod config;
mod hint;
mod output;
mod project;
mod publish;
mod running;
mod settings;
mod signals;
mod watch;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let output = output::Output::new(arguments.format);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output.failure(&error.into()),
    };
    let outcome = runtime.block_on(commands::run(arguments, &output));
    // A build or a compilation that nobody waits for any more must not hold the exit up.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => output.failure(&error),
    }
}
