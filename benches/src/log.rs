//! What the host logs of loads: where each came from, and where its time went.

use serde_json::Value;
use std::path::Path;

/// The parts of a load that the host times, as it names them.
pub(crate) const PARTS: [&str; 6] =
    ["fetchMs", "verifyMs", "loadMs", "linkMs", "instantiateMs", "guestMs"];

/// One load of an artifact.
#[derive(Debug, Clone)]
pub(crate) struct Load(Value);

impl Load {
    /// `disk` or `store`.
    pub(crate) fn source(&self) -> &str {
        self.0.get("source").and_then(Value::as_str).unwrap_or_default()
    }

    /// The compressed bytes that came from the store.
    pub(crate) fn fetched_bytes(&self) -> u64 {
        self.0.get("fetchedBytes").and_then(Value::as_u64).unwrap_or_default()
    }

    /// One of [`PARTS`] in milliseconds.
    pub(crate) fn part(&self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or_default()
    }
}

/// The loads in a host's log, in their order.
pub(crate) fn loads(log: &Path) -> anyhow::Result<Vec<Load>> {
    Ok(parse(&fs_err::read_to_string(log)?))
}

fn parse(text: &str) -> Vec<Load> {
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_load = |record: &Value| record.get("message") == Some(&"cold load".into());
    records.filter(is_load).map(Load).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn loads_are_found_among_other_records() {
        let text = r#"{"message":"hello","source":"disk"}
not JSON
{"message":"cold load","source":"store","fetchedBytes":12,"fetchMs":1.5}
"#;
        let loads = parse(text);
        let [load] = &loads[..] else { panic!("{loads:?}") };
        assert_eq!((load.source(), load.fetched_bytes()), ("store", 12));
        assert!((load.part("fetchMs") - 1.5).abs() < 1e-9 && load.part("linkMs") < 1e-9);
    }
}
