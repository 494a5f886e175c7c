//! First answers: from `exec` to the last byte.

use crate::call::Call;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{mebibytes, median, milliseconds, minimum};
use crate::subject::Subject;
use crate::table::{Compared, Table};
use crate::{report, target};
use anyhow::Context as _;
use serde_json::{Value, json};

/// First answers of one subject, one value a round.
#[derive(Debug, Default)]
struct Cold {
    /// From `exec` to the answer, in milliseconds.
    elapsed: Vec<f64>,
    /// Processor time until the answer, in milliseconds.
    processor: Vec<f64>,
    /// Peak of resident memory, in MiB.
    memory: Vec<f64>,
}

/// Measures every subject once a round and prints the table. A round before the first is thrown away: it fills the
/// page cache.
pub(crate) fn run(subjects: &[Subject], rounds: usize) -> anyhow::Result<Value> {
    let subjects: Vec<&Subject> = subjects.iter().filter(|subject| subject.starts).collect();
    report::say(&format!("first answers, {rounds} rounds"));
    let mut all: Vec<Cold> = subjects.iter().map(|_| Cold::default()).collect();
    for round in 0..=rounds {
        for (subject, cold) in subjects.iter().zip(&mut all) {
            let mut ignored = Cold::default();
            let cold = if round == 0 { &mut ignored } else { cold };
            first_answer(subject, cold).with_context(|| subject.name.clone())?;
        }
        report::progress(round, rounds);
    }
    Ok(tell(&subjects, &all))
}

fn first_answer(subject: &Subject, cold: &mut Cold) -> anyhow::Result<()> {
    subject.prepare()?;
    let call = Call::hello();
    let api = RuntimeApi::start()?;
    api.offer(call.event())?;
    let process = Process::start(&subject.program, &api)?;
    let exchange = api.answer()?;
    let processor = process.processor()?;
    let memory = process.peak_memory()?;
    call.check(&exchange.payload)?;
    cold.elapsed.push(milliseconds(exchange.answered.duration_since(process.started)));
    cold.processor.push(milliseconds(processor));
    cold.memory.push(mebibytes(memory));
    Ok(())
}

fn tell(subjects: &[&Subject], all: &[Cold]) -> Value {
    let mut table = Table::new(
        "First answer, from exec to the last byte",
        &[
            "",
            "wall ms: median (min)",
            "processor ms",
            "peak MiB",
            "processor against",
            "wall against",
            "target",
            "met",
        ],
    );
    let mut rows = Vec::new();
    for (subject, cold) in subjects.iter().zip(all) {
        let (elapsed, processor) = (median(&cold.elapsed), median(&cold.processor));
        let found = target::of(&target::FIRST, &subject.id).and_then(|target| {
            let at = subjects.iter().position(|subject| subject.id == target.baseline)?;
            Some((target, subjects.get(at)?, all.get(at)?))
        });
        let compared = found.map(|(target, other, baseline)| {
            let by = median(&baseline.processor);
            let wall = target.bound.distance(elapsed, median(&baseline.elapsed));
            (Compared::new(target, &other.name, (processor, by)), wall)
        });
        let mut cells = vec![
            subject.name.clone(),
            format!("{elapsed:.1} ({:.1})", minimum(&cold.elapsed)),
            format!("{processor:.1}"),
            format!("{:.1}", median(&cold.memory)),
        ];
        let target = compared.as_ref().map(|(compared, _)| compared.json());
        rows.push(json!({
            "subject": subject.id,
            "name": subject.name,
            "wallMs": cold.elapsed,
            "processorMs": cold.processor,
            "peakMiB": cold.memory,
            "target": target,
        }));
        if let Some((compared, wall)) = compared {
            cells.extend([compared.distance_from(), wall, compared.bound(), compared.met()]);
        }
        table.row(cells);
    }
    table.print();
    Value::Array(rows)
}
