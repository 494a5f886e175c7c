//! `cargo xtask instructions`: a gate against growth of what the host executes.
//!
//! Counts, with callgrind, the instructions of the whole process until the first answer, and those of a warm call. It
//! runs the *debug* `bootstrap` that CI has built anyway, so that CI builds nothing more for it: the figures say whether
//! the host does more than it did, not how fast it is. How fast it is, `cargo xtask bench` says.
//!
//! A count needs no quiet machine. What varies from run to run (seeds of hash tables, wakers that race, ticks of the
//! clock behind deadlines) is some 0.1 %. Artifacts are on disk, the log is silent, and each event is there before the
//! host asks for it. A figure that has risen is counted again before it counts, and its smallest value taken.

mod callgrind;
mod figures;
mod measure;
mod runtime_api;

pub(crate) use measure::Bucket;

use crate::setup::valgrind;
use crate::{ci::build, config::Config, setup, shell};
use anyhow::{Context as _, bail};
use callgrind::Profile;
use figures::{Change, Comparison, Figure, Figures, Setting};
use measure::Bench;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Most counts of each figure when one seems to have risen.
const ATTEMPTS: u32 = 3;

/// Extensions of the processor by which the C library and crates choose their code, as Linux names them.
const EXTENSIONS: [&str; 5] = ["avx2", "bmi2", "erms", "fsrm", "sse4_2"];

/// What the comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing has risen.
    Kept,
    /// Something has risen, or is not guarded.
    Risen,
    /// The figures are of another kind of processor, or nothing here can count.
    NotJudged,
}

/// Sets up, builds, and compares; with `--write`, keeps the new figures instead.
pub(crate) fn run(config: &Config, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let write = match arguments {
        [] => false,
        [option] if option == "--write" => true,
        _ => bail!("`cargo xtask instructions` takes no argument but --write"),
    };
    setup::for_building(config)?;
    setup::for_counting(config)?;
    build::programs(config, build::Targets::Programs)?;
    if write {
        keep(config)?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(match check(config)? {
        Verdict::Risen => ExitCode::FAILURE,
        Verdict::Kept | Verdict::NotJudged => ExitCode::SUCCESS,
    })
}

/// Counts, with programs that are built, and compares with the figures that are kept.
pub(crate) fn check(config: &Config) -> anyhow::Result<Verdict> {
    if valgrind::callgrind(config).is_none() {
        shell::say("valgrind is missing: `cargo xtask setup` says how to get it");
        return Ok(Verdict::NotJudged);
    }
    let path = file(config);
    let text =
        fs_err::read_to_string(&path).context("`cargo xtask instructions --write` makes it")?;
    let kept: Figures = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let setting = setting(config)?;
    let bench = Bench::set_up(config, config.program("bootstrap"))?;
    let mut measured = count(&bench)?;
    if setting.processor != kept.measured_with.processor {
        say_figures(&measured);
        let (here, there) = (setting.processor, kept.measured_with.processor);
        shell::say(&format!("not compared: this is {here}, the figures are of {there}"));
        return Ok(Verdict::NotJudged);
    }
    for (what, before, now) in [
        ("rustc", &kept.measured_with.rustc, &setting.rustc),
        ("wasmtime", &kept.measured_with.wasmtime, &setting.wasmtime),
    ] {
        if before != now {
            shell::say(&format!("the figures are of {what} {before}, this is {now}"));
        }
    }
    let mut comparisons = figures::compare(&kept.figures, &measured);
    for _ in 1..ATTEMPTS {
        if !has(&comparisons, Change::Worse) {
            break;
        }
        take_smaller(&mut measured, count(&bench)?);
        comparisons = figures::compare(&kept.figures, &measured);
    }
    for comparison in &comparisons {
        shell::say(&comparison.to_string());
    }
    if has(&comparisons, Change::Worse) {
        shell::say("instructions have risen: CONTRIBUTING.md says what to do");
        return Ok(Verdict::Risen);
    }
    if has(&comparisons, Change::Better) {
        shell::say("instructions have fallen: keep that with `cargo xtask instructions --write`");
    }
    Ok(Verdict::Kept)
}

/// The symbols of the functions that `host`, which has some, runs until its first answers: from a folder and from S3.
pub(crate) fn functions(
    config: &Config,
    host: &Path,
    bucket: Bucket,
) -> anyhow::Result<BTreeSet<String>> {
    let mut functions = Bench::set_up(config, host.to_owned())?.functions()?;
    functions.extend(Bench::in_s3(config, host.to_owned(), bucket)?.functions()?);
    Ok(functions)
}

/// Writes the figures, the smallest of as many counts as a comparison takes at most.
fn keep(config: &Config) -> anyhow::Result<()> {
    let bench = Bench::set_up(config, config.program("bootstrap"))?;
    let mut measured = count(&bench)?;
    for _ in 1..ATTEMPTS {
        take_smaller(&mut measured, count(&bench)?);
    }
    say_figures(&measured);
    let figures = Figures { measured_with: setting(config)?, figures: measured };
    fs_err::write(file(config), serde_json::to_string_pretty(&figures)? + "\n")?;
    Ok(())
}

fn file(config: &Config) -> PathBuf {
    config.root.join("xtask/instructions.json")
}

fn count(bench: &Bench<'_>) -> anyhow::Result<BTreeMap<String, Figure>> {
    let figure = |(name, profile): (String, Profile)| (name, Figure::from(&profile));
    Ok(bench.count()?.into_iter().map(figure).collect())
}

fn take_smaller(figures: &mut BTreeMap<String, Figure>, others: BTreeMap<String, Figure>) {
    for (name, other) in others {
        if figures.get(&name).is_none_or(|figure| other.instructions < figure.instructions) {
            figures.insert(name, other);
        }
    }
}

fn has(comparisons: &[Comparison], change: Change) -> bool {
    comparisons.iter().any(|comparison| comparison.change == change)
}

fn say_figures(figures: &BTreeMap<String, Figure>) {
    for (name, figure) in figures {
        shell::say(&format!("{name}: {} instructions", figure.instructions));
    }
}

fn setting(config: &Config) -> anyhow::Result<Setting> {
    let rustc = shell::output(shell::command("rustc", &["--version"], &config.root))?;
    let lock = fs_err::read_to_string(config.root.join("Cargo.lock"))?;
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"wasmtime\"").skip(1);
    let version = lines.next().and_then(|line| line.strip_prefix("version = "));
    let wasmtime = version.context("Cargo.lock names no wasmtime")?.trim_matches('"').to_owned();
    let rustc = rustc.split(' ').nth(1).context("rustc has no version")?.to_owned();
    Ok(Setting { processor: processor()?, rustc, wasmtime })
}

/// The architecture, and those of the extensions that this processor has.
fn processor() -> anyhow::Result<String> {
    let text = fs_err::read_to_string("/proc/cpuinfo")?;
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let flags: Vec<_> = flags.split_whitespace().collect();
    let present = EXTENSIONS.into_iter().filter(|extension| flags.contains(extension));
    Ok(std::iter::once(std::env::consts::ARCH).chain(present).collect::<Vec<_>>().join(" "))
}
