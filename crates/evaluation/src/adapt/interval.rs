//! The mean of weighted figures with its 95 % interval, where figures of one group may be alike.

use std::collections::BTreeMap;

use serde::Serialize;

/// A mean and the interval that holds the true one in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The weighted mean.
    pub mean: f64,
    /// Its lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
    /// How many figures it rests on.
    pub n: u64,
}

/// The mean of figures, each (figure, weight, group). Its variance is that of the groups' sums around
/// the mean, so that twenty pieces of one afternoon do not count as twenty; with Student's
/// distribution, for groups may be few. Nothing with fewer than two groups.
pub(super) fn interval(
    figures: impl IntoIterator<Item = (f64, f64, usize)> + Clone,
) -> Option<Interval> {
    let (mut sum, mut weights, mut n) = (0.0, 0.0, 0);
    for (figure, weight, _) in figures.clone() {
        sum += figure * weight;
        weights += weight;
        n += 1;
    }
    let mean = sum / weights;
    let mut of_groups: BTreeMap<usize, f64> = BTreeMap::new();
    for (figure, weight, group) in figures {
        *of_groups.entry(group).or_default() += weight * (figure - mean);
    }
    let groups = of_groups.len();
    if groups < 2 || !mean.is_finite() {
        return None;
    }
    let squares: f64 = of_groups.values().map(|sum| sum * sum).sum();
    let freedom = (groups - 1) as f64;
    let deviation = (squares * groups as f64 / freedom).sqrt() / weights;
    let reach = student_975(freedom) * deviation;
    Some(Interval { mean, lower: mean - reach, upper: mean + reach, n })
}

/// What a Student-distributed figure exceeds in 2.5 of 100 cases: the first terms of its expansion
/// about the normal one (Abramowitz and Stegun 26.7.5), which is exact to 1 % from 4 degrees of
/// freedom on; below, it is taken from their table.
fn student_975(freedom: f64) -> f64 {
    const TABLE: [f64; 3] = [12.706, 4.303, 3.182];
    if let Some(value) = TABLE.get(freedom as usize - 1) {
        return *value;
    }
    let z = 1.959_964_f64;
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    z + (z3 + z) / (4.0 * freedom)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * freedom.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * freedom.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_distribution_is_that_of_the_tables() {
        for (freedom, expected) in
            [(1.0, 12.706), (4.0, 2.776), (5.0, 2.571), (10.0, 2.228), (30.0, 2.042), (1e9, 1.960)]
        {
            assert!((student_975(freedom) / expected - 1.0).abs() < 0.01, "{freedom}");
        }
    }

    #[test]
    fn one_group_counts_once() {
        // Single figures: the textbook's standard error of a mean.
        let figures = [1.0, 2.0, 3.0, 4.0, 5.0];
        let single = figures.iter().enumerate().map(|(group, &figure)| (figure, 1.0, group));
        let found = interval(single).unwrap();
        let error = (2.5f64 / 5.0).sqrt();
        assert!((found.upper - 3.0 - 2.776 * error).abs() < 0.01, "{found:?}");
        // Each figure four times in its own group says nothing more.
        let four = figures.iter().enumerate().flat_map(|(group, &f)| [(f, 1.0, group); 4]);
        let repeated = interval(four).unwrap();
        assert!((repeated.upper - found.upper).abs() < 1e-9 && repeated.n == 20);
        assert_eq!(interval([(1.0, 1.0, 0), (2.0, 1.0, 0)]), None);
        assert_eq!(interval([]), None);
    }
}
