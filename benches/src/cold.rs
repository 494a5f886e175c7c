//! First answers: from `exec` to the last byte.

use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subject::{Before, Subject};
use crate::{report, warm};
use anyhow::Context as _;
use std::time::Duration;

/// First answers of one subject, one value a round.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    /// From `exec` to the answer, in milliseconds.
    pub(crate) elapsed: Vec<f64>,
    /// Processor time until the answer, in milliseconds.
    pub(crate) processor: Vec<f64>,
    /// Peak of resident memory, in MiB.
    pub(crate) memory: Vec<f64>,
}

/// Measures every subject once a round. A round before the first is thrown away: it fills the page cache.
pub(crate) fn measure(subjects: &[Subject], rounds: usize) -> anyhow::Result<Vec<Cold>> {
    let mut all: Vec<Cold> = subjects.iter().map(|_| Cold::default()).collect();
    for round in 0..=rounds {
        for (subject, cold) in subjects.iter().zip(&mut all) {
            let mut ignored = Cold::default();
            let cold = if round == 0 { &mut ignored } else { cold };
            first_answer(subject, cold).with_context(|| subject.name.clone())?;
        }
        report::progress(round, rounds);
    }
    Ok(all)
}

fn first_answer(subject: &Subject, cold: &mut Cold) -> anyhow::Result<()> {
    if let Some(cache) = &subject.cache {
        if cache.before == Before::Empty && cache.folder.exists() {
            fs_err::remove_dir_all(&cache.folder)?;
        }
        fs_err::create_dir_all(&cache.folder)?;
    }
    let api = RuntimeApi::start()?;
    api.offer(warm::event())?;
    let process = Process::start(&subject.program, &api)?;
    let exchange = api.answer()?;
    let elapsed = exchange.answered.duration_since(process.started);
    let usage = process.end()?;
    warm::check(&exchange.payload)?;
    cold.elapsed.push(milliseconds(elapsed));
    cold.processor.push(milliseconds(usage.processor));
    cold.memory.push(mebibytes(usage.peak_memory));
    Ok(())
}

/// A duration as the tables print it.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 bytes of memory")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
