//! How well numbers agree with those that were given: valence and arousal.

use serde::Serialize;

/// The agreement of two lists of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// How many pairs there are.
    pub n: u64,
    /// Lin's concordance correlation coefficient, -1 to 1: 1 only where both are the same; a shift
    /// or another scale lowers it. `None` where neither list varies.
    pub ccc: Option<f64>,
    /// Pearson's correlation coefficient, which sees neither shift nor scale; `None` where a list
    /// does not vary.
    pub pearson: Option<f64>,
    /// The root of the mean squared difference.
    pub rmse: f64,
}

/// The agreement of pairs (given, read). Variances are divided by the number of pairs, as Lin has it
/// ("A concordance correlation coefficient to evaluate reproducibility", Biometrics 45, 1989). `None`
/// without pairs.
pub fn agreement(pairs: &[(f64, f64)]) -> Option<Agreement> {
    let sums = Moments::of(pairs.iter().map(|&(given, read)| (1.0, given, read)))?;
    Some(Agreement {
        n: pairs.len() as u64,
        ccc: sums.ccc(),
        pearson: sums.pearson(),
        rmse: (pairs.iter().map(|(a, b)| (a - b).powi(2)).sum::<f64>() / pairs.len() as f64).sqrt(),
    })
}

/// The concordance correlation coefficient of pairs (weight, given, read).
pub fn weighted_ccc(pairs: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Option<f64> {
    Moments::of(pairs)?.ccc()
}

/// A variance under this is rounding: numbers of -1 to 1 in single precision.
const NO_VARIANCE: f64 = 1e-20;

struct Moments {
    /// The difference of the means.
    shift: f64,
    variance: f64,
    other_variance: f64,
    covariance: f64,
}

impl Moments {
    fn of(pairs: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Option<Self> {
        let (mut weights, mut sum, mut other_sum) = (0.0, 0.0, 0.0);
        for (weight, a, b) in pairs.clone() {
            weights += weight;
            sum += weight * a;
            other_sum += weight * b;
        }
        if weights <= 0.0 {
            return None;
        }
        let (mean, other_mean) = (sum / weights, other_sum / weights);
        let (mut squares, mut other_squares, mut products) = (0.0, 0.0, 0.0);
        for (weight, a, b) in pairs {
            let (a, b) = (a - mean, b - other_mean);
            squares += weight * a * a;
            other_squares += weight * b * b;
            products += weight * a * b;
        }
        Some(Self {
            shift: mean - other_mean,
            variance: squares / weights,
            other_variance: other_squares / weights,
            covariance: products / weights,
        })
    }

    fn ccc(&self) -> Option<f64> {
        let varies = self.variance > NO_VARIANCE || self.other_variance > NO_VARIANCE;
        let spread = self.variance + self.other_variance + self.shift * self.shift;
        varies.then(|| 2.0 * self.covariance / spread)
    }

    fn pearson(&self) -> Option<f64> {
        let spread = (self.variance * self.other_variance).sqrt();
        (spread > NO_VARIANCE).then(|| (self.covariance / spread).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_lowers_concordance_and_not_correlation() {
        let given = [-1.0, 0.0, 1.0];
        let same: Vec<_> = given.iter().map(|&v| (v, v)).collect();
        let found = agreement(&same).unwrap();
        assert_eq!((found.ccc, found.pearson, found.rmse), (Some(1.0), Some(1.0), 0.0));
        let shifted: Vec<_> = given.iter().map(|&v| (v, v + 1.0)).collect();
        let found = agreement(&shifted).unwrap();
        // Variance 2/3 each, covariance 2/3, shift 1: (4/3) / (4/3 + 1).
        assert!((found.ccc.unwrap() - 4.0 / 7.0).abs() < 1e-12);
        assert!((found.pearson.unwrap() - 1.0).abs() < 1e-12 && found.rmse == 1.0);
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        let found = agreement(&[(0.5, 0.1), (0.5, 0.2)]).unwrap();
        assert_eq!((found.ccc, found.pearson), (Some(0.0), None));
        assert_eq!(agreement(&[(0.5, 0.5); 3]).unwrap().ccc, None);
        assert_eq!(agreement(&[]), None);
        assert_eq!(weighted_ccc([(0.0, 1.0, 1.0)].into_iter()), None);
    }

    #[test]
    fn a_weight_of_two_is_the_pair_twice() {
        let weighted = [(2.0, 0.1, 0.4), (1.0, -0.3, 0.0), (1.0, 0.9, 0.5)];
        let twice = [(0.1, 0.4), (0.1, 0.4), (-0.3, 0.0), (0.9, 0.5)];
        let (a, b) = (weighted_ccc(weighted.into_iter()), agreement(&twice).unwrap().ccc);
        assert!((a.unwrap() - b.unwrap()).abs() < 1e-12);
    }
}
