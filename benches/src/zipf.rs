//! Requests as a popular few and a long tail make them: the app of rank k is asked for in proportion to 1/k.

/// A sequence of ranks, from 0 on, that is the same in every run.
#[derive(Debug)]
pub(crate) struct Zipf {
    /// The sum of the weights up to each rank.
    sums: Vec<f64>,
    state: u64,
}

impl Zipf {
    /// Zipf's distribution over `count` ranks, with exponent 1.
    pub(crate) fn new(count: u32) -> Self {
        let sums = (1..=count).scan(0.0, |sum, rank| {
            *sum += 1.0 / f64::from(rank);
            Some(*sum)
        });
        Self { sums: sums.collect(), state: 0x9E37_79B9_7F4A_7C15 }
    }

    /// The next rank.
    pub(crate) fn next(&mut self) -> u32 {
        let point = self.random() * self.sums.last().copied().unwrap_or_default();
        let rank = self.sums.partition_point(|sum| *sum <= point);
        u32::try_from(rank.min(self.sums.len().saturating_sub(1))).unwrap_or_default()
    }

    /// A number from 0 to 1, without 1 (xorshift64*, <https://arxiv.org/abs/1402.6246>).
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
    fn random(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Zipf;

    #[test]
    fn the_first_is_asked_for_ten_times_as_often_as_the_tenth() {
        let mut zipf = Zipf::new(1000);
        let mut counts = vec![0_u32; 1000];
        for _ in 0..100_000 {
            counts[zipf.next() as usize] += 1;
        }
        // The sum of 1/k up to 1,000 is 7.49.
        assert!((12_800..13_900).contains(&counts[0]), "{}", counts[0]);
        assert!((1_150..1_550).contains(&counts[9]), "{}", counts[9]);
        assert_eq!(Zipf::new(1).next(), 0);
    }
}
