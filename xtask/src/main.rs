//! Repository chores: `cargo xtask <chore>`.
//!
//! Kept small and free of the product's crates, since it is what a new machine builds first.

mod bench;
mod bindings;
mod bootstrap;
mod ci;
mod config;
mod demo;
mod hot_functions;
mod instructions;
mod setup;
mod shell;
mod tidy;

use anyhow::bail;
use config::Config;
use std::process::ExitCode;

const CHORES: &str = "\
usage: cargo xtask <chore>

  setup      install what building and testing needs; quick when it is all there
  demo       set up, build, and run the polyglot example with `lambkin dev`
  ci         set up, check, build and run every test; ends with one line of totals
  bench      set up, build, and measure Lambkin beside the native runtimes; all, or some of
             first, warm, quota, fetch, density, growth
  bootstrap  set up, and build the host for Lambda: what a start runs lies together in it
  instructions
             set up, build, and compare the instructions that the host executes with the figures
             that are kept; --write keeps the new ones
  hot-functions
             set up, build, and write anew which functions come first in components
  tidy       check the house rules: layering, file sizes, module docs, words
  bindings   generate the SDK's bindings from wit/ (needs wit-bindgen's command)";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            shell::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let config = Config::from_environment()?;
    match arguments.next().as_deref() {
        Some("setup") => setup::run(&config).map(|()| ExitCode::SUCCESS),
        Some("demo") => demo::run(&config, &arguments.collect::<Vec<_>>()),
        Some("ci") => ci::run(&config),
        Some("bench") => bench::run(&config, &arguments.collect::<Vec<_>>()),
        Some("instructions") => instructions::run(&config, &arguments.collect::<Vec<_>>()),
        Some("hot-functions") => hot_functions::run(&config),
        Some("tidy") => tidy::run(&config.root),
        Some("bootstrap") => bootstrap::run(&config).map(|()| ExitCode::SUCCESS),
        Some("bindings") => bindings::generate(&config).map(|()| ExitCode::SUCCESS),
        Some(other) => bail!("there is no chore {other}\n\n{CHORES}"),
        None => bail!("which chore?\n\n{CHORES}"),
    }
}
