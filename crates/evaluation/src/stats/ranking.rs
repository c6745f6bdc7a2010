//! The areas under the curves of one class against the rest, for samples in which answers count more
//! than once or not at all: sorted once, swept for each sample.

/// Answers of one class by falling score.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The unit of each, whether it is the class, and whether the next has a lower score.
    answers: Vec<(u32, bool, bool)>,
}

/// Both areas; `None` where the class, or for the first the rest, does not occur.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Areas {
    /// Under the receiver operating characteristic.
    pub roc_auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
}

impl Ranking {
    /// Sorts answers, each (unit, is it the class, its score).
    pub fn of(mut answers: Vec<(u32, bool, f64)>) -> Self {
        answers.sort_by(|a, b| b.2.total_cmp(&a.2));
        let next = answers.iter().skip(1).map(|answer| Some(answer.2)).chain([None]);
        let answers = answers.iter().zip(next);
        let answers = answers
            .map(|(&(unit, is_it, score), next)| (unit, is_it, next != Some(score)))
            .collect();
        Self { answers }
    }

    /// The areas where each answer counts as often as its unit was drawn.
    pub fn areas(&self, counts: &[u32]) -> Areas {
        let (mut positives, mut negatives) = (0u64, 0u64);
        // Sums over the thresholds: pairs in the right order (those alike count half), and precision
        // for each positive.
        let (mut twice_won, mut precisions) = (0u64, 0.0);
        let (mut new_positives, mut new_negatives) = (0u64, 0u64);
        for &(unit, is_it, is_last_of_score) in &self.answers {
            let count = u64::from(counts.get(unit as usize).copied().unwrap_or_default());
            if is_it {
                new_positives += count
            } else {
                new_negatives += count
            }
            if is_last_of_score {
                twice_won += new_negatives * (2 * positives + new_positives);
                positives += new_positives;
                negatives += new_negatives;
                if new_positives > 0 {
                    let share = positives as f64 / (positives + negatives) as f64;
                    precisions += new_positives as f64 * share;
                }
                (new_positives, new_negatives) = (0, 0);
            }
        }
        let pairs = positives as f64 * negatives as f64;
        Areas {
            roc_auc: (pairs > 0.0).then(|| twice_won as f64 / (2.0 * pairs)),
            average_precision: (positives > 0).then(|| precisions / positives as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::{precision_recall_curve, roc_curve};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn areas_are_those_of_the_curves(
            answers in prop::collection::vec((any::<bool>(), 0u8..20, 0u32..4), 1..80),
        ) {
            let score = |s: u8| f64::from(s) / 19.0;
            let by_unit = answers.iter().enumerate();
            let ranking = Ranking::of(
                by_unit.map(|(unit, &(is_it, s, _))| (unit as u32, is_it, score(s))).collect(),
            );
            let counts: Vec<u32> = answers.iter().map(|(_, _, count)| *count).collect();
            let repeated: Vec<(bool, f64)> = answers
                .iter()
                .flat_map(|&(is_it, s, count)| vec![(is_it, score(s)); count as usize])
                .collect();
            let found = ranking.areas(&counts);
            let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a == b,
            };
            let roc = roc_curve(&repeated).map(|roc| roc.auc());
            let average = precision_recall_curve(&repeated).map(|pr| pr.average_precision);
            prop_assert!(close(found.roc_auc, roc), "{:?} {:?}", found, roc);
            prop_assert!(close(found.average_precision, average), "{:?} {:?}", found, average);
        }
    }
}
