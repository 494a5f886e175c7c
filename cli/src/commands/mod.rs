//! One module a verb; each is a small function of resolved settings.

mod alias;
mod build;
mod dev;
mod doctor;
mod domain;
mod hot_functions;
mod inspect;
mod invoke;
pub(crate) mod logs;
mod new;
mod package;
mod publish;
mod releases;
mod serve;

use crate::args::{Arguments, Command};
use crate::output::Output;
use anyhow::Result;
use clap::CommandFactory as _;
use std::process::ExitCode;

/// Runs the verb that was asked for.
pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result<ExitCode> {
    match arguments.command {
        Command::New(arguments) => new::run(&arguments, output)?,
        Command::Build(arguments) => build::run(&arguments, output).await?,
        Command::Dev(arguments) => dev::run(&arguments, output).await?,
        Command::Serve(arguments) => serve::run(&arguments, output).await?,
        Command::Publish(arguments) => publish::run(&arguments, output).await?,
        Command::Package(arguments) => package::run(&arguments, output).await?,
        Command::Alias(arguments) => alias::run(&arguments, output).await?,
        Command::Releases(arguments) => releases::run(&arguments, output).await?,
        Command::Domain(arguments) => domain::run(&arguments, output).await?,
        Command::Logs(arguments) => logs::run(&arguments, output).await?,
        Command::Invoke(arguments) => return invoke::run(&arguments, output).await,
        Command::Inspect(arguments) => inspect::run(&arguments, output).await?,
        Command::Doctor => return doctor::run(output),
        Command::HotFunctions(arguments) => hot_functions::run(&arguments, output).await?,
        Command::Schema => {
            output.raw(&serde_json::to_string_pretty(&lambkin_protocol::manifest::schema())?);
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "lambkin", &mut script);
            output.raw(&String::from_utf8_lossy(&script));
        }
    }
    Ok(ExitCode::SUCCESS)
}
