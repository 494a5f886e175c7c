//! What is kept of one request, and of the invocation that answered it.

use crate::commands::logs::record::{Level, Record, Speaker};
use http::HeaderMap;
use serde::Serialize;
use serde_json::{Map, Value};

/// How many lines of one invocation are kept.
const LINES: usize = 500;

/// A request, or an event, that was answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// Its place in the order of answers, from 1.
    pub(super) id: u64,
    #[serde(skip)]
    pub(super) change: u64,
    /// When it came, in milliseconds since the Unix epoch.
    pub(super) time: u64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) status: u16,
    pub(super) route: Option<String>,
    pub(super) total_ms: f64,
    pub(super) invocation: Option<String>,
    pub(super) error: Option<String>,
    #[serde(serialize_with = "headers")]
    pub(super) headers: HeaderMap,
    #[serde(serialize_with = "text")]
    pub(super) body: bytes::Bytes,
    /// Whether the page may send it again.
    pub(super) replay: bool,
}

/// What is known of one invocation.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    #[serde(skip)]
    pub(super) change: u64,
    pub(super) function_ms: Option<f64>,
    init_ms: Option<f64>,
    memory_mb: Option<f64>,
    /// Which component it was, when it said anything.
    pub(super) component: Option<String>,
    /// The host's record of the component's first load in a sandbox, in milliseconds and bytes.
    load: Option<Value>,
    pub(super) lines: Vec<Line>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub(super) source: String,
    level: &'static str,
    pub(super) text: String,
}

impl Invocation {
    /// Takes a line of its log.
    pub(super) fn read(&mut self, record: &Record, text: &str) {
        self.component = self.component.take().or_else(|| record.component.clone());
        if record.speaker == Speaker::Platform && record.level == Level::Debug {
            self.report(text);
        } else if let Some(load) = cold_load(text) {
            self.load = Some(load);
        } else if self.lines.len() < LINES {
            self.lines.push(Line::from(record));
        }
    }

    /// Reads a `REPORT` line.
    fn report(&mut self, text: &str) {
        let number = |name: &str| {
            let part = text.split('\t').find_map(|part| part.strip_prefix(name))?;
            part.split(' ').next()?.parse::<f64>().ok()
        };
        // The first part has the request's id before it.
        let text_duration =
            text.split("\tDuration: ").nth(1).and_then(|rest| rest.split(' ').next());
        self.function_ms = text_duration.and_then(|it| it.parse().ok()).or(self.function_ms);
        self.init_ms = number("Init Duration: ").or(self.init_ms);
        self.memory_mb = number("Max Memory Used: ").or(self.memory_mb);
    }
}

impl From<&Record> for Line {
    fn from(record: &Record) -> Self {
        let level = match record.level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        Self { source: record.source().to_owned(), level, text: record.message.clone() }
    }
}

/// The parts of the host's record of a load, if the line is one.
fn cold_load(text: &str) -> Option<Value> {
    let mut record: Map<String, Value> = serde_json::from_str(text).ok()?;
    if record.get("message")? != "cold load" {
        return None;
    }
    record.retain(|name, _| name.ends_with("Ms") || name.ends_with("ytes") || name == "source");
    Some(record.into())
}

fn headers<S: serde::Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    serializer.collect_seq(headers.iter().map(|(name, value)| (name.as_str(), text(value))))
}

fn text<S: serde::Serializer>(body: &bytes::Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(body) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => serializer.serialize_str(&format!("{} bytes that are not text", body.len())),
    }
}
