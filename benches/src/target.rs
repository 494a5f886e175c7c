//! What was set out to be reached: for each row of the tables, what it is compared with and how close it must come.

/// A bound on one row against another, or on its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// The row's id.
    pub(crate) subject: &'static str,
    /// The id of the row that it is compared with.
    pub(crate) baseline: &'static str,
    /// How close it must come.
    pub(crate) bound: Bound,
}

/// How a row is held against its baseline.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At most so many times the baseline.
    Times(f64),
    /// At most this share of the baseline: one so-manieth.
    Fraction(f64),
    /// At most so many milliseconds more than the baseline.
    Added(f64),
}

impl Bound {
    /// Whether `value` is near enough to `baseline`.
    pub(crate) fn is_met(self, value: f64, baseline: f64) -> bool {
        match self {
            Self::Times(factor) => value <= baseline * factor,
            Self::Fraction(part) => value * part <= baseline,
            Self::Added(more) => value <= baseline + more,
        }
    }

    /// How far `value` is from `baseline`, in the bound's own terms.
    pub(crate) fn distance(self, value: f64, baseline: f64) -> String {
        match self {
            Self::Fraction(_) if value < baseline => format!("1/{:.1}", baseline / value),
            Self::Times(_) | Self::Fraction(_) => format!("{:.2}x", value / baseline),
            Self::Added(_) => format!("{:+.3} ms", value - baseline),
        }
    }

    /// The bound as the tables print it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Times(factor) => format!("<= {factor}x"),
            Self::Fraction(part) => format!("<= 1/{part}"),
            Self::Added(more) => format!("<= {more:+} ms"),
        }
    }
}

const fn target(subject: &'static str, baseline: &'static str, bound: Bound) -> Target {
    Target { subject, baseline, bound }
}

/// First answers. Processor time decides; wall time is told beside it.
pub(crate) const FIRST: [Target; 18] = [
    target("rust-http/package", "rust", Bound::Times(1.5)),
    target("rust-function/package", "rust", Bound::Times(1.5)),
    target("go/package", "rust", Bound::Times(2.5)),
    target("javascript/package", "node", Bound::Fraction(10.0)),
    target("starlingmonkey/package", "node", Bound::Fraction(8.0)),
    target("python/package", "python", Bound::Fraction(5.0)),
    target("rust-http/tmp", "rust", Bound::Times(1.5)),
    target("rust-function/tmp", "rust", Bound::Times(1.5)),
    target("go/tmp", "rust", Bound::Times(2.5)),
    target("javascript/tmp", "node", Bound::Fraction(10.0)),
    target("starlingmonkey/tmp", "node", Bound::Fraction(8.0)),
    target("python/tmp", "python", Bound::Fraction(5.0)),
    target("rust-http/s3", "rust-s3", Bound::Times(1.3)),
    target("rust-function/s3", "rust-s3", Bound::Times(1.3)),
    target("go/s3", "rust", Bound::Times(4.0)),
    target("javascript/s3", "node", Bound::Fraction(6.0)),
    target("starlingmonkey/s3", "node", Bound::Fraction(3.0)),
    target("python/s3", "python", Bound::Fraction(2.0)),
];

/// Warm greetings: the median call.
pub(crate) const GREETING: [Target; 5] = [
    target("rust-http/s3", "rust", Bound::Added(0.06)),
    target("rust-function/s3", "rust", Bound::Added(0.06)),
    target("javascript/s3", "rust", Bound::Added(0.2)),
    target("starlingmonkey/s3", "rust", Bound::Added(0.5)),
    target("python/s3", "rust", Bound::Added(1.0)),
];

/// The tail of a warm greeting on a Rust component: the slowest call in a hundred against the median one.
pub(crate) const TAIL: f64 = 3.0;

/// Whether a row has a bound on its tail, too.
pub(crate) fn has_tail(targets: &[Target], subject: &str) -> bool {
    subject.starts_with("rust-") && of(targets, subject).is_some()
}

/// The warm transformation of 10 KB of JSON: the median call.
pub(crate) const TRANSFORM: [Target; 3] = [
    target("javascript/reuse", "node", Bound::Times(2.0)),
    target("starlingmonkey/reuse", "node", Bound::Times(2.0)),
    target("python/reuse", "python", Bound::Times(1.5)),
];

/// The target of `subject`, when it has one.
pub(crate) fn of<'a>(targets: &'a [Target], subject: &str) -> Option<&'a Target> {
    targets.iter().find(|target| target.subject == subject)
}

#[cfg(test)]
mod tests {
    use super::Bound;

    #[test]
    fn a_bound_is_met_up_to_its_edge() {
        let check = |bound: Bound, most: f64, text: &str, distance: &str| {
            assert!(bound.is_met(most, 10.0) && !bound.is_met(most + 0.01, 10.0), "{bound:?}");
            assert_eq!((bound.text(), bound.distance(most, 10.0)), (text.into(), distance.into()));
        };
        check(Bound::Times(1.5), 15.0, "<= 1.5x", "1.50x");
        check(Bound::Fraction(8.0), 1.25, "<= 1/8", "1/8.0");
        check(Bound::Added(0.5), 10.5, "<= +0.5 ms", "+0.500 ms");
    }
}
