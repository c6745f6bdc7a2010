//! Intervals from a bootstrap.

use rapport_vocabulary::{mean, percentile};
use serde::Serialize;

/// Of 100 samples, how many lie inside an interval.
pub const LEVEL_PERCENT: f64 = 95.0;

/// With fewer units a bootstrap's interval is far too narrow: of four pictures there are only 35
/// different samples.
pub const FEWEST_UNITS: usize = 5;

/// Of a hundred samples, in how many a figure must be defined.
const DEFINED_PERCENT: usize = 90;

/// A figure and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub estimate: f64,
    /// Where its interval begins; `None` with too few units, or where all samples are alike.
    pub lower: Option<f64>,
    /// Where its interval ends.
    pub upper: Option<f64>,
}

impl Estimate {
    /// The interval's ends, where there is one.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.lower.zip(self.upper)
    }

    /// A figure and what it is in each sample.
    pub fn of(estimate: f64, samples: &[Option<f64>]) -> Self {
        let (lower, upper) = interval(samples).unzip();
        Self { estimate, lower, upper }
    }
}

/// Shifts the samples of a figure so that their mean is the figure: for one that samples have higher
/// than all of what they are drawn from.
pub fn without_bias(estimate: f64, samples: &mut [Option<f64>]) {
    let defined: Vec<f64> = samples.iter().flatten().copied().collect();
    let bias = mean(&defined).map_or(0.0, |mean| mean - estimate);
    samples.iter_mut().flatten().for_each(|figure| *figure -= bias);
}

fn interval(samples: &[Option<f64>]) -> Option<(f64, f64)> {
    let mut defined: Vec<f64> = samples.iter().flatten().copied().collect();
    if defined.is_empty() || defined.len() * 100 < samples.len() * DEFINED_PERCENT {
        return None;
    }
    defined.sort_by(f64::total_cmp);
    let beyond = (100.0 - LEVEL_PERCENT) / 2.0;
    let ends = percentile(&defined, beyond).zip(percentile(&defined, 100.0 - beyond));
    ends.filter(|(lower, upper)| lower < upper)
}

/// How often figures so far from 0 come about where there is no difference: twice the share of
/// samples on the rarer side of 0, where the figure itself counts as one more sample. `None` where
/// the figure is not defined in enough samples.
pub fn p_value(samples: &[Option<f64>]) -> Option<f64> {
    let defined = || samples.iter().flatten();
    let all = defined().count();
    if all == 0 || all * 100 < samples.len() * DEFINED_PERCENT {
        return None;
    }
    let below = defined().filter(|figure| **figure <= 0.0).count();
    let above = defined().filter(|figure| **figure >= 0.0).count();
    Some((2.0 * (below.min(above) + 1) as f64 / (all + 1) as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_percentiles() {
        let mut samples: Vec<_> = (0..1000).rev().map(|n| Some(f64::from(n))).collect();
        let found = Estimate::of(500.0, &samples);
        assert_eq!(found.interval(), Some((24.0, 974.0)));
        // The mean of the samples is 499.5.
        without_bias(400.0, &mut samples);
        assert_eq!(Estimate::of(400.0, &samples).interval(), Some((-75.5, 874.5)));
    }

    #[test]
    fn there_is_none_where_samples_are_alike_or_undefined() {
        assert_eq!(Estimate::of(1.0, &[Some(1.0); 100]).interval(), None);
        assert_eq!(Estimate::of(1.0, &[]).interval(), None);
        let mut samples: Vec<_> = (0..100).map(|n| Some(f64::from(n))).collect();
        samples[..10].fill(None);
        assert!(Estimate::of(1.0, &samples).interval().is_some());
        samples[10] = None;
        assert!(Estimate::of(1.0, &samples).interval().is_none());
        assert_eq!(p_value(&samples), None);
    }

    #[test]
    fn a_difference_that_never_changes_sides_is_rare() {
        assert_eq!(p_value(&[Some(1.0); 999]), Some(0.002));
        assert_eq!(p_value(&[Some(0.0); 999]), Some(1.0));
        let even: Vec<_> = (0..100).map(|n| Some(f64::from(n) - 49.5)).collect();
        assert_eq!(p_value(&even), Some(1.0));
    }
}
