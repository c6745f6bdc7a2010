//! Summaries of figures. Every percentile and median in Rapport is one of these.

/// The index, from 0, of the figure that `percent` (0 to 100) of `count` sorted figures do not
/// exceed: the nearest rank, so that a percentile is a figure that occurred. `None` where `count` is
/// 0.
pub fn nearest_rank(count: usize, percent: f64) -> Option<usize> {
    let last = count.checked_sub(1)?;
    // In this order a whole percent of a whole number is exact.
    let rank = (percent * count as f64 / 100.0).ceil() as usize;
    Some(rank.saturating_sub(1).min(last))
}

/// The figure that `percent` (0 to 100) of all do not exceed, by [`nearest_rank`]. `sorted` ascends.
/// `None` without figures.
pub fn percentile<T: Copy>(sorted: &[T], percent: f64) -> Option<T> {
    sorted.get(nearest_rank(sorted.len(), percent)?).copied()
}

/// The figure in the middle of sorted ones, or the mean of the two there; `None` without figures.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len().checked_sub(1)? / 2;
    mean(sorted.get(middle..=sorted.len() / 2)?)
}

/// The mean; `None` without figures.
pub fn mean(figures: &[f64]) -> Option<f64> {
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_occurred() {
        let figures: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&figures, 50.0), Some(100.0));
        assert_eq!(percentile(&figures, 99.0), Some(198.0));
        assert_eq!(percentile(&figures, 100.0), Some(200.0));
        assert_eq!(percentile(&figures, 0.0), Some(1.0));
        assert_eq!(percentile(&[7], 50.0), Some(7));
        assert_eq!(percentile::<f64>(&[], 50.0), None);
    }

    #[test]
    fn a_percent_out_of_range_is_the_first_or_the_last() {
        assert_eq!(nearest_rank(10, -5.0), Some(0));
        assert_eq!(nearest_rank(10, 1e300), Some(9));
        assert_eq!(nearest_rank(10, f64::NAN), Some(0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!(median(&[0.5, 1.0, 2.0, 9.0]), Some(1.5));
        assert_eq!(median(&[0.5, 1.0, 2.0]), Some(1.0));
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }
}
