//! Judges an answer by what a case expects.

use crate::case::{Content, Expect, Values};
use crate::client::Answer;
use anyhow::{Context as _, bail, ensure};
use regex::Regex;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// How far a guest's clock may be from the test's, in milliseconds.
const CLOCK_TOLERANCE: u128 = 60_000;

/// How the expected value of a JSON member says that it is an expression.
const EXPRESSION: &str = "regex:";

/// Compares status, headers and body.
pub fn answer(answer: &Answer, expect: &Expect) -> anyhow::Result<()> {
    let body = || excerpt(&answer.body);
    ensure!(
        answer.status == expect.status,
        "status {} instead of {}: {}",
        answer.status,
        expect.status,
        body()
    );
    for (name, values) in &expect.headers {
        header(answer, name, values)?;
    }
    match &expect.body {
        Some(content) => {
            content_of(&answer.body, content).with_context(|| format!("the body is {}", body()))
        }
        None => Ok(()),
    }
}

/// Checks that the values at `pointer` of all answers are there and no two are equal.
pub fn differ(answers: &[Answer], pointer: &str) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    for answer in answers {
        let value = member(answer, pointer)?;
        ensure!(!seen.contains(&value), "{pointer} is {value} in two answers");
        seen.push(value);
    }
    Ok(())
}

/// Checks that the Unix time in milliseconds at `pointer` is the present.
pub fn present(answer: &Answer, pointer: &str) -> anyhow::Result<()> {
    let value = member(answer, pointer)?;
    let told = value.as_f64().with_context(|| format!("{pointer} is {value}, not a time"))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
    let told = Duration::try_from_secs_f64(told / 1000.0)?.as_millis();
    ensure!(now.abs_diff(told) < CLOCK_TOLERANCE, "{pointer} is {told}, and it is {now} now");
    Ok(())
}

fn header(answer: &Answer, name: &str, values: &Values) -> anyhow::Result<()> {
    let found: Vec<&str> =
        answer.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    match values {
        Values::One(value) => {
            let joined = found
                .iter()
                .flat_map(|value| value.split(','))
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(",");
            let wanted = value.split(',').map(str::trim).collect::<Vec<_>>().join(",");
            ensure!(joined == wanted, "header {name} is {joined:?} instead of {wanted:?}");
        }
        Values::Many(values) => {
            ensure!(found == *values, "headers {name} are {found:?} instead of {values:?}");
        }
    }
    Ok(())
}

fn content_of(body: &[u8], content: &Content) -> anyhow::Result<()> {
    match content {
        Content::Json(text) => {
            let wanted: Value = serde_json::from_str(text).context("the case's JSON")?;
            let found: Value = serde_json::from_slice(body).context("the body is not JSON")?;
            matches(&found, &wanted, "")
        }
        Content::Regex(expression) => {
            let text = std::str::from_utf8(body).context("the body is not text")?;
            ensure!(whole(expression)?.is_match(text), "the body does not match {expression}");
            Ok(())
        }
        Content::Text(_) | Content::Base64(_) | Content::Generated { .. } => {
            let wanted = content.bytes()?;
            ensure!(
                *body == *wanted,
                "the body is not {} ({} bytes)",
                excerpt(&wanted),
                wanted.len()
            );
            Ok(())
        }
    }
}

fn matches(found: &Value, wanted: &Value, at: &str) -> anyhow::Result<()> {
    match (found, wanted) {
        (_, Value::String(text)) if text.starts_with(EXPRESSION) => {
            let expression = text.trim_start_matches(EXPRESSION);
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            ensure!(
                whole(expression)?.is_match(&text),
                "{at} is {found}, which does not match {expression}"
            );
            Ok(())
        }
        (Value::Object(found), Value::Object(wanted)) => {
            for name in wanted.keys().chain(found.keys()) {
                let at = format!("{at}/{name}");
                let wanted = wanted.get(name).with_context(|| format!("{at} is not expected"))?;
                matches(found.get(name).with_context(|| format!("{at} is missing"))?, wanted, &at)?;
            }
            Ok(())
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => Ok(()),
        _ if found == wanted => Ok(()),
        _ => bail!("{at} is {found} instead of {wanted}"),
    }
}

fn member(answer: &Answer, pointer: &str) -> anyhow::Result<Value> {
    let body: Value = serde_json::from_slice(&answer.body)
        .with_context(|| format!("the body is not JSON: {}", excerpt(&answer.body)))?;
    body.pointer(pointer).cloned().with_context(|| format!("{pointer} is missing in {body}"))
}

fn whole(expression: &str) -> anyhow::Result<Regex> {
    Regex::new(&format!("^(?s:{expression})$")).context("the case's regular expression")
}

/// The beginning of a body, for messages.
fn excerpt(body: &[u8]) -> String {
    const LENGTH: usize = 300;
    let text = String::from_utf8_lossy(body.get(..LENGTH).unwrap_or(body)).into_owned();
    if body.len() > LENGTH {
        format!("{text:?}… ({} bytes)", body.len())
    } else {
        format!("{text:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::{answer, differ};
    use crate::case::Expect;
    use crate::client::Answer;
    use http::{HeaderMap, HeaderValue};

    fn got(status: u16, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        headers.append("x-multi", HeaderValue::from_static("one, two"));
        Answer { status, headers, body: body.to_owned().into() }
    }

    fn check(expect: &str, problem: Option<&str>) {
        let expect: Expect = toml::from_str(expect).unwrap();
        let verdict = answer(&got(200, r#"{"id": "7", "n": 3}"#), &expect);
        match problem {
            None => verdict.unwrap(),
            Some(problem) => {
                let text = format!("{:#}", verdict.unwrap_err());
                assert!(text.contains(problem), "{text}");
            }
        }
    }

    #[test]
    fn accepts_what_is_expected() {
        check("status = 200\nbody.json = '{\"n\": 3.0, \"id\": \"regex:[0-9]\"}'", None);
        check("status = 200\nbody.regex = '.*\"id\".*'", None);
        check(
            "status = 200\nheaders.set-cookie = ['a=1', 'b=2']\nheaders.x-multi = 'one,two'",
            None,
        );
    }

    #[test]
    fn says_what_is_not_as_expected() {
        check("status = 201", Some("status 200 instead of 201"));
        check("status = 200\nbody.json = '{\"id\": \"7\"}'", Some("/n is not expected"));
        check(
            "status = 200\nbody.json = '{\"id\": \"regex:[a-z]\", \"n\": 3}'",
            Some("/id is \"7\""),
        );
        check(
            "status = 200\nbody.json = '{\"id\": \"7\", \"n\": 3, \"x\": 1}'",
            Some("/x is missing"),
        );
        check("status = 200\nheaders.set-cookie = ['b=2', 'a=1']", Some("headers set-cookie"));
        check("status = 200\nbody.text = 'other'", Some("the body is not \"other\""));
    }

    #[test]
    fn two_equal_answers_do_not_differ() {
        assert!(differ(&[got(200, r#"{"r": 1}"#), got(200, r#"{"r": 2}"#)], "/r").is_ok());
        assert!(differ(&[got(200, r#"{"r": 1}"#), got(200, r#"{"r": 1}"#)], "/r").is_err());
    }
}
