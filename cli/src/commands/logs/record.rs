//! What a line of a function's log says: a record of the host, a line of Lambda's own, or something else that was printed.

use clap::ValueEnum;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How much a line matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Level {
    /// Lambda's START, END and REPORT lines too
    Debug,
    /// What guests print, and what the host has to say
    #[default]
    Info,
    /// What may need looking after
    Warn,
    /// What failed, and what guests print on standard error
    Error,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// A component.
    Guest,
    /// The host.
    Host,
    /// Lambda.
    Platform,
    /// Whatever prints lines that are none of these.
    Other,
}

/// One line, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) level: Level,
    pub(crate) speaker: Speaker,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    pub(crate) app: Option<String>,
    pub(crate) component: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structured<'a> {
    level: &'a str,
    #[serde(borrow)]
    message: &'a RawValue,
    stream: Option<&'a str>,
    request_id: Option<String>,
    app: Option<String>,
    component: Option<String>,
}

impl Record {
    /// Reads a line, without its end.
    pub(crate) fn read(line: &str) -> Self {
        match serde_json::from_str::<Structured<'_>>(line) {
            Ok(structured) => structured.into(),
            Err(_) => Self::platform(line).unwrap_or_else(|| Self {
                level: Level::Info,
                speaker: Speaker::Other,
                message: line.to_owned(),
                request_id: None,
                app: None,
                component: None,
            }),
        }
    }

    /// A line of Lambda's own, told by how it begins; the texts are those of Lambda's text format.
    fn platform(line: &str) -> Option<Self> {
        let (first, rest) = line.split_once(' ')?;
        let (level, request_id) = match first {
            "START" | "END" | "REPORT" => {
                let id = rest.strip_prefix("RequestId: ")?;
                (Level::Debug, id.split_whitespace().next())
            }
            "INIT_START" => (Level::Debug, None),
            "INIT_REPORT" => (Level::Warn, None),
            "RequestId:" => (Level::Error, rest.split_once(" Error: ").map(|(id, _)| id)),
            _ => {
                let (id, told) = rest.split_once(' ')?;
                told.starts_with("Task timed out after ").then_some((Level::Error, Some(id)))?
            }
        };
        Some(Self {
            level,
            speaker: Speaker::Platform,
            message: line.to_owned(),
            request_id: request_id.map(str::to_owned),
            app: None,
            component: None,
        })
    }

    /// Who says it, for a person.
    pub(crate) fn source(&self) -> &str {
        match self.speaker {
            Speaker::Guest => self.component.as_deref().unwrap_or("guest"),
            Speaker::Host => "host",
            Speaker::Platform | Speaker::Other => "lambda",
        }
    }
}

impl From<Structured<'_>> for Record {
    fn from(structured: Structured<'_>) -> Self {
        let raw = structured.message.get();
        Self {
            level: match structured.level {
                "DEBUG" => Level::Debug,
                "WARN" => Level::Warn,
                "ERROR" => Level::Error,
                _ => Level::Info,
            },
            speaker: if structured.stream.is_some() { Speaker::Guest } else { Speaker::Host },
            // What a guest printed as JSON is shown as it printed it.
            message: serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned()),
            request_id: structured.request_id,
            app: structured.app,
            component: structured.component,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: (Level, Speaker, &str, Option<&str>)) {
        let record = Record::read(line);
        let found = (record.level, record.speaker, &*record.message, record.request_id.as_deref());
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn lines_are_told_apart() {
        check(
            r#"{"timestamp":"t","level":"ERROR","message":"oh","stream":"stderr","requestId":"7","component":"web"}"#,
            (Level::Error, Speaker::Guest, "oh", Some("7")),
        );
        check(
            r#"{"level":"INFO","message":{"a":[1]},"stream":"stdout"}"#,
            (Level::Info, Speaker::Guest, r#"{"a":[1]}"#, None),
        );
        check(r#"{"level":"WARN","message":"m"}"#, (Level::Warn, Speaker::Host, "m", None));
        for line in ["START RequestId: 7 Version: $LATEST", "REPORT RequestId: 7\tDuration: 1 ms"] {
            check(line, (Level::Debug, Speaker::Platform, line, Some("7")));
        }
        let line =
            "RequestId: 7 Error: Runtime exited with error: exit status 1\nRuntime.ExitError";
        check(line, (Level::Error, Speaker::Platform, line, Some("7")));
        let line = "2026-11-23T07:00:00.000Z 7 Task timed out after 3.00 seconds";
        check(line, (Level::Error, Speaker::Platform, line, Some("7")));
        for line in ["START of it", "plain words here", "{not JSON}", "one", "[1, 2]"] {
            check(line, (Level::Info, Speaker::Other, line, None));
        }
    }
}
