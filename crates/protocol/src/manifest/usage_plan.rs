//! `[usage_plan.<name>]`: the API keys of a REST API and how much each may ask, and the rules over them.
//!
//! The local cloud answers by them; on AWS keys and plans are deployed beside the API.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::ApiType;
use super::check::{Parts, Places};
use super::problem::Problems;

/// How many characters an API key has
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_CreateApiKey.html>).
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 20..=128;

/// API keys with what each may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsagePlan {
    /// The keys by name: 20 to 128 characters each, for this machine alone.
    pub api_keys: BTreeMap<String, String>,
    /// How fast each key may ask; as fast as it can when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// How much each key may ask; without bounds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
}

/// How fast a key may ask: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Requests per second in the long run.
    pub rate_limit: u32,
    /// Requests at once: the size of the bucket.
    pub burst_limit: u32,
}

/// How much a key may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Requests in a period.
    pub limit: u32,
    /// The period.
    pub period: QuotaPeriod,
}

/// The period of a quota, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum QuotaPeriod {
    /// From midnight.
    Day,
    /// From Sunday.
    Week,
    /// From the first of the month.
    Month,
}

pub(super) fn check(parts: &Parts, places: &Places<'_>, problems: &mut Problems<'_>) {
    let mut owners = BTreeMap::new();
    for (name, plan) in &parts.usage_plans {
        let place = |keys: &[&str]| {
            let path: Vec<&str> =
                ["usage_plan", name].into_iter().chain(keys.iter().copied()).collect();
            places.of(&path)
        };
        for (key_name, key) in &plan.api_keys {
            let place = place(&["api_keys", key_name]);
            if !KEY_LENGTH.contains(&key.chars().count()) {
                let (least, most) = (KEY_LENGTH.start(), KEY_LENGTH.end());
                let message =
                    format!("API key `{key_name}` must have {least} to {most} characters");
                problems.add(place.clone(), message, None);
            }
            if let Some(other) = owners.insert(key, name) {
                let message = format!("API key `{key_name}` is in the usage plan `{other}` too");
                let hint = "a key has one plan for an API".to_owned();
                problems.add(place, message, Some(hint));
            }
        }
        if plan
            .throttle
            .is_some_and(|throttle| throttle.rate_limit == 0 || throttle.burst_limit == 0)
        {
            let message = "`rate_limit` and `burst_limit` must be 1 or more".to_owned();
            problems.add(
                place(&["throttle"]),
                message,
                Some("leave `throttle` out for no bound".to_owned()),
            );
        }
    }
    let kind = parts.api.as_ref().map(|api| api.kind).unwrap_or_default();
    if let Some(name) = parts.usage_plans.keys().next().filter(|_| kind != ApiType::Rest) {
        let hint = "leave it out, or say `type = \"rest\"` in `[api]`".to_owned();
        let message = "usage plans are for REST APIs".to_owned();
        problems.add(places.of(&["usage_plan", name]), message, Some(hint));
    }
    for (index, route) in parts.routes.iter().filter(|(_, route)| route.api_key_required) {
        let place = places.of(&["route", &index.to_string(), "api_key_required"]);
        if kind != ApiType::Rest {
            let hint = "leave it out, or say `type = \"rest\"` in `[api]`".to_owned();
            problems.add(place, "API keys are for REST APIs".to_owned(), Some(hint));
        } else if parts.usage_plan_names.is_empty() {
            let message = format!("route `{}` asks for an API key, and there is none", route.path);
            let hint = "add `[usage_plan.<name>]` with `api_keys`".to_owned();
            problems.add(place, message, Some(hint));
        }
    }
}
