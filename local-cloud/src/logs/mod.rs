//! `CloudWatch` Logs on one machine: what functions print, kept in memory and on disk, and the calls that read it
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>).
//!
//! [`Logs`] takes lines and is bounded: the oldest go first. `journal` keeps them on disk, `query` finds them, `pattern`
//! and `condition` are the language of filters, `api` speaks to AWS's clients. Nobody writes through the API here:
//! functions do.

mod api;
mod condition;
mod journal;
mod pattern;
mod query;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use api::TARGET;

use crate::lambda::LogLine;
use journal::{Journal, Line};

/// How much one log group keeps in memory, in bytes of messages.
const MAX_GROUP: usize = 16 << 20;

/// The log groups of the local cloud. Clones are the same.
#[derive(Clone)]
pub struct Logs {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<String, Group>,
    /// Counts events of all groups, from 1.
    events: u64,
    journal: Option<Journal>,
}

#[derive(Default)]
struct Group {
    created: u64,
    bytes: usize,
    streams: BTreeMap<Arc<str>, Stream>,
    events: VecDeque<Event>,
}

/// Times in milliseconds since 1970.
struct Stream {
    created: u64,
    last: u64,
}

struct Event {
    number: u64,
    /// In milliseconds since 1970.
    timestamp: u64,
    stream: Arc<str>,
    message: String,
}

impl Event {
    /// The id that clients tell events apart by; it grows with time.
    fn id(&self) -> String {
        format!("{:020}{:036}", self.timestamp, self.number)
    }
}

impl Logs {
    /// Keeps lines in memory alone.
    pub fn in_memory() -> Self {
        Self { state: Arc::default() }
    }

    /// Keeps lines in memory and in `folder`, which is made; what an earlier run left there is there again.
    ///
    /// What cannot be written later is kept in memory alone.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let (journal, lines) = Journal::open(folder)?;
        let mut state = State::default();
        for line in lines {
            state.add(&line);
        }
        state.journal = Some(journal);
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// Takes a line of a function's log, as of now.
    pub fn record(&self, function: &str, line: &LogLine) {
        let line = Line {
            group: group_of(function),
            stream: line.stream.to_string(),
            timestamp: now(),
            // Lambda's lines end with a line feed in CloudWatch Logs too.
            message: format!("{}\n", line.text),
        };
        let mut state = self.lock();
        if let Some(journal) = &mut state.journal {
            journal.append(&line);
        }
        state.add(&line);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, line: &Line) {
        self.events += 1;
        let timestamp = line.timestamp;
        let group = self
            .groups
            .entry(line.group.clone())
            .or_insert_with(|| Group { created: timestamp, ..Group::default() });
        let name: Arc<str> = match group.streams.get_key_value(&*line.stream) {
            Some((name, _)) => Arc::clone(name),
            None => line.stream.as_str().into(),
        };
        let fresh = Stream { created: timestamp, last: timestamp };
        group.streams.entry(Arc::clone(&name)).or_insert(fresh).last = timestamp;
        group.bytes += line.message.len();
        group.events.push_back(Event {
            number: self.events,
            timestamp,
            stream: name,
            message: line.message.clone(),
        });
        group.trim();
    }
}

impl Group {
    fn trim(&mut self) {
        while self.bytes > MAX_GROUP {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.message.len();
        }
    }
}

/// The log group of a function.
fn group_of(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first() {
        let logs = Logs::in_memory();
        let long = "x".repeat(1 << 20);
        for number in 0..20 {
            let line = LogLine {
                sandbox: 1,
                stream: "stream".into(),
                request_id: None,
                source: crate::lambda::Source::Stdout,
                text: format!("{number} {long}"),
            };
            logs.record("tested", &line);
        }
        let state = logs.lock();
        let group = &state.groups["/aws/lambda/tested"];
        assert!(group.bytes <= MAX_GROUP && group.bytes > MAX_GROUP - (2 << 20));
        assert!(group.events[0].message.starts_with("5 "), "{}", &group.events[0].message[..4]);
    }

    #[test]
    fn lines_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let line = |text: &str| LogLine {
            sandbox: 1,
            stream: "stream".into(),
            request_id: None,
            source: crate::lambda::Source::Stdout,
            text: text.to_owned(),
        };
        Logs::open(folder.path()).unwrap().record("tested", &line("one\ntwo"));
        // A process that is killed may leave half a line behind.
        let journal = folder.path().join("events.jsonl");
        let whole = fs_err::read_to_string(&journal).unwrap();
        fs_err::write(&journal, format!("{whole}{{\"group\":\"/aws")).unwrap();
        Logs::open(folder.path()).unwrap().record("tested", &line("three"));
        let logs = Logs::open(folder.path()).unwrap();
        let state = logs.lock();
        let messages: Vec<_> =
            state.groups["/aws/lambda/tested"].events.iter().map(|event| &*event.message).collect();
        assert_eq!(messages, ["one\ntwo\n", "three\n"]);
    }
}
