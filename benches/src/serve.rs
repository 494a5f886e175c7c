//! `lambkin serve` against `wasmtime serve`: the same component, compiled ahead of time on both sides, under the same load.
//!
//! The two take turns in pairs, and the pair's ratio is what counts: other work on the machine meets both. Both run while
//! one is asked, but only that one works.

use crate::arguments::Arguments;
use crate::lambkin::Cloud;
use crate::report;
use crate::server::Server;
use crate::statistics::{median, milliseconds};
use crate::table::{Table, yes_or_no};
use crate::wrk::{Load, Wrk};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long one server is asked before the other.
const TURN: Duration = Duration::from_secs(5);

/// How long each is asked before it counts.
const WARM_UP: Duration = Duration::from_secs(2);

/// Turns of each.
const ROUNDS: usize = 7;

/// How many clients ask at once.
const CONNECTIONS: [usize; 2] = [1, 64];

/// What is asked for; no route gives a parameter, so that the same is answered on both sides.
const PATH: &str = "/hello";
const ANSWER: &str = r#"{"message":"Hello, nobody!","path":"/hello"}"#;

/// One server under load: requests a second, p50 and p99 in milliseconds, and processor time in milliseconds a request.
#[derive(Debug, Default)]
struct Measured {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    processor: Vec<f64>,
}

/// Measures both, or says what is missing.
pub(crate) fn run(arguments: &Arguments, cloud: &Cloud) -> anyhow::Result<Value> {
    let (Some(serve), Some(wasmtime), Some(wrk)) =
        (&arguments.serve, &arguments.wasmtime, &arguments.wrk)
    else {
        report::say("`serve` is not measured: it needs --serve, --wasmtime and --wrk");
        return Ok(Value::Null);
    };
    let wrk = Wrk { program: wrk.clone(), libraries: arguments.wrk_libraries.clone() };
    let component = cloud.build("rust-http", "hello")?;
    let servers = [lambkin(serve, &component)?, of_wasmtime(wasmtime, &component, cloud)?];
    let mut table = Table::new(
        "`lambkin serve` against `wasmtime serve`",
        &[
            "connections",
            "requests/s: lambkin",
            "wasmtime",
            "p50 ms: lambkin",
            "wasmtime",
            "p99 ms: lambkin",
            "wasmtime",
            "processor ms a request: lambkin",
            "wasmtime",
            "requests/s against",
            "p99 against",
            "target",
            "met",
        ],
    );
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        report::say(&format!("serving on {connections} connections, {ROUNDS} turns each"));
        let measured = measure(cloud, &servers, (&wrk, connections))?;
        rows.push(tell(&mut table, connections, &measured));
    }
    table.print();
    Ok(Value::Array(rows))
}

fn lambkin(program: &Path, component: &Path) -> anyhow::Result<Server> {
    let mut command = Command::new(program);
    command.arg("serve").arg(component).args(["--addr", "127.0.0.1:0"]);
    Server::start(command).context("lambkin serve")
}

/// With its pool, which is the quicker allocator.
fn of_wasmtime(program: &Path, component: &Path, cloud: &Cloud) -> anyhow::Result<Server> {
    let compiled = cloud.folder().join("wasmtime-compiled");
    let mut compile = Command::new(program);
    compile.args(["compile", "-O", "pooling-allocator=y"]).arg(component).arg("-o").arg(&compiled);
    let output = compile.output().context("cannot start wasmtime")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = Command::new(program);
    command.args(["serve", "-S", "cli", "-O", "pooling-allocator=y", "--allow-precompiled"]);
    command.args(["--addr", "127.0.0.1:0"]).arg(&compiled);
    Server::start(command).context("wasmtime serve")
}

fn measure(
    cloud: &Cloud,
    servers: &[Server; 2],
    (wrk, connections): (&Wrk, usize),
) -> anyhow::Result<[Measured; 2]> {
    let mut measured = [Measured::default(), Measured::default()];
    for server in servers {
        check(cloud, server)?;
        wrk.load(&server.url(PATH), connections, WARM_UP)?;
    }
    for round in 1..=ROUNDS {
        let mut turns: Vec<_> = servers.iter().zip(&mut measured).collect();
        // Who is asked first has the other's pages in the caches: they take turns in that, too.
        if round % 2 == 0 {
            turns.reverse();
        }
        for (server, measured) in turns {
            let before = server.processor()?;
            let load = wrk.load(&server.url(PATH), connections, TURN)?;
            measured.add(&load, server.processor()?.saturating_sub(before));
        }
        report::progress(round, ROUNDS);
    }
    servers.iter().try_for_each(|server| check(cloud, server))?;
    Ok(measured)
}

fn check(cloud: &Cloud, server: &Server) -> anyhow::Result<()> {
    let answer = cloud.block_on(server.get(PATH))?;
    ensure!(answer == ANSWER, "it answered {}", String::from_utf8_lossy(&answer));
    Ok(())
}

impl Measured {
    fn add(&mut self, load: &Load, processor: Duration) {
        self.rate.push(load.requests_per_second);
        self.p50.push(load.p50_ms);
        self.p99.push(load.p99_ms);
        self.processor.push(milliseconds(processor) / load.requests);
    }

    fn json(&self) -> Value {
        json!({
            "requestsPerSecond": self.rate,
            "p50Ms": self.p50,
            "p99Ms": self.p99,
            "processorMs": self.processor,
        })
    }
}

/// The median of the pairs' ratios.
fn ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    median(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
}

fn tell(table: &mut Table, connections: usize, [ours, theirs]: &[Measured; 2]) -> Value {
    let rate = ratio(&ours.rate, &theirs.rate);
    let p99 = ratio(&ours.p99, &theirs.p99);
    let (rate_met, p99_met) = (rate >= 1.0, p99 < 1.0);
    let pair = |ours: &[f64], theirs: &[f64], digits: usize| {
        [ours, theirs].map(|values| format!("{:.digits$}", median(values)))
    };
    let mut cells = vec![connections.to_string()];
    cells.extend(pair(&ours.rate, &theirs.rate, 0));
    cells.extend(pair(&ours.p50, &theirs.p50, 3));
    cells.extend(pair(&ours.p99, &theirs.p99, 3));
    cells.extend(pair(&ours.processor, &theirs.processor, 4));
    cells.extend([
        format!("{rate:.2}x"),
        format!("{p99:.2}x"),
        ">= 1x, p99 < 1x".to_owned(),
        format!("{}, {}", yes_or_no(rate_met), yes_or_no(p99_met)),
    ]);
    table.row(cells);
    json!({
        "connections": connections,
        "lambkin": ours.json(),
        "wasmtime": theirs.json(),
        "requestsPerSecondRatio": rate,
        "p99Ratio": p99,
        "target": ">= 1x, p99 < 1x",
        "met": [rate_met, p99_met],
    })
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn a_ratio_is_of_pairs() {
        assert!((ratio(&[10.0, 30.0, 100.0], &[10.0, 10.0, 50.0]) - 2.0).abs() < 1e-9);
    }
}
