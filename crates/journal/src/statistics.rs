//! Rates, means and their differences, each with an interval that covers the truth 95 times in 100
//! where visits are independent of each other. People who come as a group are not, so the real
//! uncertainty is somewhat larger.

use std::ops::AddAssign;

use serde::Serialize;

/// The standard normal deviate that 95 % lie within, on both sides.
const Z: f64 = 1.959_963_984_540_054;

/// A sum over visits, from which mean and variance follow.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) n: u64,
    pub(crate) sum: f64,
    pub(crate) squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, value: f64) {
        self.n += 1;
        self.sum += value;
        self.squares += value * value;
    }

    /// `None` for fewer than two values.
    fn mean_and_variance(self) -> Option<(f64, f64)> {
        let n = self.n as f64;
        let mean = self.sum / n;
        (self.n >= 2).then(|| (mean, ((self.squares - n * mean * mean) / (n - 1.0)).max(0.0)))
    }
}

impl AddAssign for Moments {
    fn add_assign(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) n: u64,
    pub(crate) hits: u64,
}

impl Count {
    pub(crate) fn add(&mut self, is_hit: bool) {
        self.n += 1;
        self.hits += u64::from(is_hit);
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.n += other.n;
        self.hits += other.hits;
    }
}

/// A share of visits (or ratings) with Wilson's interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rate {
    /// Visits it rests on.
    pub n: u64,
    /// How many of them.
    pub count: u64,
    /// `count / n`, 0 to 1.
    pub rate: f64,
    /// Lower end of the 95 % interval, 0 to 1.
    pub low: f64,
    /// Upper end of the 95 % interval, 0 to 1.
    pub high: f64,
}

impl Rate {
    /// The share of `count` among `n`, with the score interval of Wilson (1927), which stays
    /// within 0 and 1 and is useful where few or all of them do. `None` where `n` is 0 or less
    /// than `count`.
    pub fn of(count: u64, n: u64) -> Option<Self> {
        if n == 0 || count > n {
            return None;
        }
        let (total, rate) = (n as f64, count as f64 / n as f64);
        let shrink = 1.0 + Z * Z / total;
        let centre = (rate + Z * Z / (2.0 * total)) / shrink;
        let half =
            Z / shrink * (rate * (1.0 - rate) / total + Z * Z / (4.0 * total * total)).sqrt();
        // Rounding must not put the ends beside 0 and 1, where they lie exactly.
        let low = if count == 0 { 0.0 } else { centre - half };
        let high = if count == n { 1.0 } else { centre + half };
        Some(Self { n, count, rate, low, high })
    }

    pub(crate) fn of_count(count: Count) -> Option<Self> {
        Self::of(count.hits, count.n)
    }
}

/// A mean over visits (or ratings) with Student's interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Mean {
    /// Visits it rests on.
    pub n: u64,
    /// The mean, in the unit of the figure.
    pub mean: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

impl Mean {
    pub(crate) fn of(moments: Moments) -> Option<Self> {
        let (mean, variance) = moments.mean_and_variance()?;
        let n = moments.n as f64;
        let half = student(n - 1.0) * (variance / n).sqrt();
        Some(Self { n: moments.n, mean, low: mean - half, high: mean + half })
    }
}

/// After minus before, with a 95 % interval. Where the interval holds 0, no difference is shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Difference {
    /// After minus before, in the unit of the figure; of rates, -1 to 1.
    pub difference: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Difference {
    /// Of two independent rates: Newcombe's interval from two Wilson intervals (1998, method 10).
    pub fn of_rates(before: &Rate, after: &Rate) -> Self {
        let difference = after.rate - before.rate;
        let below = (after.rate - after.low).hypot(before.high - before.rate);
        let above = (after.high - after.rate).hypot(before.rate - before.low);
        Self { difference, low: difference - below, high: difference + above }
    }

    /// Of two independent means: Welch's interval. `None` for fewer than two values on a side.
    pub(crate) fn of_means(before: Moments, after: Moments) -> Option<Self> {
        let ((mean_0, variance_0), (mean_1, variance_1)) =
            (before.mean_and_variance()?, after.mean_and_variance()?);
        let (n_0, n_1) = (before.n as f64, after.n as f64);
        let (error_0, error_1) = (variance_0 / n_0, variance_1 / n_1);
        let error = error_0 + error_1;
        let freedom =
            error * error / (error_0 * error_0 / (n_0 - 1.0) + error_1 * error_1 / (n_1 - 1.0));
        // Without any variance there is no error either.
        let half = if error > 0.0 { student(freedom) * error.sqrt() } else { 0.0 };
        let difference = mean_1 - mean_0;
        Some(Self { difference, low: difference - half, high: difference + half })
    }

    /// Whether the interval leaves out 0.
    pub fn is_shown(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The deviate that 95 % of Student's distribution lie within: the expansion of Abramowitz and
/// Stegun 26.7.5, right to three digits from 8 degrees of freedom.
fn student(freedom: f64) -> f64 {
    let terms = [
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom) + Z
}

/// The value that 95 % of a chi-squared distribution lie below (Wilson and Hilferty 1931).
pub(crate) fn chi_squared_95(freedom: f64) -> f64 {
    const ONE_SIDED: f64 = 1.644_853_626_951_473;
    let spread = 2.0 / (9.0 * freedom);
    freedom * (1.0 - spread + ONE_SIDED * spread.sqrt()).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found}, expected {expected}");
    }

    /// Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I,
    /// method 3.
    #[test]
    fn wilson_intervals_are_those_of_the_literature() {
        for (count, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let rate = Rate::of(count, n).unwrap();
            near(rate.low, low, 5e-5);
            near(rate.high, high, 5e-5);
            // The interval of the opposite is the opposite interval.
            let rest = Rate::of(n - count, n).unwrap();
            near(rest.low, 1.0 - rate.high, 1e-12);
            near(rest.high, 1.0 - rate.low, 1e-12);
        }
        assert_eq!(Rate::of(0, 0), None);
        assert_eq!(Rate::of(3, 2), None);
    }

    /// Newcombe, "Interval estimation for the difference between independent proportions"
    /// (1998), table II, method 10: 56/70 against 48/80, 9/10 against 3/10.
    #[test]
    fn differences_of_rates_are_those_of_the_literature() {
        for (a, b, low, high) in
            [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090)]
        {
            let (after, before) = (Rate::of(a.0, a.1).unwrap(), Rate::of(b.0, b.1).unwrap());
            let found = Difference::of_rates(&before, &after);
            near(found.low, low, 5e-5);
            near(found.high, high, 5e-5);
            assert!(found.is_shown());
        }
    }

    #[test]
    fn tables_of_student_and_chi_squared() {
        for (freedom, expected) in [(9.0, 2.262), (15.0, 2.131), (30.0, 2.042), (1e9, 1.960)] {
            near(student(freedom), expected, 1e-3);
        }
        for (freedom, expected) in [(7.0, 14.067), (9.0, 16.919), (30.0, 43.773)] {
            near(chi_squared_95(freedom), expected, 0.03);
        }
    }

    #[test]
    fn a_mean_has_the_interval_of_its_sample() {
        let of = |values: &[f64]| {
            let mut moments = Moments::default();
            values.iter().for_each(|&value| moments.add(value));
            moments
        };
        let sample = of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        let mean = Mean::of(sample).unwrap();
        // 5.5 +- 2.2622 * 3.02765 / sqrt(10)
        near(mean.low, 3.3341, 2e-3);
        near(mean.high, 7.6659, 2e-3);
        assert_eq!(Mean::of(of(&[1.0])), None);
        let same = Difference::of_means(sample, sample).unwrap();
        assert!(same.difference == 0.0 && !same.is_shown());
        let constant = Difference::of_means(of(&[1.0, 1.0]), of(&[2.0, 2.0])).unwrap();
        assert_eq!((constant.low, constant.high), (1.0, 1.0));
    }
}
