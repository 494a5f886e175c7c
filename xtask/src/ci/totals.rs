//! Sums up what the test runners report.

use super::Counting;
use crate::shell::Shown;
use std::fmt;

/// How many tests passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Totals {
    /// One thing that passed.
    pub(super) const fn success() -> Self {
        Self { passed: 1, failed: 0, skipped: 0 }
    }

    /// One thing that failed.
    pub(super) const fn failure() -> Self {
        Self { passed: 0, failed: 1, skipped: 0 }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Counts the tests of one step. A step that failed without a failed test (it did not compile) counts as one failure.
pub(super) fn count(counting: Counting, shown: &Shown) -> Totals {
    let mut totals = match counting {
        Counting::Check => Totals { passed: u64::from(shown.success), ..Totals::default() },
        Counting::Rust => sum_lines(&shown.text, rust_line),
        Counting::Pytest => shown.text.lines().rev().find_map(pytest_line).unwrap_or_default(),
        Counting::Go => sum_lines(&shown.text, go_line),
        Counting::Tap => sum_lines(&shown.text, tap_line),
    };
    if !shown.success && totals.failed == 0 {
        totals.failed = 1;
    }
    totals
}

fn sum_lines(text: &str, of: fn(&str) -> Option<Totals>) -> Totals {
    let mut totals = Totals::default();
    for line in text.lines().filter_map(of) {
        totals.add(line);
    }
    totals
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn rust_line(line: &str) -> Option<Totals> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    Some(words(counts, ';', &["ignored"]))
}

/// `1 failed, 3 passed, 1 skipped in 0.02s`, with or without a frame of equals signs.
fn pytest_line(line: &str) -> Option<Totals> {
    let (counts, _) =
        line.trim_matches(|character| character == '=' || character == ' ').rsplit_once(" in ")?;
    Some(words(counts, ',', &["skipped", "deselected", "xfailed"]))
}

fn words(counts: &str, separator: char, skipped: &[&str]) -> Totals {
    let mut totals = Totals::default();
    for (number, word) in counts.split(separator).filter_map(|count| count.trim().split_once(' ')) {
        let number: u64 = number.parse().unwrap_or_default();
        match word {
            "passed" => totals.passed += number,
            "failed" | "error" | "errors" => totals.failed += number,
            word if skipped.contains(&word) => totals.skipped += number,
            _ => {}
        }
    }
    totals
}

/// `--- PASS: TestName (0.00s)`; those of subtests are indented and not counted.
fn go_line(line: &str) -> Option<Totals> {
    let (result, _) = line.strip_prefix("--- ")?.split_once(':')?;
    match result {
        "PASS" => Some(Totals::success()),
        "FAIL" => Some(Totals::failure()),
        "SKIP" => Some(Totals { skipped: 1, ..Totals::default() }),
        _ => None,
    }
}

/// `# pass 3`
fn tap_line(line: &str) -> Option<Totals> {
    let (word, number) = line.strip_prefix("# ")?.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "pass" => Some(Totals { passed: number, ..Totals::default() }),
        "fail" | "cancelled" => Some(Totals { failed: number, ..Totals::default() }),
        "skipped" | "todo" => Some(Totals { skipped: number, ..Totals::default() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Totals, count};
    use crate::ci::Counting;
    use crate::shell::Shown;

    fn check(counting: Counting, success: bool, text: &str, expect: (u64, u64, u64)) {
        let (passed, failed, skipped) = expect;
        let totals = count(counting, &Shown { success, text: text.to_owned() });
        assert_eq!(totals, Totals { passed, failed, skipped }, "{text}");
    }

    #[test]
    fn counts_what_each_runner_prints() {
        let rust = "test a ... ok\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        check(Counting::Rust, false, rust, (4, 2, 1));
        check(
            Counting::Pytest,
            false,
            "F..\n=== 1 failed, 3 passed, 1 skipped in 0.02s ===\n",
            (3, 1, 1),
        );
        check(
            Counting::Go,
            true,
            "--- PASS: TestA (0.00s)\n    --- PASS: TestA/sub (0.00s)\n--- SKIP: TestB\n",
            (1, 0, 1),
        );
        check(Counting::Tap, true, "# tests 3\n# pass 2\n# fail 0\n# skipped 1\n", (2, 0, 1));
        check(Counting::Check, true, "", (1, 0, 0));
    }

    #[test]
    fn a_run_that_failed_without_a_failed_test_counts_as_one_failure() {
        check(Counting::Rust, false, "", (0, 1, 0));
        check(Counting::Check, false, "", (0, 1, 0));
    }
}
