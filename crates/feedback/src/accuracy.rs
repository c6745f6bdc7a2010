//! How often the network is right, of all readings and not only of those that were drawn.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::item::{Answer, Item};

/// The standard normal deviate that 95 % lie within, on both sides.
const Z: f64 = 1.959_963_984_540_054;

/// With fewer answers, and of fewer visits, no share is given.
pub const LEAST_ANSWERS: u64 = 10;

/// A share of all readings, estimated from the answers, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Share {
    /// Answers it rests on.
    pub n: u64,
    /// Visits that these come from.
    pub visits: u64,
    /// The estimate, 0 to 1.
    pub share: f64,
    /// Lower end of the 95 % interval, 0 to 1.
    pub low: f64,
    /// Upper end of the 95 % interval, 0 to 1.
    pub high: f64,
}

/// What the answers say of all readings of people who consented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Accuracy {
    /// How often the expression that was shown is the one that the reviewer sees, where one could
    /// tell. Nothing with fewer than ten answers of ten visits.
    pub right: Option<Share>,
    /// The same where the network was sure.
    pub right_where_sure: Option<Share>,
    /// How often one cannot tell.
    pub cant_tell: Option<Share>,
    /// How often it is no face.
    pub not_a_face: Option<Share>,
}

impl Accuracy {
    /// The estimates from items that are answered; others are left out.
    pub fn of<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let (mut right, mut sure) = (Estimate::default(), Estimate::default());
        let (mut cant_tell, mut not_a_face) = (Estimate::default(), Estimate::default());
        for item in items {
            let Some(answer) = item.answer else { continue };
            let add = |estimate: &mut Estimate, hit| estimate.add(item.visit, item.chance, hit);
            if let Some(emotion) = answer.emotion() {
                add(&mut right, emotion == item.reading.shown);
                if item.reading.sure {
                    add(&mut sure, emotion == item.reading.shown);
                }
            }
            add(&mut cant_tell, answer == Answer::CantTell);
            add(&mut not_a_face, answer == Answer::NotAFace);
        }
        Self {
            right: right.share(),
            right_where_sure: sure.share(),
            cant_tell: cant_tell.share(),
            not_a_face: not_a_face.share(),
        }
    }
}

/// Sums for one share.
#[derive(Debug, Clone, Default)]
struct Estimate {
    n: u64,
    /// Of each visit: the sum of the weights, and of those of the hits.
    visits: BTreeMap<u64, (f64, f64)>,
}

impl Estimate {
    fn add(&mut self, visit: u64, chance: f64, is_hit: bool) {
        // A file of another program may hold anything.
        if !(chance > 0.0 && chance <= 1.0) {
            return;
        }
        let weight = 1.0 / chance;
        let (all, hits) = self.visits.entry(visit).or_default();
        *all += weight;
        *hits += if is_hit { weight } else { 0.0 };
        self.n += 1;
    }

    /// The ratio of two Horvitz-Thompson sums (Hajek 1971). People differ, and the readings of one
    /// visit are alike: so the variance is that between visits (ultimate clusters, Kalton 1979),
    /// linearised. The interval is Wilson's with the number of readings that would be as certain if
    /// they were drawn alone (Korn and Graubard 1998): it stays within 0 and 1.
    fn share(&self) -> Option<Share> {
        let visits = self.visits.len() as f64;
        if self.n < LEAST_ANSWERS || visits < LEAST_ANSWERS as f64 {
            return None;
        }
        let total: f64 = self.visits.values().map(|(all, _)| all).sum();
        let hits: f64 = self.visits.values().map(|(_, hits)| hits).sum();
        let share = (hits / total).clamp(0.0, 1.0);
        let square = |value: f64| value * value;
        let squares: f64 = self.visits.values().map(|(all, hits)| square(hits - share * all)).sum();
        let variance = visits / (visits - 1.0) * squares / square(total);
        // Where all agree nothing varies: then the visits count, the long ones no more than others.
        let spread: f64 = self.visits.values().map(|(all, _)| square(*all)).sum();
        let alone = square(total) / spread;
        let effective = match share * (1.0 - share) / variance {
            n if variance > 0.0 && n.is_finite() => n.min(self.n as f64),
            _ => alone,
        };
        // Few visits tell little of how much visits vary.
        let z = student(visits - 1.0);
        let (low, high) = wilson(share, effective, z);
        Some(Share { n: self.n, visits: self.visits.len() as u64, share, low, high })
    }
}

/// The score interval of Wilson (1927) for a share of `n`.
fn wilson(share: f64, n: f64, z: f64) -> (f64, f64) {
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // Rounding must not put the ends beside 0 and 1, where they lie exactly.
    let low = if share <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if share >= 1.0 { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// The deviate that 95 % of Student's distribution lie within (Abramowitz and Stegun 26.7.5).
fn student(freedom: f64) -> f64 {
    let terms = [
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom) + Z
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{chance, draw_by};
    use rapport_vocabulary::Emotion;

    /// A reading of somebody: how sure the network is, and whether it is right.
    fn reading(skill: f64) -> (BTreeMap<Emotion, f32>, bool) {
        // Most readings are sure, as those of a real network.
        let lead = 1.0 - fastrand::f64().powi(3);
        let top = 0.5 + lead / 2.0;
        let probabilities = [(Emotion::Happy, top as f32), (Emotion::Neutral, (1.0 - top) as f32)];
        // The less sure, the less right; it is not as right as it says.
        let is_right = fastrand::f64() < (top - 0.12 + skill).clamp(0.0, 1.0);
        (probabilities.into_iter().collect(), is_right)
    }

    /// The truth over all readings, the estimate from those drawn, and the share of right answers
    /// among those drawn.
    fn simulate(people: u64, fewer_answers: f64) -> (f64, Share, f64) {
        let mut estimate = Estimate::default();
        let (mut readings, mut rights, mut drawn_rights) = (0.0, 0.0, 0.0);
        for visit in 0..people {
            // Some are read better than others, and some stay longer.
            let skill = (fastrand::f64() - 0.5) * 0.3;
            for _ in 0..fastrand::u32(2..14) {
                let (probabilities, is_right) = reading(skill);
                readings += 1.0;
                rights += f64::from(is_right);
                let drawn = draw_by(&probabilities, [fastrand::f64(), fastrand::f64()]);
                // The reviewer gets to some of them, in an order that tells nothing.
                if drawn.is_some() && fastrand::f64() < fewer_answers {
                    estimate.add(visit, chance(&probabilities), is_right);
                    drawn_rights += f64::from(is_right);
                }
            }
        }
        let naive = drawn_rights / estimate.n as f64;
        (rights / readings, estimate.share().unwrap(), naive)
    }

    /// The bar of the issue: an unbiased accuracy with its interval.
    #[test]
    fn the_estimate_is_unbiased_and_its_interval_covers_the_truth() {
        fastrand::seed(1971);
        // What holds on average over everybody who could come.
        let truth = {
            let all = (0..400).map(|_| simulate(200, 1.0).0);
            all.sum::<f64>() / 400.0
        };
        for (people, answered) in [(60, 1.0), (60, 0.5), (25, 1.0)] {
            let runs = 2000;
            let (mut mean, mut naive, mut covered, mut width) = (0.0, 0.0, 0, 0.0);
            for _ in 0..runs {
                let (_, found, of_drawn) = simulate(people, answered);
                mean += found.share / f64::from(runs);
                naive += of_drawn / f64::from(runs);
                covered += u32::from(found.low <= truth && truth <= found.high);
                width += (found.high - found.low) / f64::from(runs);
            }
            let covered = f64::from(covered) / f64::from(runs);
            println!(
                "{people} people, {answered:.1} answered: truth {truth:.4}, estimate {mean:.4}, \
                 of those drawn {naive:.4}, interval covers {covered:.3}, is {width:.3} wide"
            );
            assert!((mean - truth).abs() < 0.003, "estimate {mean}, truth {truth}");
            assert!(naive < truth - 0.02, "without weights {naive}, truth {truth}");
            assert!((0.935..=0.985).contains(&covered), "{covered} of the intervals cover");
        }
    }

    /// With equal chances and one reading a visit it is a plain share with Wilson's interval
    /// (Newcombe 1998, table I, method 3), wider by Student's deviate.
    #[test]
    fn equal_chances_give_the_plain_share() {
        let mut estimate = Estimate::default();
        (0..263).for_each(|visit| estimate.add(visit, 0.25, visit < 81));
        let found = estimate.share().unwrap();
        assert!((found.share - 81.0 / 263.0).abs() < 1e-12);
        assert!(
            (found.low - 0.2553).abs() < 1e-3 && (found.high - 0.3662).abs() < 1e-3,
            "{found:?}"
        );
        assert_eq!((found.n, found.visits), (263, 263));
    }

    #[test]
    fn few_answers_give_no_share_and_certain_ones_no_certainty() {
        let of = |n: u64, per_visit: u64| {
            let mut estimate = Estimate::default();
            (0..n).for_each(|reading| estimate.add(reading / per_visit, 0.5, true));
            estimate.share()
        };
        assert_eq!(of(9, 1), None);
        assert_eq!(of(100, 50), None);
        let found = of(20, 2).unwrap();
        assert!(found.share == 1.0 && found.high == 1.0, "{found:?}");
        assert!(found.low < 0.75, "ten visits that agree are no proof: {found:?}");
        let mut estimate = Estimate::default();
        for chance in [0.0, -1.0, f64::NAN, 2.0] {
            estimate.add(1, chance, true);
        }
        assert_eq!(estimate.n, 0);
    }
}
