//! What CI runs, and what a contributor runs before a push: set-up, checks, build, every test, one line of totals.
//!
//! A failing step does not stop the next one, so that one run tells everything.

pub(crate) mod build;
mod languages;
mod s3_peer;
mod totals;

use crate::instructions::{self, Verdict};
use crate::setup::cargo_deny;
use crate::{config::Config, setup, shell, tidy};
use s3_peer::S3Peer;
use std::process::{Command, ExitCode};
use std::time::Instant;
use totals::Totals;

/// How a step's tests are counted from what it prints.
#[derive(Debug, Clone, Copy)]
enum Counting {
    /// The step is one check: it passes or it fails.
    Check,
    /// Rust's test harness, and those that print alike.
    Rust,
    /// pytest.
    Pytest,
    /// `go test -v`.
    Go,
    /// `node --test --test-reporter=tap`.
    Tap,
}

struct Step {
    name: String,
    command: Command,
    counting: Counting,
}

/// Runs everything. Fails when anything failed, and prints `N passed, N failed, N skipped` as its last line.
pub(crate) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    setup::run(config)?;
    let mut totals = Totals::default();
    for step in checks(config) {
        totals.add(perform(step));
    }
    totals.add(house_rules(config));
    let built = build_programs(config);
    totals.add(built);
    // The tests run the programs: without them every one would fail for the same reason.
    if built.failed == 0 {
        totals.add(instructions(config));
        let peer = peer(config);
        for step in tests_of_rust(config, peer.as_ref()).into_iter().chain(languages::tests(config))
        {
            totals.add(perform(step));
        }
    }
    shell::say(&totals.to_string());
    Ok(if totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What fails to build counts; what builds is no test.
fn build_programs(config: &Config) -> Totals {
    match build::programs(config, build::Targets::All) {
        Ok(()) => Totals::default(),
        Err(error) => {
            shell::error(&error);
            Totals::failure()
        }
    }
}

fn perform(step: Step) -> Totals {
    shell::say(&format!("\n== {}", step.name));
    let started = Instant::now();
    let totals = match shell::show(step.command) {
        Ok(shown) => totals::count(step.counting, &shown),
        Err(error) => {
            shell::error(&error);
            Totals::failure()
        }
    };
    shell::say(&format!("== {}: {totals} in {} s", step.name, started.elapsed().as_secs()));
    totals
}

fn checks(config: &Config) -> Vec<Step> {
    let clippy = ["--all-targets", "--", "-D", "warnings"];
    let mut docs = cargo(config, &["doc", "--workspace", "--no-deps", "--exclude", "lambkin-sdk"]);
    let mut sdk_docs =
        cargo(config, &["doc", "--package", "lambkin-sdk", "--no-deps", "--all-features"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    sdk_docs.env("RUSTDOCFLAGS", "-D warnings");
    let mut workspace = cargo(config, &["clippy", "--workspace"]);
    workspace.args(clippy);
    // The advisory database is left out: a new advisory would fail an unchanged checkout, and needs the network.
    let mut deny =
        shell::command(cargo_deny::program(config), &["--workspace", "check"], &config.root);
    deny.args(["bans", "licenses", "sources"]);
    vec![
        check("format", cargo(config, &["fmt", "--all", "--check"])),
        check("clippy", workspace),
        check("documentation", docs),
        check("documentation of the SDK", sdk_docs),
        check("licences, sources, duplicates", deny),
    ]
}

/// Unit tests, and the conformance cases and other tests on the real `bootstrap`.
fn tests_of_rust(config: &Config, peer: Option<&S3Peer>) -> Vec<Step> {
    let mut rest = cargo(config, &["test", "--no-fail-fast"]);
    rest.args(build::ALL_BUT_THE_HOST);
    if let Some(peer) = peer {
        peer.name_to(&mut rest);
    }
    let host = cargo(config, &["test", "--package", "lambkin-host", "--no-fail-fast"]);
    vec![tests("tests, the host", host), tests("tests, all the rest", rest)]
}

/// The independent S3 server. Without it the tests that want one are skipped, and say so.
fn peer(config: &Config) -> Option<S3Peer> {
    S3Peer::start(config).unwrap_or_else(|error| {
        shell::error(&error);
        None
    })
}

fn house_rules(config: &Config) -> Totals {
    shell::say("\n== house rules");
    match tidy::run(&config.root) {
        Ok(code) if code == ExitCode::SUCCESS => Totals::success(),
        Ok(_) => Totals::failure(),
        Err(error) => {
            shell::error(&error);
            Totals::failure()
        }
    }
}

/// The host's instructions, before the tests: it is quick, and what it counts runs alone.
fn instructions(config: &Config) -> Totals {
    shell::say("\n== instructions");
    let started = Instant::now();
    let totals = match instructions::check(config) {
        Ok(Verdict::Kept) => Totals::success(),
        Ok(Verdict::NotJudged) => Totals { skipped: 1, ..Totals::default() },
        Ok(Verdict::Risen) => Totals::failure(),
        Err(error) => {
            shell::error(&error);
            Totals::failure()
        }
    };
    shell::say(&format!("== instructions: {totals} in {} s", started.elapsed().as_secs()));
    totals
}

fn check(name: &str, command: Command) -> Step {
    Step { name: name.to_owned(), command, counting: Counting::Check }
}

fn tests(name: &str, command: Command) -> Step {
    Step { name: name.to_owned(), command, counting: Counting::Rust }
}

fn cargo(config: &Config, arguments: &[&str]) -> Command {
    shell::command("cargo", arguments, &config.root)
}
