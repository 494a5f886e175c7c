//! Which lines of a log are wanted.

use super::record::{Level, Record};
use crate::args;
use crate::hint::hinted;
use anyhow::Result;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a line must be like.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// In milliseconds since 1970.
    pub(super) start: Option<u64>,
    level: Level,
    app: Option<String>,
    component: Option<String>,
    request_id: Option<String>,
}

impl Selection {
    /// What the arguments ask for, as of `now`.
    pub(super) fn new(arguments: &args::Logs, now: SystemTime) -> Result<Self> {
        let start = arguments.since.as_deref().map(|since| moment(since, now)).transpose()?;
        Ok(Self {
            start: start.map(milliseconds),
            level: arguments.level,
            app: arguments.app.clone(),
            component: arguments.component.clone(),
            request_id: arguments.request_id.clone(),
        })
    }

    /// What the service is to look for: it finds a request's lines wherever the id is in them.
    pub(super) fn pattern(&self) -> Option<String> {
        self.request_id.as_ref().map(|id| format!("\"{}\"", id.replace('"', "")))
    }

    pub(super) fn takes(&self, record: &Record) -> bool {
        let is =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        record.level >= self.level
            && is(&self.app, &record.app)
            && is(&self.component, &record.component)
            && self.request_id.as_ref().is_none_or(|wanted| {
                // The first digits of an id will do.
                record.request_id.as_ref().is_some_and(|found| found.starts_with(wanted))
            })
    }
}

/// `10m`, `2h 30m`, or a moment such as `2026-11-23T07:00:00Z`.
fn moment(text: &str, now: SystemTime) -> Result<SystemTime> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(now.checked_sub(ago).unwrap_or(UNIX_EPOCH));
    }
    humantime::parse_rfc3339_weak(text).map_err(|_| {
        hinted(
            format!("--since {text:?} is neither a time ago nor a moment"),
            "write 10m, 2h, 1day, or 2026-11-23T07:00:00Z",
        )
    })
}

pub(super) fn milliseconds(moment: SystemTime) -> u64 {
    let since: Duration = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(since: &str, expected: Option<u64>) {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(moment(since, now).ok().map(milliseconds), expected, "{since}");
    }

    #[test]
    fn since_is_a_time_ago_or_a_moment() {
        check("10m", Some(999_400_000));
        check("1h 30m", Some(994_600_000));
        check("1970-01-02T00:00:00Z", Some(86_400_000));
        check("1970-01-02 00:00:00", Some(86_400_000));
        check("yesterday", None);
        check("300000days", Some(0));
    }

    #[test]
    fn lines_are_chosen_by_all_that_is_asked() {
        let record = Record::read(
            r#"{"level":"INFO","message":"m","stream":"stdout","requestId":"4b1c-9","app":"shop","component":"web"}"#,
        );
        let takes = |adjust: fn(&mut Selection)| {
            let mut selection = Selection::default();
            adjust(&mut selection);
            selection.takes(&record)
        };
        assert!(takes(|_| ()));
        assert!(takes(|selection| selection.request_id = Some("4b1c".to_owned())));
        assert!(!takes(|selection| selection.request_id = Some("9".to_owned())));
        assert!(takes(|selection| selection.component = Some("web".to_owned())));
        assert!(!takes(|selection| selection.component = Some("other".to_owned())));
        assert!(!takes(|selection| selection.app = Some("other".to_owned())));
        assert!(!takes(|selection| selection.level = Level::Warn));
    }
}
