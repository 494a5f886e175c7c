//! `rate(…)` and `cron(…)` as `EventBridge` writes them, and the events that it sends by them, in UTC
//! (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>).

use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use lambkin_protocol::manifest::rate_of;
use serde_json::json;
use uuid::Uuid;

use super::{Deliver, Place};

/// A schedule that can be followed.
#[derive(Debug, Clone)]
pub struct Schedule(When);

#[derive(Debug, Clone)]
enum When {
    Every(Duration),
    At(Box<Cron>),
}

/// Why a schedule cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schedule `{schedule}` cannot be followed: {reason}")]
pub struct ScheduleError {
    /// The schedule as it is written.
    pub schedule: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Schedule {
    /// Reads `rate(5 minutes)` or `cron(0 18 ? * MON-FRI *)`.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let refused = |reason: String| ScheduleError { schedule: text.to_owned(), reason };
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inside("rate") {
            let minutes = rate_of(rate).ok_or_else(|| {
                refused("it is `1 minute`, `5 minutes`, hours or days".to_owned())
            })?;
            return Ok(Self(When::Every(Duration::from_secs(minutes * 60))));
        }
        let fields = inside("cron")
            .ok_or_else(|| refused("it is neither rate(…) nor cron(…)".to_owned()))?;
        let parts: Vec<&str> = fields.split_whitespace().collect();
        let [_, _, day_of_month, _, day_of_week, _] = parts.as_slice() else {
            return Err(refused(
                "it has six fields: minutes, hours, day of month, month, day of week, year"
                    .to_owned(),
            ));
        };
        if (*day_of_month == "?") == (*day_of_week == "?") {
            return Err(refused(
                "one of day of month and day of week is `?`, the other is not".to_owned(),
            ));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .dom_and_dow(true)
            // Sunday is 1.
            .alternative_weekdays(true)
            // `0/15`.
            .sloppy_ranges(true)
            .build();
        let cron =
            parser.parse(&format!("0 {fields}")).map_err(|error| refused(error.to_string()))?;
        Ok(Self(When::At(Box::new(cron))))
    }

    /// The next time after `time`; none when there is none any more.
    pub fn next(&self, time: SystemTime) -> Option<SystemTime> {
        match &self.0 {
            When::Every(period) => time.checked_add(*period),
            When::At(cron) => {
                let next = cron.find_next_occurrence(&DateTime::<Utc>::from(time), false);
                next.ok().map(SystemTime::from)
            }
        }
    }
}

/// Delivers an event at each time of the schedule, for ever. Times that were slept through are left out.
pub(super) async fn run(schedule: Schedule, rule: String, (place, deliver): (Place, Deliver)) {
    let mut last = SystemTime::now();
    while let Some(next) = schedule.next(last) {
        tokio::time::sleep(next.duration_since(SystemTime::now().max(last)).unwrap_or_default())
            .await;
        deliver(event(&rule, next, &place).to_string().into());
        let missed = SystemTime::now().duration_since(next).unwrap_or_default();
        last = if missed > Duration::from_mins(1) { SystemTime::now() } else { next };
    }
}

/// What `EventBridge` sends for a rule with a schedule.
fn event(rule: &str, time: SystemTime, place: &Place) -> serde_json::Value {
    json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": place.account,
        "time": DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": place.region,
        "resources": [format!("arn:aws:events:{}:{}:rule/{rule}", place.region, place.account)],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn at(text: &str) -> SystemTime {
        DateTime::parse_from_rfc3339(text).unwrap().into()
    }

    fn check(schedule: &str, after: &str, expected: &[&str]) {
        let schedule = Schedule::parse(schedule).unwrap();
        let mut time = at(after);
        for expected in expected {
            time = schedule.next(time).unwrap();
            assert_eq!(time, at(expected), "{schedule:?} after {after}");
        }
    }

    #[test]
    fn the_examples_of_aws_come_at_their_times() {
        // 2026-11-23 is a Monday.
        check("rate(5 minutes)", "2026-11-23T08:00:10Z", &["2026-11-23T08:05:10Z"]);
        check("rate(1 day)", "2026-11-23T08:00:00Z", &["2026-11-24T08:00:00Z"]);
        check("cron(0 10 * * ? *)", "2026-11-23T10:00:00Z", &["2026-11-24T10:00:00Z"]);
        check("cron(15 12 * * ? *)", "2026-11-23T08:00:00Z", &["2026-11-23T12:15:00Z"]);
        check("cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00:00Z", &["2026-11-30T18:00:00Z"]);
        check(
            "cron(0 8 1 * ? *)",
            "2026-11-23T08:00:00Z",
            &["2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z"],
        );
        check(
            "cron(0/15 * * * ? *)",
            "2026-11-23T08:00:00Z",
            &["2026-11-23T08:15:00Z", "2026-11-23T08:30:00Z"],
        );
        check("cron(0 9 ? * 2#1 *)", "2026-11-23T08:00:00Z", &["2026-12-07T09:00:00Z"]);
        check("cron(0 9 L * ? *)", "2026-11-23T08:00:00Z", &["2026-11-30T09:00:00Z"]);
        check("cron(0 9 ? * 6L *)", "2026-11-01T08:00:00Z", &["2026-11-27T09:00:00Z"]);
        check(
            "cron(0 9 1W * ? *)",
            "2026-11-23T08:00:00Z",
            &["2026-12-01T09:00:00Z", "2027-01-01T09:00:00Z"],
        );
        check("cron(30 9 ? * 1 *)", "2026-11-23T08:00:00Z", &["2026-11-29T09:30:00Z"]);
        check("cron(0 0 29 2 ? *)", "2026-11-23T08:00:00Z", &["2028-02-29T00:00:00Z"]);
        assert_eq!(
            Schedule::parse("cron(0 9 1 1 ? 2020)").unwrap().next(at("2026-11-23T08:00:00Z")),
            None
        );
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for (bad, says) in [
            ("rate(5 minute)", "5 minutes"),
            ("every day", "neither"),
            ("cron(0 10 * *)", "six fields"),
            ("cron(0 10 * * * *)", "is `?`"),
            ("cron(0 10 ? * ? *)", "is `?`"),
            ("cron(61 10 * * ? *)", "cannot be followed"),
        ] {
            let error = Schedule::parse(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_delivers_the_event_of_its_rule_again_and_again() {
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let place = Place { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() };
        let deliver: Deliver = Arc::new(move |event| sink.lock().unwrap().push(event));
        let task = tokio::spawn(run(
            Schedule::parse("rate(2 minutes)").unwrap(),
            "tick".to_owned(),
            (place, deliver),
        ));
        tokio::time::sleep(Duration::from_secs(245)).await;
        task.abort();
        let events = events.lock().unwrap();
        assert_eq!(events.len(), 2);
        let event: serde_json::Value = serde_json::from_slice(&events[1]).unwrap();
        assert_eq!(event["resources"][0], "arn:aws:events:eu-west-1:123456789012:rule/tick");
        assert_eq!(
            (&event["detail-type"], &event["source"]),
            (&json!("Scheduled Event"), &json!("aws.events"))
        );
    }
}
