//! What every threshold on a class's score would give: ROC and precision-recall.

use serde::Serialize;

/// True and false positives at each distinct score, taken as the threshold, from the highest down.
struct Counts {
    true_positives: Vec<u64>,
    false_positives: Vec<u64>,
    thresholds: Vec<f64>,
}

impl Counts {
    /// Equal scores come in or stay out together, whatever their order. NaN sorts as the highest.
    fn of(scored: &[(bool, f64)]) -> Self {
        let mut sorted = scored.to_vec();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut counts =
            Self { true_positives: vec![], false_positives: vec![], thresholds: vec![] };
        let (mut true_positives, mut false_positives) = (0, 0);
        for tied in sorted.chunk_by(|a, b| a.1 == b.1) {
            for (is_positive, _) in tied {
                if *is_positive { true_positives += 1 } else { false_positives += 1 }
            }
            counts.true_positives.push(true_positives);
            counts.false_positives.push(false_positives);
            counts.thresholds.extend(tied.first().map(|(_, score)| score));
        }
        counts
    }

    /// Keeps the first and the last threshold, and of the others those that `matters` chooses by
    /// (before, at, after).
    fn keep(&mut self, matters: impl Fn(&Self, usize) -> bool) {
        let count = self.thresholds.len();
        let kept: Vec<usize> =
            (0..count).filter(|&i| i == 0 || i + 1 == count || matters(self, i)).collect();
        self.true_positives = kept.iter().map(|&i| self.true_positives[i]).collect();
        self.false_positives = kept.iter().map(|&i| self.false_positives[i]).collect();
        self.thresholds = kept.iter().map(|&i| self.thresholds[i]).collect();
    }
}

/// The receiver operating characteristic: points from (0, 0) to (1, 1).
///
/// Points in the middle of a straight line are left out, as by scikit-learn's `roc_curve` with its
/// default `drop_intermediate=True`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RocCurve {
    /// Of the others, the share at or above each threshold.
    pub fpr: Vec<f64>,
    /// Of the class, the share at or above each threshold.
    pub tpr: Vec<f64>,
    /// The thresholds, from infinity (nothing is predicted; `null` in JSON) down.
    pub thresholds: Vec<f64>,
}

/// The curve of one class against the rest, from (is it the class, its score); `None` where either
/// is absent.
pub fn roc_curve(scored: &[(bool, f64)]) -> Option<RocCurve> {
    let mut counts = Counts::of(scored);
    let (&positives, &negatives) = (counts.true_positives.last()?, counts.false_positives.last()?);
    if positives == 0 || negatives == 0 {
        return None;
    }
    let bends = |counts: &[u64], i: usize| counts[i + 1] + counts[i - 1] != 2 * counts[i];
    counts.keep(|c, i| bends(&c.false_positives, i) || bends(&c.true_positives, i));
    let shares = |counts: &[u64], all: u64| {
        let shares = counts.iter().map(|&count| count as f64 / all as f64);
        std::iter::once(0.0).chain(shares).collect()
    };
    Some(RocCurve {
        fpr: shares(&counts.false_positives, negatives),
        tpr: shares(&counts.true_positives, positives),
        thresholds: std::iter::once(f64::INFINITY).chain(counts.thresholds).collect(),
    })
}

impl RocCurve {
    /// The area under the curve: the probability that one of the class scores above one of the
    /// rest, ties counted half.
    pub fn auc(&self) -> f64 {
        let points: Vec<(f64, f64)> =
            self.fpr.iter().copied().zip(self.tpr.iter().copied()).collect();
        points.windows(2).map(|p| (p[1].0 - p[0].0) * (p[1].1 + p[0].1) / 2.0).sum()
    }
}

/// Precision over recall, from the lowest threshold (everything predicted) to (recall 0,
/// precision 1), which has no threshold.
///
/// Points between which only false positives are added are left out, as by scikit-learn's
/// `precision_recall_curve` with `drop_intermediate=True`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrecisionRecall {
    /// Of what is at or above each threshold, the share that is the class; last 1.
    pub precision: Vec<f64>,
    /// Of the class, the share that is at or above each threshold; last 0.
    pub recall: Vec<f64>,
    /// The thresholds, upwards: one fewer than points.
    pub thresholds: Vec<f64>,
    /// The mean of the precision at each threshold, weighted by the recall it adds.
    pub average_precision: f64,
}

/// The curve of one class against the rest, from (is it the class, its score); `None` where the
/// class is absent.
pub fn precision_recall_curve(scored: &[(bool, f64)]) -> Option<PrecisionRecall> {
    let mut counts = Counts::of(scored);
    let &positives = counts.true_positives.last()?;
    if positives == 0 {
        return None;
    }
    let precision_at = |c: &Counts, i: usize| {
        c.true_positives[i] as f64 / (c.true_positives[i] + c.false_positives[i]) as f64
    };
    let mut average_precision = 0.0;
    for i in 0..counts.thresholds.len() {
        let before = if i == 0 { 0 } else { counts.true_positives[i - 1] };
        let added = (counts.true_positives[i] - before) as f64 / positives as f64;
        average_precision += added * precision_at(&counts, i);
    }
    counts.keep(|c, i| {
        let tp = &c.true_positives;
        tp[i] != tp[i - 1] || tp[i + 1] != tp[i]
    });
    let points = 0..counts.thresholds.len();
    let precision = points.clone().rev().map(|i| precision_at(&counts, i));
    let recall = counts.true_positives.iter().rev().map(|&tp| tp as f64 / positives as f64);
    Some(PrecisionRecall {
        precision: precision.chain([1.0]).collect(),
        recall: recall.chain([0.0]).collect(),
        thresholds: counts.thresholds.iter().rev().copied().collect(),
        average_precision,
    })
}
