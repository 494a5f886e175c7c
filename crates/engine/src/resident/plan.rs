//! Which gaps between runs of written pages are worth closing.

use std::ops::Range;

/// The gaps between `runs` of pages, of which the first `most` pages are kept in any case, that have to be closed for no
/// more than `left` runs to remain: the smallest, as far as all kept pages together are no more than `most`.
pub(super) fn gaps(runs: &[Range<u64>], left: usize, most: u64) -> Vec<Range<u64>> {
    let length = |range: &Range<u64>| range.end - range.start;
    let mut gaps: Vec<Range<u64>> =
        runs.iter().zip(runs.iter().skip(1)).map(|(one, next)| one.end..next.start).collect();
    gaps.sort_by_key(length);
    gaps.truncate(runs.len().saturating_sub(left));
    let mut kept: u64 = runs.iter().map(length).sum();
    let affordable = gaps.iter().take_while(|gap| {
        kept += length(gap);
        kept <= most
    });
    let affordable = affordable.count();
    gaps.truncate(affordable);
    gaps
}

#[cfg(test)]
mod tests {
    use super::gaps;

    #[test]
    fn the_smallest_gaps_are_closed_until_few_runs_are_left() {
        let runs = [0..2, 10..11, 13..14, 20..21, 21 + 100..130];
        assert_eq!(gaps(&runs, 5, 1000), []);
        assert_eq!(gaps(&runs, 3, 1000), [11..13, 14..20]);
        assert_eq!(gaps(&runs, 2, 1000), [11..13, 14..20, 2..10]);
        assert_eq!(gaps(&runs, 1, 1000).len(), 4);
        assert_eq!(gaps(&[], 1, 1000), []);
    }

    #[test]
    fn no_more_pages_are_kept_than_the_pool_sets_back() {
        // Four pages are written, and the gaps are of two and three.
        let runs = [0..2, 4..5, 8..9];
        assert_eq!(gaps(&runs, 1, 9), [2..4, 5..8]);
        assert_eq!(gaps(&runs, 1, 8).first(), Some(&(2..4)));
        assert_eq!(gaps(&runs, 1, 8).len(), 1);
        assert_eq!(gaps(&runs, 1, 5), []);
    }
}
