//! First and warm calls under a quota: Init with a whole processor, each invocation with the share that Lambda gives a
//! function of 128 MB, 512 MB or 1,769 MB.

use crate::call::Call;
use crate::cgroup::{Means, Share, proof};
use crate::process::Process;
use crate::report;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{mean, median, milliseconds};
use crate::subject::Subject;
use crate::table::Table;
use crate::warm;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Percent of a processor, and the memory of the function that gets it in MB.
const SHARES: [(u32, u32); 3] = [(7, 128), (25, 512), (100, 1769)];

/// Warm calls after each first one, one right after the other, so that their mean is what the share sustains: at least
/// so many, and for at least so long, since the first milliseconds of a period come free. None makes more than the most.
const CALLS: usize = 15;
const SUSTAINED: Duration = Duration::from_millis(150);
const MOST: usize = 2_000;

/// What was measured of one subject under one share, in milliseconds.
#[derive(Debug, Default)]
struct Calls {
    /// From `exec` to the first request for an event.
    init: Vec<f64>,
    /// From the first event's departure to its answer.
    first: Vec<f64>,
    /// The calls after it.
    warm: Vec<f64>,
}

/// Measures every subject under every share and prints the table.
pub(crate) fn run(subjects: &[Subject], rounds: usize) -> anyhow::Result<Value> {
    let means = Means::find();
    let found = proof(&means, 7)?;
    report::say(&format!("under a quota, by {}, {rounds} rounds", means.name()));
    ensure!(
        (1.0..20.0).contains(&found),
        "a quota of 7 % gives {found:.1} % here: it does not hold"
    );
    let subjects: Vec<&Subject> =
        subjects.iter().filter(|subject| subject.calls && subject.starts).collect();
    let empty = || SHARES.map(|_| Calls::default());
    let mut all: Vec<_> = subjects.iter().map(|_| empty()).collect();
    for round in 0..=rounds {
        for (subject, shares) in subjects.iter().zip(&mut all) {
            for (calls, share) in shares.iter_mut().zip(SHARES) {
                let mut ignored = Calls::default();
                let calls = if round == 0 { &mut ignored } else { calls };
                once(subject, (&means, share), calls).with_context(|| subject.name.clone())?;
            }
        }
        report::progress(round, rounds);
    }
    tell(&subjects, &all);
    report::print(&format!(
        "By {}, periods of 20 ms; a program that never waits gets {found:.1} % where 7 % are set.",
        means.name()
    ));
    Ok(json!({ "means": means.name(), "sevenPercentGives": found, "rows": rows(&subjects, &all) }))
}

fn once(
    subject: &Subject,
    (means, (percent, memory)): (&Means, (u32, u32)),
    calls: &mut Calls,
) -> anyhow::Result<()> {
    subject.prepare()?;
    let call = Call::hello();
    let api = RuntimeApi::start()?;
    let program = subject.program.clone();
    let program = program.with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.to_string());
    let process = Process::start(&program, &api)?;
    let share = Share::of(&process, means)?;
    let ready = api.ready()?;
    share.limit(percent)?;
    calls.init.push(milliseconds(ready.duration_since(process.started)));
    calls.first.push(warm::once(&api, &call)?);
    let started = Instant::now();
    for made in 0..MOST {
        if made >= CALLS && started.elapsed() >= SUSTAINED {
            break;
        }
        calls.warm.push(warm::once(&api, &call)?);
    }
    // The process goes first: a control group is removed when it is empty.
    drop(process);
    drop(share);
    Ok(())
}

fn tell(subjects: &[&Subject], all: &[[Calls; SHARES.len()]]) {
    let mut columns = vec![String::new(), "Init ms".to_owned()];
    for (percent, memory) in SHARES {
        columns.push(format!("{percent} % ({memory} MB): first ms"));
        columns.push("warm mean (p50) ms".to_owned());
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table =
        Table::new("Under a processor quota, wall time, Init with a whole processor", &columns);
    for (subject, shares) in subjects.iter().zip(all) {
        let inits: Vec<f64> = shares.iter().flat_map(|calls| calls.init.clone()).collect();
        let mut cells = vec![subject.name.clone(), format!("{:.1}", median(&inits))];
        for calls in shares {
            cells.push(format!("{:.1}", median(&calls.first)));
            cells.push(format!("{:.2} ({:.2})", mean(&calls.warm), median(&calls.warm)));
        }
        table.row(cells);
    }
    table.print();
}

fn rows(subjects: &[&Subject], all: &[[Calls; SHARES.len()]]) -> Vec<Value> {
    let under = |(calls, (percent, memory)): (&Calls, (u32, u32))| {
        json!({
            "percent": percent,
            "memoryMB": memory,
            "initMs": calls.init,
            "firstMs": calls.first,
            "warmMs": calls.warm,
        })
    };
    let row = |(subject, shares): (&&Subject, &[Calls; SHARES.len()])| {
        let shares: Vec<Value> = shares.iter().zip(SHARES).map(under).collect();
        json!({ "subject": subject.id, "name": subject.name, "shares": shares })
    };
    subjects.iter().zip(all).map(row).collect()
}
