//! `lambkin logs`: what an app's function printed, here or on AWS, by the one API that both have.
//!
//! `source` says whose log is read, `cloudwatch` asks for it, `record` reads a line, `selection` says which are shown.

mod cloudwatch;
pub(crate) mod record;
mod selection;
mod source;

use crate::args;
use crate::output::{Output, Tone};
use crate::signals::Signals;
use anyhow::Result;
use cloudwatch::{CallError, Event};
use record::{Level, Record, Speaker};
use selection::Selection;
use serde_json::json;
use source::Source;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// How often the log of a function on AWS is asked for what is new, and that of one here.
const REMOTE_PACE: Duration = Duration::from_secs(2);
const LOCAL_PACE: Duration = Duration::from_millis(300);

/// How far back is looked for lines that arrive late, in milliseconds.
const LATE: u64 = 10_000;

pub(crate) async fn run(arguments: &args::Logs, output: &Output) -> Result<()> {
    let mut signals = Signals::new()?;
    let selection = Selection::new(arguments, SystemTime::now())?;
    let source = Source::open(arguments, output).await?;
    let reading = read(&source, &selection, arguments, *output);
    tokio::select! {
        result = reading => result?,
        () = signals.next() => {}
    }
    source.close().await;
    Ok(())
}

async fn read(
    source: &Source,
    selection: &Selection,
    arguments: &args::Logs,
    output: Output,
) -> Result<()> {
    let printer = Printer { output, json: arguments.json || output.is_json() };
    // Each event is shown once, however often it is found; those that are older than what is asked for are forgotten.
    let mut shown: BTreeMap<String, u64> = BTreeMap::new();
    let mut start = selection.start.unwrap_or_else(|| source.earliest());
    loop {
        let found = source.events(start, selection.pattern().as_deref()).await;
        let events = match found {
            Ok(events) => events,
            // The function has not run yet.
            Err(CallError::Missing) if arguments.follow || source.is_local() => Vec::new(),
            Err(CallError::Unreachable(_)) if source.is_local() && arguments.follow => {
                output.done("Ended", "lambkin dev is gone, and its log with it");
                return Ok(());
            }
            Err(error) => return Err(source.explain(error)),
        };
        for event in events {
            if shown.insert(event.id.clone(), event.timestamp).is_none() {
                printer.print(&event, selection);
            }
        }
        if !arguments.follow {
            return Ok(());
        }
        let newest = shown.values().copied().max().unwrap_or(start);
        start = start.max(newest.saturating_sub(LATE));
        shown.retain(|_, timestamp| *timestamp >= start);
        tokio::time::sleep(if source.is_local() { LOCAL_PACE } else { REMOTE_PACE }).await;
    }
}

struct Printer {
    output: Output,
    json: bool,
}

impl Printer {
    fn print(&self, event: &Event, selection: &Selection) {
        let line = event.message.trim_end_matches('\n');
        let record = Record::read(line);
        if !selection.takes(&record) {
            return;
        }
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(event.timestamp);
        let moment = humantime::format_rfc3339_millis(moment).to_string();
        if !self.json {
            let source = match &record.app {
                Some(app) => format!("{app}/{}", record.source()),
                None => record.source().to_owned(),
            };
            return self.output.entry(&moment, &source, (&record.message, tone(record.level)));
        }
        match record.speaker {
            // The host's record as it is.
            Speaker::Guest | Speaker::Host => self.output.raw(line),
            Speaker::Platform | Speaker::Other => {
                let document = json!({
                    "timestamp": moment,
                    "level": format!("{:?}", record.level).to_uppercase(),
                    "message": record.message,
                    "requestId": record.request_id,
                });
                self.output.raw(&document.to_string());
            }
        }
    }
}

/// How a line of this level is shown.
pub(crate) fn tone(level: Level) -> Tone {
    match level {
        Level::Debug => Tone::Quiet,
        Level::Info => Tone::Plain,
        Level::Warn => Tone::Warning,
        Level::Error => Tone::Error,
    }
}

/// Prints one line of a host that runs for this command alone: what guests print, and what went wrong.
pub(crate) fn print(output: &Output, line: &str) {
    let record = Record::read(line);
    let shown = match record.speaker {
        Speaker::Guest | Speaker::Other => true,
        Speaker::Host => record.level >= Level::Warn,
        Speaker::Platform => record.level >= Level::Error,
    };
    if shown {
        let source = match (record.speaker, record.level) {
            (Speaker::Host, Level::Warn) => "warn",
            (Speaker::Host, _) => "error",
            _ => record.source(),
        };
        output.line(source, &record.message);
    }
}
