//! Warm calls: from the event's departure to the last byte of the answer, one at a time.

use crate::call::Call;
use crate::process::Process;
use crate::report;
use crate::runtime_api::RuntimeApi;
use crate::statistics::{count, mean, median, milliseconds, p99};
use crate::subject::Subject;
use crate::table::{Compared, Table, yes_or_no};
use crate::target::{self, Target};
use anyhow::Context as _;
use serde_json::{Value, json};

/// Calls of each subject before the first that counts.
const WARM_UP: usize = 100;

/// Calls of one subject before the next takes its turn.
const TURN: usize = 50;

/// What was measured of one subject.
#[derive(Debug, Default)]
struct Warm {
    /// Each call in milliseconds.
    times: Vec<f64>,
    /// The processor time of a call in milliseconds, the mean of each turn.
    processor: Vec<f64>,
}

/// Greets and transforms, and prints both tables.
pub(crate) fn run(subjects: &[Subject], calls: usize) -> anyhow::Result<Value> {
    report::say(&format!("warm calls, {calls} each"));
    let greeted: Vec<&Subject> = subjects.iter().filter(|subject| subject.calls).collect();
    let greetings = measure(&greeted, &Call::hello(), calls)?;
    let hello = tell("Warm greeting", &target::GREETING, (&greeted, &greetings));
    report::say(&format!("transformations of 10 KB of JSON, {calls} each"));
    let able: Vec<&Subject> = subjects.iter().filter(|subject| subject.transforms()).collect();
    let transformed = measure(&able, &Call::transform()?, calls)?;
    let title = "Warm transformation of 10 KB of JSON";
    let transform = tell(title, &target::TRANSFORM, (&able, &transformed));
    Ok(json!({ "greeting": hello, "transform": transform }))
}

fn measure(subjects: &[&Subject], call: &Call, calls: usize) -> anyhow::Result<Vec<Warm>> {
    let mut running = Vec::new();
    for subject in subjects {
        let api = RuntimeApi::start()?;
        let process = Process::start(&subject.program, &api)?;
        for _ in 0..WARM_UP {
            once(&api, call).with_context(|| subject.name.clone())?;
        }
        // In this order: the process ends before its server does.
        running.push((process, api));
    }
    let mut all: Vec<Warm> = subjects.iter().map(|_| Warm::default()).collect();
    let turns = calls.div_ceil(TURN);
    for turn in 1..=turns {
        for ((process, api), warm) in running.iter().zip(&mut all) {
            let before = process.processor()?;
            for _ in 0..TURN {
                warm.times.push(once(api, call)?);
            }
            let used = milliseconds(process.processor()?.saturating_sub(before));
            warm.processor.push(used / count(TURN));
        }
        report::progress(turn, turns);
    }
    Ok(all)
}

/// Makes one call, checks its answer and gives its time in milliseconds.
pub(crate) fn once(api: &RuntimeApi, call: &Call) -> anyhow::Result<f64> {
    api.offer(call.event())?;
    let exchange = api.answer()?;
    call.check(&exchange.payload)?;
    Ok(milliseconds(exchange.answered.duration_since(exchange.sent)))
}

fn tell(title: &str, targets: &[Target], (subjects, all): (&[&Subject], &[Warm])) -> Value {
    let mut table = Table::new(
        title,
        &["", "p50 ms", "p99 ms", "processor ms", "p99 over p50", "p50 against", "target", "met"],
    );
    let mut rows = Vec::new();
    for (subject, warm) in subjects.iter().zip(all) {
        let (p50, p99) = (median(&warm.times), p99(&warm.times));
        let mut cells = vec![
            subject.name.trim_end_matches(", from S3").to_owned(),
            format!("{p50:.3}"),
            format!("{p99:.3}"),
            format!("{:.3}", mean(&warm.processor)),
            format!("{:.1}", p99 / p50),
        ];
        let compared = target::of(targets, &subject.id).and_then(|target| {
            let at = subjects.iter().position(|subject| subject.id == target.baseline)?;
            let baseline = median(&all.get(at)?.times);
            Some(Compared::new(target, &subjects.get(at)?.name, (p50, baseline)))
        });
        let tail_met = target::has_tail(targets, &subject.id).then_some(p99 <= p50 * target::TAIL);
        if let Some(compared) = &compared {
            cells.push(compared.distance_from());
            cells.extend(match tail_met {
                Some(met) => [
                    format!("{}, p99 <= {}x p50", compared.bound(), target::TAIL),
                    format!("{}, {}", compared.met(), yes_or_no(met)),
                ],
                None => [compared.bound(), compared.met()],
            });
        }
        table.row(cells);
        rows.push(json!({
            "subject": subject.id,
            "name": subject.name,
            "callMs": warm.times,
            "processorMs": warm.processor,
            "target": compared.map(|compared| compared.json()),
            "tailMet": tail_met,
        }));
    }
    table.print();
    Value::Array(rows)
}
