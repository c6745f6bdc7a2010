//! McNemar's test: whether two models are right equally often, on the same pictures.

use serde::Serialize;

/// The test and what it is made of. Only pictures on which one of the two models is right, and the
/// other is not, tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct McNemar {
    /// Pictures on which both are right.
    pub both_right: u64,
    /// Pictures on which only the first is right.
    pub only_first_right: u64,
    /// Pictures on which only the second is right.
    pub only_second_right: u64,
    /// Pictures on which both are wrong.
    pub both_wrong: u64,
    /// How often a split so uneven, or more, comes about by chance: two-sided, by the binomial
    /// distribution. 1 where no picture tells the models apart.
    pub p_exact: f64,
    /// The statistic with Edwards' correction for continuity; `None` where no picture tells the
    /// models apart.
    pub chi_squared: Option<f64>,
    /// Its probability under the chi-squared distribution of one degree of freedom: near `p_exact`
    /// from about 25 such pictures on.
    pub p_chi_squared: Option<f64>,
}

impl McNemar {
    /// Of pairs (is the first right, is the second right).
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = [[0u64; 2]; 2];
        for (first, second) in pairs {
            counts[usize::from(first)][usize::from(second)] += 1;
        }
        let [[both_wrong, only_second_right], [only_first_right, both_right]] = counts;
        let apart = only_first_right + only_second_right;
        let difference = only_first_right.abs_diff(only_second_right) as f64;
        let chi_squared = (apart > 0).then(|| (difference - 1.0).powi(2) / apart as f64);
        Self {
            both_right,
            only_first_right,
            only_second_right,
            both_wrong,
            p_exact: binomial_two_sided(only_first_right.min(only_second_right), apart),
            chi_squared,
            // The survival function for one degree of freedom.
            p_chi_squared: chi_squared.map(|value| libm::erfc((value / 2.0).sqrt())),
        }
    }
}

/// Twice the probability of at most `few` of `all` throws of a fair coin, at most 1.
fn binomial_two_sided(few: u64, all: u64) -> f64 {
    // The largest term by logarithms, as it may be too small for a number; each one before it is a
    // little less. What lies 800 below in logarithms is 0.
    let ln_choose: f64 = (1..=few).map(|i| ((all - few + i) as f64 / i as f64).ln()).sum();
    let largest = ln_choose - all as f64 * std::f64::consts::LN_2;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in (1..=few).rev() {
        term *= k as f64 / (all - k + 1) as f64;
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    (2.0 * largest.exp() * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(only_first: usize, only_second: usize) -> McNemar {
        let pairs = [vec![(true, false); only_first], vec![(false, true); only_second]].concat();
        McNemar::of(pairs.into_iter().chain([(true, true), (false, false), (false, false)]))
    }

    #[test]
    fn an_even_split_says_nothing_and_a_clear_one_much() {
        let even = of(7, 7);
        assert_eq!((even.both_right, even.both_wrong), (1, 2));
        assert_eq!(even.p_exact, 1.0);
        // 10 heads of 10: 2 / 1024.
        assert!((of(10, 0).p_exact - 2.0 / 1024.0).abs() < 1e-15);
        assert_eq!(of(0, 10).p_exact, of(10, 0).p_exact);
        let none = of(0, 0);
        assert_eq!((none.p_exact, none.chi_squared, none.p_chi_squared), (1.0, None, None));
    }

    #[test]
    fn counts_of_any_size_have_a_probability() {
        let many = of(500_000, 503_000);
        assert!((0.001..0.01).contains(&many.p_exact), "{many:?}");
        assert!((many.p_exact / many.p_chi_squared.unwrap() - 1.0).abs() < 0.01, "{many:?}");
        assert_eq!(of(100_000, 0).p_exact, 0.0);
    }
}
