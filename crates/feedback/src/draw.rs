//! Which readings become items.
//!
//! A reviewer has little time, and learns most where the network is unsure. But whoever looks only
//! there learns nothing of how often it is right. So two lots are drawn for each reading, one blind
//! and one that wins more often the less sure the network is, and the chance that either wins is
//! written down. Divided by that chance, the answers speak of all readings (Horvitz and Thompson 1952).

use std::collections::BTreeMap;

use rapport_vocabulary::Emotion;
use serde::{Deserialize, Serialize};

use crate::error::FeedbackError;

/// The chance of the blind lot.
pub const RANDOM_SHARE: f64 = 0.25;

/// The chance of the other lot where the network is wholly unsure; it falls to 0 where it is sure.
pub const UNCERTAIN_SHARE: f64 = 0.75;

/// Which lot won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drawn {
    /// The blind one.
    Random,
    /// Only the one that prefers uncertain readings.
    Uncertain,
}

/// How unsure a distribution is, 0 to 1: 1 less the lead of the most probable label over the next.
pub fn uncertainty(probabilities: &BTreeMap<Emotion, f32>) -> f64 {
    let mut values: Vec<f64> = probabilities.values().map(|value| f64::from(*value)).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let value = |index: usize| values.get(index).copied().unwrap_or(0.0);
    let uncertainty = 1.0 - (value(0) - value(1));
    // What is no distribution is uncertain.
    if uncertainty.is_finite() { uncertainty.clamp(0.0, 1.0) } else { 1.0 }
}

/// The chance with which a reading is drawn, [`RANDOM_SHARE`] to 1.
pub fn chance(probabilities: &BTreeMap<Emotion, f32>) -> f64 {
    1.0 - (1.0 - RANDOM_SHARE) * (1.0 - UNCERTAIN_SHARE * uncertainty(probabilities))
}

/// Draws the lots of a reading: which one won, or that none did.
///
/// # Errors
/// If the operating system gives no random numbers.
pub fn draw(probabilities: &BTreeMap<Emotion, f32>) -> Result<Option<Drawn>, FeedbackError> {
    let mut random = [[0; 4]; 2];
    getrandom::fill(random.as_flattened_mut()).map_err(FeedbackError::Random)?;
    let share = |bytes| f64::from(u32::from_ne_bytes(bytes)) / 2f64.powi(32);
    Ok(draw_by(probabilities, random.map(share)))
}

/// The same with given random numbers, 0 to below 1.
pub(crate) fn draw_by(
    probabilities: &BTreeMap<Emotion, f32>,
    [blind, other]: [f64; 2],
) -> Option<Drawn> {
    if blind < RANDOM_SHARE {
        return Some(Drawn::Random);
    }
    (other < UNCERTAIN_SHARE * uncertainty(probabilities)).then_some(Drawn::Uncertain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32]) -> BTreeMap<Emotion, f32> {
        Emotion::ALL.into_iter().zip(values.iter().copied()).collect()
    }

    #[test]
    fn readings_are_drawn_as_often_as_their_chance_says() {
        fastrand::seed(19);
        for values in [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.6, 0.3, 0.1], [0.9, 0.1, 0.0]] {
            let probabilities = of(&values);
            let tries = 100_000;
            let (mut random, mut all) = (0, 0);
            for _ in 0..tries {
                let drawn = draw_by(&probabilities, [fastrand::f64(), fastrand::f64()]);
                random += u32::from(drawn == Some(Drawn::Random));
                all += u32::from(drawn.is_some());
            }
            let share = |count: u32| f64::from(count) / f64::from(tries);
            assert!((share(all) - chance(&probabilities)).abs() < 0.006, "{values:?}");
            assert!((share(random) - RANDOM_SHARE).abs() < 0.006, "{values:?}");
        }
        assert!((0..200).any(|_| draw(&of(&[0.5, 0.5])).unwrap() == Some(Drawn::Uncertain)));
    }

    #[test]
    fn what_is_no_distribution_is_uncertain() {
        for values in [&[][..], &[f32::NAN, 0.5], &[f32::INFINITY, f32::INFINITY]] {
            assert_eq!(uncertainty(&of(values)), 1.0);
        }
        assert_eq!(uncertainty(&of(&[1.0])), 0.0);
    }
}
