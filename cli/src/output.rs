//! The one place that prints: results on standard output, progress and errors on standard error.
//!
//! Colour and moving progress appear on a terminal only; `--format json` leaves standard output to one JSON document.
#![expect(
    clippy::unused_self,
    reason = "all that is printed goes through one output, whether its format matters or not"
)]

use crate::args::Format;
use crate::hint::Hinted;
use anstream::{eprintln, println};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();

/// How a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Quiet,
    Plain,
    Warning,
    Error,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Quiet => DIM,
            Self::Plain => Style::new(),
            Self::Warning => YELLOW,
            Self::Error => RED,
        }
    }
}

/// Where a command says what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    /// An output in `format`.
    pub(crate) fn new(format: Format) -> Self {
        Self { format, quiet: false }
    }

    /// An output that reports no steps, for work that is part of another step.
    pub(crate) fn quiet() -> Self {
        Self { format: Format::Text, quiet: true }
    }

    /// A finished step: a green verb and what it was done to.
    pub(crate) fn done(&self, verb: &str, what: &str) {
        if self.quiet {
            return;
        }
        eprintln!("{GREEN}{verb:>12}{GREEN:#} {what}");
    }

    /// Something the user should know that stops nothing.
    pub(crate) fn warn(&self, what: &str) {
        eprintln!("{YELLOW}{:>12}{YELLOW:#} {what}", "Warning");
    }

    /// A line of a running app: dimmed source, then text.
    pub(crate) fn line(&self, source: &str, text: &str) {
        eprintln!("{DIM}{source:>12}{DIM:#} {text}");
    }

    /// A request that was answered: its status in the colour of its class, then what it was.
    pub(crate) fn answered(&self, status: u16, text: &str) {
        let style = match status {
            ..300 => GREEN,
            300..400 => CYAN,
            400..500 => YELLOW,
            _ => RED,
        };
        eprintln!("{style}{status:>12}{style:#} {text}");
    }

    /// What belongs to the line before, under it.
    pub(crate) fn detail(&self, source: &str, text: &str, tone: Tone) {
        let style = tone.style();
        for line in text.lines() {
            eprintln!("{:>12} {DIM}{source} |{DIM:#} {style}{line}{style:#}", "");
        }
    }

    /// An entry of a log, as a result: when, whose, and what it says.
    pub(crate) fn entry(&self, moment: &str, source: &str, (text, tone): (&str, Tone)) {
        let style = tone.style();
        println!("{DIM}{moment}{DIM:#} {CYAN}{source}{CYAN:#} {style}{text}{style:#}");
    }

    /// Whether results are for scripts.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A result: `text` for people, `document` for scripts.
    pub(crate) fn result<T: Serialize>(
        &self,
        document: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Text => println!("{}", text().trim_end()),
            Format::Json => println!("{}", serde_json::to_string_pretty(document)?),
        }
        Ok(())
    }

    /// Text that is the whole result in any format.
    pub(crate) fn raw(&self, text: &str) {
        println!("{}", text.trim_end_matches('\n'));
    }

    /// A step that takes a while; it is shown while it lasts and cleared at its end.
    pub(crate) fn step(&self, what: &str) -> Step {
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Step(bar)
    }

    /// Prints an error, what caused it and the hint it carries.
    pub(crate) fn failure(&self, error: &anyhow::Error) -> ExitCode {
        self.error(error);
        ExitCode::FAILURE
    }

    /// Prints an error and goes on.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if let Some(failure) = error.downcast_ref::<lambkin_build::BuildFailure>() {
            eprintln!("{}", failure.output.trim_end());
            eprintln!("{RED}error{RED:#}: {}", failure.summary);
            return;
        }
        eprintln!("{RED}error{RED:#}: {error}");
        for cause in causes(error) {
            eprintln!("  {DIM}because{DIM:#} {cause}");
        }
        if let Some(hinted) = error.downcast_ref::<Hinted>() {
            eprintln!("{CYAN}hint{CYAN:#}: {}", hinted.hint());
        }
    }

    /// What [`Output::error`] prints, as plain text.
    pub(crate) fn describe(error: &anyhow::Error) -> String {
        if let Some(failure) = error.downcast_ref::<lambkin_build::BuildFailure>() {
            let output = anstream::adapter::strip_str(failure.output.trim_end()).to_string();
            return format!("{output}\nerror: {}", failure.summary);
        }
        let causes = causes(error).into_iter().map(|cause| format!("\n  because {cause}"));
        let hint = error.downcast_ref::<Hinted>().map(|it| format!("\nhint: {}", it.hint()));
        std::iter::once(format!("error: {error}")).chain(causes).chain(hint).collect()
    }
}

/// The causes of an error, without those that the one before ends with.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut last = error.to_string();
    let mut causes = Vec::new();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if !last.ends_with(&text) {
            causes.push(text.clone());
        }
        last = text;
    }
    causes
}

/// A step in progress.
#[derive(Debug)]
pub(crate) struct Step(ProgressBar);

impl Step {
    /// Says what the step does now.
    pub(crate) fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
