//! wrk, somebody else's load generator: its command line, and what it prints.

use anyhow::{Context as _, ensure};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The program.
#[derive(Debug)]
pub(crate) struct Wrk {
    pub(crate) program: PathBuf,
    pub(crate) libraries: Option<PathBuf>,
}

/// What a server did under load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Wrk {
    /// Asks `url` over and over, on so many connections that are kept, each waiting for its answer. Every answer must be a
    /// success.
    pub(crate) fn load(
        &self,
        url: &str,
        connections: usize,
        time: Duration,
    ) -> anyhow::Result<Load> {
        let mut command = Command::new(&self.program);
        command.args(["--threads", "1", "--latency", "--connections", &connections.to_string()]);
        command.args(["--duration", &format!("{}s", time.as_secs()), url]);
        command.envs(self.libraries.iter().map(|folder| ("LD_LIBRARY_PATH", folder)));
        let output = command.stdin(Stdio::null()).output().context("cannot start wrk")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk: {}", String::from_utf8_lossy(&output.stderr));
        read(&text).with_context(|| format!("wrk said of {url}:\n{text}"))
    }
}

fn read(text: &str) -> anyhow::Result<Load> {
    for word in ["Non-2xx", "Socket errors"] {
        ensure!(!text.contains(word), "not every request was answered well");
    }
    let after = |label: &str| {
        let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(label));
        line.map(str::trim).with_context(|| format!("no line has {label:?}"))
    };
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "));
    Ok(Load {
        requests: requests.context("no number of requests")?.0.parse()?,
        requests_per_second: after("Requests/sec:")?.parse()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
    })
}

/// `81.00us`, `1.27ms` or `2.00s`.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = found.with_context(|| format!("{text:?} is no time"))?;
    Ok(number.trim().parse::<f64>()? * factor)
}

#[cfg(test)]
mod tests {
    use super::{Load, read};

    const SAID: &str = "Running 2s test @ http://127.0.0.1:8080/\n  1 threads and 64 connections\n  \
        Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency     4.10ms    1.53ms  21.03ms   84.96%\n  \
        Latency Distribution\n     50%    3.81ms\n     75%    4.52ms\n     90%  981.00us\n     99%    1.20s \n  \
        31234 requests in 2.00s, 5.12MB read\nRequests/sec:  15617.25\nTransfer/sec:      2.56MB\n";

    #[test]
    fn what_it_prints_is_read() {
        let expected =
            Load { requests: 31234.0, requests_per_second: 15617.25, p50_ms: 3.81, p99_ms: 1200.0 };
        assert_eq!(read(SAID).unwrap(), expected);
    }

    #[test]
    fn an_answer_that_is_no_success_fails_the_run() {
        let said = format!("{SAID}  Non-2xx or 3xx responses: 12\n");
        assert!(read(&said).is_err());
    }
}
