//! What the person at the terminal sees. The only module that prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to whoever runs it"
)]

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

/// Prints a part of the result.
pub(crate) fn print(text: &str) {
    println!("{text}");
}
