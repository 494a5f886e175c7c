//! Medians, minima and percentiles of what was measured, and the units that the tables print.

use std::time::Duration;

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A number of bytes in MiB.
#[expect(clippy::cast_precision_loss, reason = "nothing here has 2^52 bytes")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to 2^52")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

/// The smallest of `values`; zero of none.
pub(crate) fn minimum(values: &[f64]) -> f64 {
    at(values, 0.0)
}

/// The middle one of `values`; zero of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    at(values, 0.5)
}

/// The mean of `values`; zero of none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len().max(1))
}

/// The value that all but one in a hundred of `values` do not pass; zero of none.
pub(crate) fn p99(values: &[f64]) -> f64 {
    at(values, 0.99)
}

/// The value at `share` of the way through the sorted values: the nearest rank, never something between two.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "there are a few thousand values, and the share is between 0 and 1"
)]
fn at(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{median, minimum, p99};

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let expected = [1.0, 50.0, 99.0].map(f64::to_bits);
        assert_eq!([minimum(&values), median(&values), p99(&values)].map(f64::to_bits), expected);
        assert_eq!(p99(&[3.0, 1.0]).to_bits(), 3.0_f64.to_bits());
        assert_eq!(median(&[]).to_bits(), 0.0_f64.to_bits());
    }
}
