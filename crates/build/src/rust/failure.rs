//! What a failed cargo run looks like to the person who wrote the source.

use crate::BuildFailure;
use std::process::ExitStatus;

/// Cargo's own output without its progress lines, and a summary that says what could not be compiled.
pub(super) fn of(rendered: &str, status: ExitStatus) -> BuildFailure {
    let summary = match last_error(rendered) {
        Some(error) => format!("cargo build failed: {error}"),
        None => format!("cargo build failed: {status}"),
    };
    let lines: Vec<&str> = rendered.lines().filter(|line| !is_progress(line)).collect();
    BuildFailure { output: lines.join("\n"), summary }
}

/// The text of cargo's last `error:` line, for example ``could not compile `shop` (lib) due to 2 previous errors``.
fn last_error(rendered: &str) -> Option<&str> {
    rendered.lines().rev().find_map(|line| line.strip_prefix("error: "))
}

/// Cargo right-aligns the verb of a progress line in twelve columns.
fn is_progress(line: &str) -> bool {
    const VERBS: [&str; 8] = [
        "Compiling",
        "Downloaded",
        "Downloading",
        "Updating",
        "Locking",
        "Adding",
        "Blocking",
        "Fresh",
    ];
    line.starts_with(' ') && VERBS.iter().any(|verb| line.trim_start().starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::of;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    #[test]
    fn keeps_the_diagnostics_and_sums_them_up() {
        let rendered = "   Compiling shop v0.1.0 (shop)\nerror[E0425]: cannot find value `x` in this scope\n --> src/lib.rs:1:9\n\nerror: could not compile `shop` (lib) due to 1 previous error\n";
        let failure = of(rendered, ExitStatus::from_raw(101 << 8));
        assert_eq!(
            failure.summary,
            "cargo build failed: could not compile `shop` (lib) due to 1 previous error"
        );
        assert!(failure.output.starts_with("error[E0425]"), "{}", failure.output);
    }

    #[test]
    fn says_the_status_when_cargo_said_nothing() {
        assert_eq!(
            of("", ExitStatus::from_raw(9)).summary,
            "cargo build failed: signal: 9 (SIGKILL)"
        );
    }
}
