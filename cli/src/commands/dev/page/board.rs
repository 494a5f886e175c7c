//! What the page shows: the app as it was last built, and the latest requests with what was printed for them.
//!
//! Everything carries the number of its last change, so that a page asks for what is newer than what it has.

use super::entry::{Invocation, Request};
use crate::commands::logs::record::Record;
use http::HeaderMap;
use lambkin_local_cloud::api_gateway::Access;
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// How many requests are kept.
const KEPT: usize = 200;

/// How many invocations are kept: each request may have had one, and others came from events.
const INVOCATIONS: usize = 2 * KEPT;

/// The largest body that is kept, in bytes; a request with a larger one cannot be sent again.
const BODY: usize = 256 * 1024;

/// The board of one `lambkin dev`.
pub(in crate::commands::dev) struct Board {
    state: Mutex<State>,
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    change: u64,
    app: (u64, Value),
    broken: Option<String>,
    requests: VecDeque<Request>,
    invocations: HashMap<String, Invocation>,
    /// The ids of the invocations, the oldest first.
    order: VecDeque<String>,
}

/// What has changed.
#[derive(Serialize)]
pub(super) struct Changes {
    /// What to ask after next time.
    change: u64,
    /// The app, when it is newer.
    app: Option<Value>,
    /// Why the sources cannot be built at the moment.
    broken: Option<String>,
    requests: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    request: Request,
    detail: Option<Invocation>,
}

impl Board {
    pub(in crate::commands::dev) fn new() -> Self {
        Self { state: Mutex::default(), newest: watch::Sender::new(0) }
    }

    /// The app as it is now, and why its sources cannot be built, if so: what was published before keeps answering.
    pub(in crate::commands::dev) fn built(&self, app: Value, broken: Option<String>) {
        self.change(|state| {
            state.broken = broken;
            state.app = (state.change, app);
        });
    }

    /// A line of an invocation's log.
    pub(in crate::commands::dev) fn line(&self, id: &str, record: &Record, text: &str) {
        self.change(|state| {
            let change = state.change;
            let invocation = state.invocation(id);
            invocation.change = change;
            invocation.read(record, text);
        });
    }

    /// A request was answered.
    pub(in crate::commands::dev) fn answered(&self, access: &Access) {
        // Only a request of HTTP can be sent again: a message belongs to its connection.
        let replay = !access.headers.is_empty() && access.body.len() <= BODY;
        let body = if replay { access.body.clone() } else { bytes::Bytes::new() };
        self.change(|state| {
            state.add(Request {
                id: 0,
                change: 0,
                time: now().saturating_sub(milliseconds(access.duration)),
                method: access.method.clone(),
                path: access.path.clone(),
                query: access.query.clone(),
                status: access.status.as_u16(),
                route: access.route_key.clone(),
                total_ms: access.duration.as_secs_f64() * 1000.0,
                invocation: access.invocation.clone(),
                error: access.error.clone(),
                headers: access.headers.clone(),
                body,
                replay,
            });
        });
    }

    /// An invocation that came by no API has ended.
    pub(in crate::commands::dev) fn ended(&self, id: &str, status: &str) {
        self.change(|state| {
            let known = state.invocations.get(id);
            let duration = known.and_then(|known| known.function_ms);
            let what = known.and_then(|known| known.component.clone()).unwrap_or_default();
            state.add(Request {
                id: 0,
                change: 0,
                time: now(),
                method: "EVENT".to_owned(),
                path: what,
                query: None,
                status: if status == "success" { 200 } else { 500 },
                route: None,
                total_ms: duration.unwrap_or_default(),
                invocation: Some(id.to_owned()),
                error: None,
                headers: HeaderMap::new(),
                body: bytes::Bytes::new(),
                replay: false,
            });
        });
    }

    /// No more comes: whoever waits for a change is let go.
    pub(in crate::commands::dev) fn end(&self) {
        self.newest.send_replace(u64::MAX);
    }

    /// Waits at most so long for a change after the change `after`, and gives all that is newer.
    pub(super) async fn changes(&self, after: u64, patience: Duration) -> Changes {
        let mut newest = self.newest.subscribe();
        let _ = tokio::time::timeout(patience, newest.wait_for(|&change| change > after)).await;
        let state = self.lock();
        let requests = state.requests.iter().filter_map(|request| {
            let id = request.invocation.as_ref();
            let detail = id.and_then(|id| state.invocations.get(id));
            let change = detail.map_or(0, |detail| detail.change).max(request.change);
            (change > after).then(|| Shown { request: request.clone(), detail: detail.cloned() })
        });
        Changes {
            change: state.change,
            app: (state.app.0 > after).then(|| state.app.1.clone()),
            broken: state.broken.clone(),
            requests: requests.collect(),
        }
    }

    /// A request that is still kept.
    pub(super) fn request(&self, id: u64) -> Option<Request> {
        self.lock().requests.iter().find(|request| request.id == id).cloned()
    }

    /// Why the sources cannot be built, and what was printed for an invocation.
    pub(super) fn trouble(&self, invocation: Option<&str>) -> (Option<String>, String) {
        let state = self.lock();
        let known = invocation.and_then(|id| state.invocations.get(id));
        let lines = known.into_iter().flat_map(|known| &known.lines);
        let lines: Vec<_> = lines.map(|line| format!("{} | {}", line.source, line.text)).collect();
        (state.broken.clone(), lines.join("\n"))
    }

    fn change(&self, what: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        state.change += 1;
        what(&mut state);
        let change = state.change;
        drop(state);
        self.newest.send_modify(|newest| *newest = (*newest).max(change));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, request: Request) {
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        // Every change has another number, and an answer is one.
        self.requests.push_back(Request { id: self.change, change: self.change, ..request });
    }

    fn invocation(&mut self, id: &str) -> &mut Invocation {
        if !self.invocations.contains_key(id) {
            if self.order.len() == INVOCATIONS
                && let Some(oldest) = self.order.pop_front()
            {
                self.invocations.remove(&oldest);
            }
            self.order.push_back(id.to_owned());
        }
        self.invocations.entry(id.to_owned()).or_default()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(milliseconds).unwrap_or_default()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_invocation_that_came_by_no_api_is_shown_with_what_was_printed_and_what_lambda_reports()
     {
        let board = Board::new();
        let lines = [
            r#"{"level":"INFO","message":"hi","stream":"stdout","requestId":"a","component":"web"}"#,
            r#"{"level":"INFO","message":"cold load","fetchMs":2.5,"bytes":7,"app":"shop","requestId":"a"}"#,
            "REPORT RequestId: a\tDuration: 1.50 ms\tBilled Duration: 14 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 12.34 ms\t",
        ];
        for line in lines {
            board.line("a", &Record::read(line), line);
        }
        board.ended("a", "success");
        let shown = serde_json::to_value(board.changes(0, Duration::ZERO).await).unwrap();
        let request = &shown["requests"][0];
        assert_eq!((&request["method"], &request["path"]), (&"EVENT".into(), &"web".into()));
        let detail = &request["detail"];
        assert_eq!((&detail["functionMs"], &detail["initMs"]), (&1.5.into(), &12.34.into()));
        assert_eq!(detail["load"], serde_json::json!({ "fetchMs": 2.5, "bytes": 7 }));
        assert_eq!(detail["lines"][0]["text"], "hi");
        let after = shown["change"].as_u64().unwrap();
        assert!(board.changes(after, Duration::ZERO).await.requests.is_empty());
    }

    #[tokio::test]
    async fn who_waits_hears_of_a_change_and_of_the_end() {
        let board = Board::new();
        let waiting = board.changes(0, Duration::from_mins(1));
        let (changes, ()) =
            tokio::join!(waiting, async { board.built(Value::Null, Some("no".to_owned())) });
        assert_eq!(changes.broken.as_deref(), Some("no"));
        let waiting = board.changes(changes.change, Duration::from_mins(1));
        tokio::join!(waiting, async { board.end() });
    }
}
