//! API keys and usage plans: who may ask, how fast and how much.
//!
//! Rules: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html>. What was used is
//! forgotten with the deployment.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use lambkin_protocol::manifest::{Quota, QuotaPeriod, Throttle, UsagePlan};
use lambkin_protocol::request::{ApiKey, iso_time};

/// The days from a Sunday to 1970-01-01, a Thursday.
const FROM_SUNDAY: i64 = 4;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The API's keys, by themselves.
#[derive(Debug, Default)]
pub(in crate::api_gateway) struct Usage(BTreeMap<String, Key>);

#[derive(Debug)]
struct Key {
    id: String,
    throttle: Option<Throttle>,
    quota: Option<Quota>,
    meter: Mutex<Meter>,
}

/// What a key has used.
#[derive(Debug)]
struct Meter {
    /// The tokens in the bucket, and when they were counted.
    tokens: f64,
    at: Instant,
    /// The period of the quota, and the requests in it.
    period: String,
    used: u32,
}

/// Why a request may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It has no key, or one that is in no plan.
    Unknown,
    /// It comes too fast.
    Throttled,
    /// There were too many in this period.
    Exceeded,
}

impl Usage {
    pub(in crate::api_gateway) fn new(plans: &BTreeMap<String, UsagePlan>) -> Self {
        let keys = plans.values().flat_map(|plan| {
            plan.api_keys.iter().map(|(name, value)| {
                let burst = plan.throttle.map_or(0, |throttle| throttle.burst_limit);
                let meter = Meter {
                    tokens: f64::from(burst),
                    at: Instant::now(),
                    period: String::new(),
                    used: 0,
                };
                let (id, meter) = (name.clone(), Mutex::new(meter));
                (value.clone(), Key { id, throttle: plan.throttle, quota: plan.quota, meter })
            })
        });
        Self(keys.collect())
    }

    /// The key of a request at `now`, which is `time` milliseconds after 1970; it counts as used.
    pub(super) fn admit(
        &self,
        value: Option<&str>,
        (now, time): (Instant, i64),
    ) -> Result<ApiKey<'_>, Refused> {
        let (value, key) =
            value.and_then(|value| self.0.get_key_value(value)).ok_or(Refused::Unknown)?;
        let mut meter = key.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(throttle) = key.throttle {
            let since = now.saturating_duration_since(meter.at).as_secs_f64();
            let filled = meter.tokens + since * f64::from(throttle.rate_limit);
            meter.tokens = filled.min(f64::from(throttle.burst_limit));
            meter.at = now;
            if meter.tokens < 1.0 {
                return Err(Refused::Throttled);
            }
        }
        if let Some(quota) = key.quota {
            let period = period(quota.period, time);
            if meter.period != period {
                (meter.period, meter.used) = (period, 0);
            }
            if meter.used >= quota.limit {
                return Err(Refused::Exceeded);
            }
        }
        meter.tokens -= 1.0;
        meter.used = meter.used.saturating_add(1);
        Ok(ApiKey { id: &key.id, value })
    }
}

/// A name of the period that a time is in.
fn period(period: QuotaPeriod, time: i64) -> String {
    let date = iso_time(time);
    match period {
        QuotaPeriod::Day => date.get(..10).unwrap_or_default().to_owned(),
        QuotaPeriod::Month => date.get(..7).unwrap_or_default().to_owned(),
        QuotaPeriod::Week => (time.div_euclid(DAY_MS) + FROM_SUNDAY).div_euclid(7).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn usage(throttle: Option<Throttle>, quota: Option<Quota>) -> Usage {
        let keys =
            [("ada", "a"), ("bob", "b")].map(|(name, key)| (name.to_owned(), key.to_owned()));
        let plan = UsagePlan { api_keys: keys.into(), throttle, quota };
        Usage::new(&BTreeMap::from([("basic".to_owned(), plan)]))
    }

    #[test]
    fn a_key_fills_a_bucket_of_its_own() {
        let usage = usage(Some(Throttle { rate_limit: 2, burst_limit: 3 }), None);
        let start = Instant::now() + Duration::from_mins(1);
        let ask = |key: &str, ms: u64| {
            let now = start + Duration::from_millis(ms);
            usage.admit(Some(key), (now, 0)).map(|key| key.id.to_owned())
        };
        for _ in 0..3 {
            assert_eq!(ask("a", 0), Ok("ada".to_owned()));
        }
        assert_eq!(ask("a", 400), Err(Refused::Throttled));
        assert_eq!(ask("b", 400), Ok("bob".to_owned()));
        assert_eq!(ask("a", 500), Ok("ada".to_owned()));
        assert_eq!(ask("a", 501), Err(Refused::Throttled));
        assert_eq!(usage.admit(Some("c"), (start, 0)), Err(Refused::Unknown));
        assert_eq!(usage.admit(None, (start, 0)), Err(Refused::Unknown));
    }

    #[test]
    fn a_quota_begins_anew_with_its_period() {
        const MONDAY: i64 = 1_795_392_000_000; // 2026-11-23
        for (period, same, next) in [
            (QuotaPeriod::Day, MONDAY + DAY_MS - 1, MONDAY + DAY_MS),
            (QuotaPeriod::Week, MONDAY + 6 * DAY_MS - 1, MONDAY + 6 * DAY_MS),
            (QuotaPeriod::Month, MONDAY + 8 * DAY_MS - 1, MONDAY + 8 * DAY_MS),
        ] {
            let usage = usage(None, Some(Quota { limit: 2, period }));
            let ask = |time| usage.admit(Some("a"), (Instant::now(), time)).map(|_| ());
            assert_eq!(
                (ask(MONDAY), ask(same), ask(same)),
                (Ok(()), Ok(()), Err(Refused::Exceeded))
            );
            assert_eq!(ask(next), Ok(()), "{period:?}");
        }
    }
}
