//! First answers: from `exec` to the last byte.

use crate::call::Call;
use crate::process::Process;
use crate::runtime_api::{Exchange, RuntimeApi};
use crate::statistics::{mebibytes, median, milliseconds, minimum};
use crate::subject::{Program, Subject};
use crate::table::{Compared, Table};
use crate::{report, target};
use anyhow::Context as _;
use serde_json::{Value, json};

/// A function of so much memory has a whole processor, and keeps on disk what it has fetched.
const KEEPS_MB: &str = "1769";

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
            let first = if round == 0 { fill(subject) } else { first_answer(subject, cold) };
            first.with_context(|| subject.name.clone())?;
        }
        report::progress(round, rounds);
    }
    Ok(tell(&subjects, &all))
}

/// A first answer that is not counted, after which the host keeps on disk what a later start is to find there.
fn fill(subject: &Subject) -> anyhow::Result<()> {
    let program = subject.program.clone().with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", KEEPS_MB);
    let (_api, _process, _) = answered(subject, &program)?;
    subject.wait_until_kept()
}

fn answered(
    subject: &Subject,
    program: &Program,
) -> anyhow::Result<(RuntimeApi, Process, Exchange)> {
    subject.prepare()?;
    let api = RuntimeApi::start()?;
    api.offer(Call::hello().event())?;
    let process = Process::start(program, &api)?;
    let exchange = api.answer()?;
    Ok((api, process, exchange))
}

fn first_answer(subject: &Subject, cold: &mut Cold) -> anyhow::Result<()> {
    let (_api, process, exchange) = answered(subject, &subject.program)?;
    let processor = process.processor()?;
    let memory = process.peak_memory()?;
    Call::hello().check(&exchange.payload)?;
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
