//! From which confidence a label is sure at a place.
//!
//! The network's rule calls a label sure from a least confidence on: from 0.65, say. Where confidences
//! are right, a label at that limit is right in 65 of 100 cases, so the rule weighs one wrong sure
//! label like 65 / 35 = 1.86 right ones. That price is kept, and what is learnt is the confidence from
//! which it pays at this place: each sure label gains 1 where it is right, and loses the price where
//! it is wrong or there is no face.

use super::folds::{FOLDS, Groups};
use super::interval::{Interval, interval};

/// Fewer answers than this of one place say too little about it.
pub(super) const LEAST_OF_PLACE: usize = 100;
/// Thresholds that are tried, in hundredths.
const CANDIDATES: [u8; 14] = [30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95];
/// No price is higher, so that a rule that asks for certainty can still be weighed.
const HIGHEST_PRICE: f64 = 99.0;

/// A label that was reported, and what came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported {
    /// Its confidence.
    pub confidence: f32,
    /// From which confidence it is sure so far.
    pub least: f32,
    /// From which one by the network's own rule, which sets the price.
    pub rule: f32,
    /// Whether it was right.
    pub is_right: bool,
    /// How much it counts.
    pub weight: f64,
}

impl Reported {
    /// What it gains where it is sure from this confidence on.
    fn gain(&self, least: f32) -> f64 {
        let rule = f64::from(self.rule);
        match (self.confidence >= least, self.is_right) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => -(rule / (1.0 - rule)).clamp(0.0, HIGHEST_PRICE),
        }
    }
}

/// A threshold, and what it gains a label over the present one, judged on answers that it was chosen
/// without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold {
    pub least: f32,
    pub gain: Interval,
}

/// The threshold for a place; nothing where it has too few answers.
pub(super) fn threshold(labels: &[Reported], groups: &Groups) -> Option<Threshold> {
    if labels.len() < LEAST_OF_PLACE {
        return None;
    }
    let folds = groups.folds(FOLDS);
    let of_fold: Vec<f32> = (0..FOLDS)
        .map(|fold| {
            let kept = labels.iter().zip(&folds).filter(|(_, held_out)| **held_out != fold);
            best(kept.map(|(label, _)| label))
        })
        .collect();
    let gains = labels.iter().zip(&folds).zip(&groups.of_item).map(|((label, &fold), &group)| {
        let least = of_fold.get(fold).copied().unwrap_or(label.least);
        (label.gain(least) - label.gain(label.least), label.weight, group)
    });
    let gain = interval(gains)?;
    Some(Threshold { least: best(labels.iter()), gain })
}

/// The candidate that gains most; of equals, the lowest.
fn best<'a>(labels: impl Iterator<Item = &'a Reported> + Clone) -> f32 {
    let gain =
        |least: f32| -> f64 { labels.clone().map(|label| label.weight * label.gain(least)).sum() };
    let mut best = (0.0, f64::NEG_INFINITY);
    for candidate in CANDIDATES {
        let least = f32::from(candidate) / 100.0;
        let gained = gain(least);
        if gained > best.1 + 1e-9 {
            best = (least, gained);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 400 labels of each confidence, right as often as `chance` of it.
    fn place(chance: impl Fn(f32) -> f32) -> (Vec<Reported>, Groups) {
        let mut labels = Vec::new();
        for tenth in 3..10 {
            let confidence = tenth as f32 / 10.0 + 0.02;
            for number in 0..400 {
                labels.push(Reported {
                    confidence,
                    least: 0.65,
                    rule: 0.65,
                    is_right: number as f32 / 400.0 < chance(confidence),
                    weight: 1.0,
                });
            }
        }
        let count = labels.len();
        (labels, Groups { of_item: (0..count).collect(), count, are_days: false })
    }

    #[test]
    fn where_confidences_are_right_nothing_is_gained() {
        let (labels, groups) = place(|confidence| confidence);
        let found = threshold(&labels, &groups).unwrap();
        assert!((0.6..=0.7).contains(&found.least), "{found:?}");
        assert!(found.gain.lower <= 0.0, "{found:?}");
    }

    #[test]
    fn where_the_network_is_too_sure_more_is_asked() {
        let (labels, groups) = place(|confidence| confidence - 0.25);
        let found = threshold(&labels, &groups).unwrap();
        assert!(found.least > 0.8 && found.gain.lower > 0.0, "{found:?}");
        let (labels, groups) = place(|confidence| (confidence + 0.25).min(1.0));
        let found = threshold(&labels, &groups).unwrap();
        assert!(found.least < 0.5 && found.gain.lower > 0.0, "{found:?}");
        assert_eq!(threshold(&labels[..99], &groups), None);
    }
}
