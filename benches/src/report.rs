//! What the person at the terminal sees. The only module that prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to whoever runs it"
)]

use crate::cold::Cold;
use crate::statistics::{median, minimum, p99};
use crate::subject::Subject;

/// Prints a line of progress.
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// Prints an error and its causes.
pub(crate) fn fail(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Prints how far a measurement is, every fifth round.
pub(crate) fn progress(done: usize, of: usize) {
    if done > 0 && done.is_multiple_of(5) {
        eprintln!("  {done} of {of}");
    }
}

/// Prints the table, in Markdown. The first subject is the one that ratios are of.
pub(crate) fn table(subjects: &[Subject], cold: &[Cold], warm: &[Vec<f64>]) {
    println!(
        "| | exec to first answer, ms: median (min) | processor ms | of Rust's own | peak MiB | warm p50 ms | p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|");
    let baseline = cold.first().map_or(1.0, |first| median(&first.processor));
    for ((subject, cold), warm) in subjects.iter().zip(cold).zip(warm) {
        let processor = median(&cold.processor);
        let warm = if subject.is_called() {
            format!("{:.2} | {:.2}", median(warm), p99(warm))
        } else {
            " | ".to_owned()
        };
        println!(
            "| {} | {:.1} ({:.1}) | {processor:.1} | {:.1}x | {:.1} | {warm} |",
            subject.name,
            median(&cold.elapsed),
            minimum(&cold.elapsed),
            processor / baseline,
            median(&cold.memory),
        );
    }
}
