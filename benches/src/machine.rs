//! What the figures are of: the machine, how busy it was, and when.

use serde_json::{Value, json};
use std::time::SystemTime;

/// The machine's facts, for the JSON.
pub(crate) fn facts(commit: &str) -> Value {
    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    json!({
        "processor": processor(),
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory": first_line("/proc/meminfo"),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "load": load(),
        "date": date,
        "commit": commit,
    })
}

/// One line about the machine, for the terminal.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "{}, {cores} cores, Linux {}, load {}",
        processor(),
        first_line("/proc/sys/kernel/osrelease"),
        load()
    )
}

/// The load averages of the last one, five and fifteen minutes, as `/proc/loadavg` says them.
pub(crate) fn load() -> String {
    first_line("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn processor() -> String {
    let text = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.unwrap_or("unknown processor").trim_start_matches([' ', '\t', ':']).to_owned()
}

/// The first line of a file, or `unknown`.
fn first_line(path: &str) -> String {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}
