//! 1 to 64 invocations at a time in one process, as on Lambda Managed Instances (`AWS_LAMBDA_MAX_CONCURRENCY`).

use super::{Curve, Line};
use crate::call::Call;
use crate::lambkin::{Cloud, STORE};
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{mebibytes, median, milliseconds, p99};
use crate::{report, warm};
use std::time::Instant;

const INVOCATIONS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
const CALLS: u32 = 1_500;

/// Keeps as many events under way as the process may take.
pub(super) fn measure(cloud: &Cloud) -> anyhow::Result<Vec<Curve>> {
    report::say("1 to 64 invocations at a time");
    cloud.publish("rust-function")?;
    let (mut rate, mut middle, mut tail) = (Vec::new(), Vec::new(), Vec::new());
    let mut memory = Vec::new();
    for at_once in INVOCATIONS {
        let x = f64::from(at_once);
        let measured = keep_busy(cloud, at_once)?;
        rate.push((x, measured.rate));
        middle.push((x, median(&measured.times)));
        tail.push((x, p99(&measured.times)));
        memory.push((x, measured.memory));
    }
    let (title, across) = ("Invocations at a time in one process", "invocations at a time");
    let curve = |name, up, lines| Curve { name, title, across, up, lines };
    Ok(vec![
        curve("concurrency", "ms", vec![Line::new("p50", middle), Line::new("p99", tail)]),
        curve("concurrency-rate", "calls a second", vec![Line::new("Rust component", rate)]),
        curve("concurrency-memory", "MiB", vec![Line::new("resident", memory)]),
    ])
}

struct Measured {
    times: Vec<f64>,
    rate: f64,
    memory: f64,
}

fn keep_busy(cloud: &Cloud, at_once: u32) -> anyhow::Result<Measured> {
    let host = cloud.host(&cloud.folder().join("cache/growth"));
    let program = host
        .with("LAMBKIN_STORE", STORE)
        .with("LAMBKIN_APP", "bench-rust-function@live")
        .with("AWS_LAMBDA_MAX_CONCURRENCY", at_once.to_string());
    let api = RuntimeApi::start()?;
    let process = Process::start(&program, &api)?;
    let call = Call::hello();
    for _ in 0..50 {
        warm::once(&api, &call)?;
    }
    let started = Instant::now();
    for _ in 0..at_once {
        api.offer(call.event())?;
    }
    let mut times = Vec::new();
    for number in 0..CALLS {
        let exchange = api.answer()?;
        call.check(&exchange.payload)?;
        times.push(milliseconds(exchange.answered.duration_since(exchange.sent)));
        if number + at_once < CALLS {
            api.offer(call.event())?;
        }
    }
    let rate = f64::from(CALLS) / started.elapsed().as_secs_f64();
    Ok(Measured { times, rate, memory: mebibytes(process.resident_memory()?) })
}
