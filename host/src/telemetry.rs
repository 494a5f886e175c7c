//! Structured logs: one JSON object a line on standard output, as Lambda's JSON log format wants it.
//!
//! Owns the record's shape and the level filter. What is worth logging is decided where it happens.

use crate::config::Level;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Where records go that do not go to standard output.
type Sink = Box<dyn Fn(&str) + Send + Sync>;

static SINK: OnceLock<Sink> = OnceLock::new();

/// Hands what guests print, warnings and errors to `sink`, one JSON object a call, in the place of standard output. The
/// first sink counts.
pub fn log_to(sink: impl Fn(&str) + Send + Sync + 'static) {
    set_level(Level::Warn);
    let _ = SINK.set(Box::new(sink));
}

/// Sets the lowest level that is written.
pub(crate) fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// What a record is about; absent parts are left out.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tags {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) request_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) app: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) alias: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) release: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) component: String,
}

/// The message of a record: a text of ours, or what a guest printed.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Message<'a> {
    Text(&'a str),
    /// A guest that prints JSON itself is not encoded a second time.
    Json(&'a RawValue),
}

#[derive(Serialize)]
struct Record<'a, D: Serialize> {
    timestamp: String,
    level: &'static str,
    message: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'static str>,
    #[serde(flatten)]
    tags: &'a Tags,
    #[serde(flatten)]
    details: D,
}

/// Details for records that have none.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct NoDetails {}

/// Writes one record of the host itself.
pub(crate) fn log<D: Serialize>(level: Level, message: &str, tags: &Tags, details: D) {
    write(level, Message::Text(message), None, (tags, details));
}

/// Writes one line that a guest printed.
pub(crate) fn guest_line(stream: lambkin_engine::Stream, line: &str, tags: &Tags) {
    let (level, name) = match stream {
        lambkin_engine::Stream::Stdout => (Level::Info, "stdout"),
        lambkin_engine::Stream::Stderr => (Level::Error, "stderr"),
    };
    let json = line
        .trim_start()
        .starts_with('{')
        .then(|| serde_json::from_str::<&RawValue>(line.trim()).ok())
        .flatten();
    let message = json.map_or(Message::Text(line), Message::Json);
    write(level, message, Some(name), (tags, NoDetails {}));
}

fn write<D: Serialize>(
    level: Level,
    message: Message<'_>,
    stream: Option<&'static str>,
    about: (&Tags, D),
) {
    // A guest's output is never filtered: it is what its author asked to see.
    if stream.is_none() && (level as u8) < LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let (tags, details) = about;
    let timestamp = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let record = Record { timestamp, level: name(level), message, stream, tags, details };
    let Ok(mut line) = serde_json::to_string(&record) else { return };
    if let Some(sink) = SINK.get() {
        return sink(&line);
    }
    line.push('\n');
    // Nothing is left to report to when standard output is gone.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    }
}
