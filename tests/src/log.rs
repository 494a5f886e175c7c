//! What a function logs while a case runs, kept so that a case can wait for a line.

use crate::case::Line;
use anyhow::Context as _;
use lambkin_local_cloud::lambda::{LogLine, Source};
use serde_json::Value;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a line may take to arrive after the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lines of one function since it was started.
#[derive(Debug, Default)]
pub struct Log {
    lines: Mutex<Vec<LogLine>>,
    arrived: Condvar,
}

impl Log {
    /// Adds a line.
    pub fn push(&self, line: LogLine) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        self.arrived.notify_all();
    }

    /// How many lines there are: a place from which to look on.
    pub fn position(&self) -> usize {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The number of the newest host process that logged something; they are counted from 1.
    pub fn newest_sandbox(&self) -> u64 {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| line.sandbox).max().unwrap_or_default()
    }

    /// Waits until a line after `position` fits.
    pub fn wait_for(&self, wanted: &Line, position: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        while !lines.iter().skip(position).any(|line| fits(line, wanted)) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let text: Vec<&str> =
                    lines.iter().skip(position).map(|line| line.text.as_str()).collect();
                anyhow::bail!("no log line has {:?}; there are:\n{}", wanted.text, text.join("\n"));
            }
            lines =
                self.arrived.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Waits for a record of the host whose line has `text`, and gives it.
    pub fn wait_for_text(&self, text: &str) -> anyhow::Result<Value> {
        let wanted = Line { text: text.to_owned(), stream: None };
        self.wait_for(&wanted, 0)?;
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.iter().find(|line| line.text.contains(text));
        let line = line.map(|line| line.text.clone()).unwrap_or_default();
        serde_json::from_str(&line).with_context(|| format!("not a record: {line}"))
    }

    /// How many lines have `text`.
    pub fn count(&self, text: &str) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.text.contains(text)).count()
    }

    /// The last lines, for the message of a failed case.
    pub fn tail(&self, position: usize) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let text: Vec<&str> = lines.iter().skip(position).map(|line| line.text.as_str()).collect();
        text.join("\n")
    }
}

/// The host logs one JSON object a line; a line that a guest printed says on which stream.
fn fits(line: &LogLine, wanted: &Line) -> bool {
    let Some(stream) = &wanted.stream else { return line.text.contains(&wanted.text) };
    if line.source == Source::Platform {
        return false;
    }
    let Ok(record) = serde_json::from_str::<Value>(&line.text) else { return false };
    let message = record.get("message").and_then(Value::as_str).unwrap_or_default();
    let printed = record.get("stream").and_then(Value::as_str);
    printed == Some(stream.as_str()) && message == wanted.text
}
