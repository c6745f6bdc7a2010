//! Summaries of sorted figures.

use std::time::Duration;

use serde::Serialize;

/// The figure that `percent` of all do not exceed (nearest rank); `None` without figures.
pub fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The figure in the middle, or the mean of the two there; `None` without figures.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len().checked_sub(1)? / 2;
    mean(sorted.get(middle..=sorted.len() / 2)?)
}

/// The mean; `None` without figures.
pub fn mean(figures: &[f64]) -> Option<f64> {
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

/// The times of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageTimes {
    /// Half of the frames within this, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of 100.
    pub p95_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
    /// All of them together, in seconds.
    pub total_secs: f64,
}

impl StageTimes {
    /// Summarises the times of all frames.
    pub fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut ms: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
        ms.sort_by(f64::total_cmp);
        Self {
            p50_ms: percentile(&ms, 50.0),
            p95_ms: percentile(&ms, 95.0),
            p99_ms: percentile(&ms, 99.0),
            total_secs: ms.iter().sum::<f64>() / 1e3,
        }
    }
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
        assert_eq!(percentile(&[7.0], 50.0), Some(7.0));
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!(median(&[0.5, 1.0, 2.0, 9.0]), Some(1.5));
        assert_eq!(median(&[0.5, 1.0, 2.0]), Some(1.0));
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }
}
