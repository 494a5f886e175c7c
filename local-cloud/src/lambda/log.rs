//! Log lines: what the function prints and what Lambda prints around it.
//!
//! Source of the platform lines: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One line of a function's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Which sandbox, counted from 1.
    pub sandbox: u64,
    /// The sandbox's log stream.
    pub stream: Arc<str>,
    /// Which invocation. Absent before the first and where a sandbox takes several at once.
    pub request_id: Option<String>,
    /// Who printed it.
    pub source: Source,
    /// The line, without its end.
    pub text: String,
}

/// Who printed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The function, on standard output.
    Stdout,
    /// The function, on standard error.
    Stderr,
    /// Lambda: `START`, `END`, `REPORT` and their kin.
    Platform,
}

/// Gets every log line.
pub type OnLog = Arc<dyn Fn(LogLine) + Send + Sync>;

/// How much of an invocation's log `X-Amz-Log-Result` holds, in bytes.
const TAIL: usize = 4096;

/// The end of one invocation's log.
#[derive(Debug, Default)]
pub(crate) struct Tail(Mutex<String>);

impl Tail {
    fn push(&self, text: &str) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.push_str(text);
        tail.push('\n');
        if tail.len() > TAIL {
            let cut = tail.ceil_char_boundary(tail.len() - TAIL);
            tail.drain(..cut);
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One sandbox's log: tags lines with the invocation they belong to.
pub(crate) struct Journal {
    sandbox: u64,
    stream: Arc<str>,
    on_log: OnLog,
    current: Mutex<Option<Entry>>,
}

#[derive(Clone)]
struct Entry {
    request_id: String,
    tail: Arc<Tail>,
}

impl Journal {
    pub(crate) fn new(sandbox: u64, stream: &str, on_log: OnLog) -> Self {
        Self { sandbox, stream: stream.into(), on_log, current: Mutex::new(None) }
    }

    /// Lines belong to this invocation from now on.
    pub(crate) fn begin(&self, request_id: &str, tail: &Arc<Tail>) {
        let entry = Entry { request_id: request_id.to_owned(), tail: Arc::clone(tail) };
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
    }

    /// A line that the function printed.
    pub(crate) fn printed(&self, source: Source, text: String) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(entry) = &current {
            entry.tail.push(&text);
        }
        let request_id = current.map(|entry| entry.request_id);
        self.tell(request_id, source, text);
    }

    /// A line of Lambda's about one invocation.
    pub(crate) fn platform(&self, request_id: &str, tail: &Tail, text: String) {
        tail.push(&text);
        self.tell(Some(request_id.to_owned()), Source::Platform, text);
    }

    /// A line of Lambda's about an Init that failed.
    pub(crate) fn init_report(&self, duration: Duration, phase: &str, status: &Status) {
        let duration = milliseconds(duration);
        let status = status.text().unwrap_or_default();
        let text = format!("INIT_REPORT Init Duration: {duration} ms\tPhase: {phase}\t{status}");
        self.tell(None, Source::Platform, text);
    }

    fn tell(&self, request_id: Option<String>, source: Source, text: String) {
        let stream = Arc::clone(&self.stream);
        (self.on_log)(LogLine { sandbox: self.sandbox, stream, request_id, source, text });
    }
}

/// What a `REPORT` line says.
pub(crate) struct Report<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) duration: Duration,
    /// The sandbox's Init, on its first invocation.
    pub(crate) init: Option<Duration>,
    pub(crate) memory_mb: u32,
    pub(crate) peak_memory_mb: Option<u64>,
    /// `timeout`, or `error` with its type.
    pub(crate) status: Status,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    Timeout,
    Error(String),
}

impl Status {
    /// As the last part of a report; a success has none.
    fn text(&self) -> Option<String> {
        match self {
            Self::Success => None,
            Self::Timeout => Some("Status: timeout".to_owned()),
            Self::Error(error_type) => Some(format!("Status: error\tError Type: {error_type}")),
        }
    }
}

impl Report<'_> {
    /// The line, with tabs between its parts.
    pub(crate) fn line(&self) -> String {
        let billed = (self.duration + self.init.unwrap_or_default()).as_micros().div_ceil(1000);
        let mut parts = vec![
            format!("REPORT RequestId: {}", self.request_id),
            format!("Duration: {} ms", milliseconds(self.duration)),
            format!("Billed Duration: {billed} ms"),
            format!("Memory Size: {} MB", self.memory_mb),
        ];
        parts.extend(self.peak_memory_mb.map(|peak| format!("Max Memory Used: {peak} MB")));
        parts.extend(self.init.map(|init| format!("Init Duration: {} ms", milliseconds(init))));
        parts.extend(self.status.text());
        parts.push(String::new());
        parts.join("\t")
    }
}

/// With two decimals, as Lambda prints them.
fn milliseconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_lambdas_does() {
        let mut report = Report {
            request_id: "4b1c",
            duration: Duration::from_micros(1_234),
            init: Some(Duration::from_micros(12_340)),
            memory_mb: 128,
            peak_memory_mb: Some(30),
            status: Status::Success,
        };
        assert_eq!(
            report.line(),
            "REPORT RequestId: 4b1c\tDuration: 1.23 ms\tBilled Duration: 14 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 12.34 ms\t"
        );
        report.init = None;
        report.status = Status::Timeout;
        assert_eq!(
            report.line(),
            "REPORT RequestId: 4b1c\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout\t"
        );
    }

    #[test]
    fn a_tail_keeps_the_last_4_kib_of_whole_characters() {
        let tail = Tail::default();
        for _ in 0..1000 {
            tail.push("žluťoučký kůň");
        }
        let text = tail.text();
        assert!(text.len() <= TAIL && text.len() > TAIL - 4, "{}", text.len());
        assert!(text.ends_with("žluťoučký kůň\n"));
    }
}
