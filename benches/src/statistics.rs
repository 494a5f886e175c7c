//! Medians, minima and percentiles of what was measured.

/// The smallest of `values`; zero of none.
pub(crate) fn minimum(values: &[f64]) -> f64 {
    at(values, 0.0)
}

/// The middle one of `values`; zero of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    at(values, 0.5)
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
