//! Warm calls: from the event's departure to the last byte of the answer, one at a time.

use crate::cold::milliseconds;
use crate::process::Process;
use crate::report;
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde_json::Value;

/// Calls of each subject before the first that counts.
const WARM_UP: usize = 100;

/// Calls of one subject before the next takes its turn.
const TURN: usize = 50;

/// An HTTP API event, as API Gateway sends it.
const EVENT: &str = include_str!("event.json");

/// Calls each subject's process `calls` times and gives the times in milliseconds; none for one that is not called.
pub(crate) fn measure(subjects: &[Subject], calls: usize) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut running = Vec::new();
    for (index, subject) in subjects.iter().enumerate().filter(|(_, subject)| subject.is_called()) {
        let api = RuntimeApi::start()?;
        let process = Process::start(&subject.program, &api)?;
        for _ in 0..WARM_UP {
            call(&api).with_context(|| subject.name.clone())?;
        }
        running.push((index, api, process));
    }
    let mut times = vec![Vec::with_capacity(calls); subjects.len()];
    let turns = calls.div_ceil(TURN);
    for turn in 1..=turns {
        for (index, api, _) in &running {
            let Some(times) = times.get_mut(*index) else { continue };
            for _ in 0..TURN {
                times.push(call(api)?);
            }
        }
        report::progress(turn, turns);
    }
    Ok(times)
}

fn call(api: &RuntimeApi) -> anyhow::Result<f64> {
    api.offer(event())?;
    let exchange = api.answer()?;
    check(&exchange.payload)?;
    Ok(milliseconds(exchange.answered.duration_since(exchange.sent)))
}

/// The event that every subject answers.
pub(crate) fn event() -> Bytes {
    Bytes::from_static(EVENT.as_bytes())
}

/// Every answer must be the right one: a quick wrong answer is no result.
pub(crate) fn check(payload: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(payload);
    let answer: Value =
        serde_json::from_slice(payload).with_context(|| format!("not JSON: {text}"))?;
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let body: Value =
        serde_json::from_str(body).with_context(|| format!("no JSON body: {text}"))?;
    let expected = serde_json::json!({ "message": "Hello, world!", "path": "/hello/world" });
    ensure!(
        answer.get("statusCode") == Some(&Value::from(200)) && body == expected,
        "a wrong answer: {text}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_the_right_answer_counts() {
        let right = r#"{"statusCode":200,"body":"{\"path\":\"/hello/world\",\"message\":\"Hello, world!\"}"}"#;
        assert!(check(right.as_bytes()).is_ok());
        assert!(check(right.replace("200", "500").as_bytes()).is_err());
        assert!(check(right.replace("world!", "nobody!").as_bytes()).is_err());
        assert!(check(b"").is_err());
    }
}
