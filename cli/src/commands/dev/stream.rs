//! What `lambkin dev` tells about requests: one line for each, then what was printed while it was answered, under it.
//!
//! Lines wait until their request has its answer, so that those of requests under way at once are never mixed; of one
//! that takes long they are shown as they come, named by the first digits of its id. An invocation that came by no API
//! is told of when it ends.

use super::page::Board;
use crate::commands::logs::record::{Level, Record, Speaker};
use crate::commands::logs::tone;
use crate::output::{Output, Tone};
use lambkin_local_cloud::api_gateway::Access;
use lambkin_local_cloud::lambda::{LogLine, Source};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long lines wait for the end of their request.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an invocation that has ended may take to be answered by an API, before it is taken to be nobody's.
const ANSWER: Duration = Duration::from_millis(250);

/// How many requests are remembered after they were told of, for lines that come late.
const REMEMBERED: usize = 512;

/// How many digits of an id a person needs.
const SHORT: usize = 8;

/// The stream of one `lambkin dev`.
pub(super) struct Stream {
    output: Output,
    board: Arc<Board>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: HashMap<String, Vec<Record>>,
    /// Requests whose lines are shown as they come.
    told: VecDeque<String>,
}

impl Stream {
    pub(super) fn new(output: Output, board: Arc<Board>) -> Arc<Self> {
        Arc::new(Self { output, board, state: Mutex::default() })
    }

    /// A line of the function's log. Must be called inside a Tokio runtime.
    pub(super) fn log(self: &Arc<Self>, line: &LogLine) {
        let record = Record::read(&line.text);
        let Some(id) = record.request_id.clone().or_else(|| line.request_id.clone()) else {
            return self.show(&record);
        };
        self.board.line(&id, &record, &line.text);
        if line.source == Source::Platform && line.text.starts_with("REPORT ") {
            let (id, report) = (id, line.text.clone());
            return self.later(ANSWER, move |stream| stream.ended(&id, &report));
        }
        if !is_worth_showing(&record) {
            return;
        }
        let mut state = self.lock();
        if state.told.contains(&id) {
            return self.show(&record);
        }
        let lines = state.waiting.entry(id.clone()).or_default();
        lines.push(record);
        if lines.len() == 1 {
            drop(state);
            self.later(PATIENCE, move |stream| stream.takes_long(&id));
        }
    }

    /// A request that was answered.
    pub(super) fn answered(&self, access: &Access) {
        self.board.answered(access);
        let mut state = self.lock();
        let mut text =
            format!("{} {} {} ms", access.method, access.path, access.duration.as_millis());
        let id = access.invocation.as_deref();
        let shown_before = id.is_some_and(|id| state.told.iter().any(|told| told == id));
        if let Some(id) = id.filter(|_| shown_before || access.status.is_server_error()) {
            text = format!("{text}  request {}", short(id));
        }
        self.output.answered(access.status.as_u16(), &text);
        let lines = id.and_then(|id| state.tell(id)).unwrap_or_default();
        for record in &lines {
            self.show(record);
        }
        // What the function's log says already is not said again.
        if let Some(error) = &access.error
            && !lines.iter().any(says_what_failed)
        {
            self.output.detail("api", error, Tone::Error);
        }
    }

    /// An invocation has ended, a moment ago.
    fn ended(&self, id: &str, report: &str) {
        let mut state = self.lock();
        if state.told.iter().any(|told| told == id) {
            return;
        }
        let lines = state.tell(id).unwrap_or_default();
        let part = |name: &str| {
            report.split('\t').find_map(|part| part.strip_prefix(name)).unwrap_or_default()
        };
        let status = part("Status: ");
        let status = if status.is_empty() { "success" } else { status };
        self.board.ended(id, status);
        self.output.line("invoke", &format!("{} {} {status}", short(id), part("Duration: ")));
        for record in &lines {
            self.show(record);
        }
    }

    fn takes_long(&self, id: &str) {
        let mut state = self.lock();
        if state.told.iter().any(|told| told == id) {
            return;
        }
        let Some(lines) = state.tell(id) else { return };
        self.output.line("under way", &format!("request {}", short(id)));
        for record in &lines {
            self.show(record);
        }
    }

    fn show(&self, record: &Record) {
        if is_worth_showing(record) {
            self.output.detail(record.source(), &record.message, tone(record.level));
        }
    }

    fn later(self: &Arc<Self>, after: Duration, what: impl FnOnce(&Self) + Send + 'static) {
        let stream: Weak<Self> = Arc::downgrade(self);
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(after).await;
            if let Some(stream) = stream.upgrade() {
                what(&stream);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the lines that wait; later ones are shown as they come.
    fn tell(&mut self, id: &str) -> Option<Vec<Record>> {
        if self.told.len() == REMEMBERED {
            self.told.pop_front();
        }
        self.told.push_back(id.to_owned());
        self.waiting.remove(id)
    }
}

/// What guests print and what goes wrong; not that all is well.
fn is_worth_showing(record: &Record) -> bool {
    match record.speaker {
        Speaker::Guest | Speaker::Other => true,
        Speaker::Host | Speaker::Platform => record.level >= Level::Warn,
    }
}

/// Whether it is the host's or Lambda's word on a request that failed.
fn says_what_failed(record: &Record) -> bool {
    matches!(record.speaker, Speaker::Host | Speaker::Platform) && record.level >= Level::Warn
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
