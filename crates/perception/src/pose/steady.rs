//! Smoothing each head's distance and turn over time.

use std::collections::HashMap;
use std::time::Duration;

use super::solver::{Solution, norm, scaled, unit};
use super::{Head, quaternion, rotation};
use crate::track::FaceId;

/// A head that was not seen for longer than this is smoothed with nothing of before.
const FORGOTTEN: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct State {
    time: Duration,
    head: Head,
}

/// The heads in view.
#[derive(Debug, Default)]
pub struct Poses {
    heads: HashMap<FaceId, State>,
}

impl Poses {
    /// Takes a head as the image at `time` shows it and returns the smoothed one: an exponential mean
    /// of distance and turn, whose weight depends on the time passed. The direction in which the head
    /// is stays that of the image: it is exact, and a person who walks by is not left behind.
    pub fn update(
        &mut self,
        id: FaceId,
        seen: Option<Head>,
        time: Duration,
        constant: Duration,
    ) -> Option<Head> {
        let seen = seen?;
        let before = self.heads.get(&id).filter(|before| {
            let passed = time.saturating_sub(before.time);
            before.head.is_metric == seen.is_metric && passed <= FORGOTTEN
        });
        let head = before.map_or(seen, |before| {
            let passed = time.saturating_sub(before.time).as_secs_f64();
            let constant = constant.as_secs_f64();
            let weight = if constant > 0.0 { 1.0 - (-passed / constant).exp() } else { 1.0 };
            mean(&before.head, &seen, weight).unwrap_or(seen)
        });
        self.heads.insert(id, State { time, head });
        Some(head)
    }

    /// The smoothed head of the image at `now`; nothing where that showed none.
    pub fn last(&self, id: FaceId, now: Duration) -> Option<Head> {
        self.heads.get(&id).filter(|state| state.time == now).map(|state| state.head)
    }

    /// Forgets all heads but those that `known` keeps.
    pub fn retain(&mut self, known: impl Fn(FaceId) -> bool) {
        self.heads.retain(|&id, _| known(id));
    }
}

/// The one before, moved by `weight` to the new one.
fn mean(before: &Head, seen: &Head, weight: f64) -> Option<Head> {
    let (old, new) = (&before.solution, &seen.solution);
    let (from, to) = (norm(old.position_m), norm(new.position_m));
    // Of logarithms: a head twice as far and one half as far weigh the same.
    let distance = (from.ln() + weight * (to.ln() - from.ln())).exp();
    let position_m = scaled(unit(new.position_m)?, distance);
    let (a, b) = (quaternion(&old.rotation), quaternion(&new.rotation));
    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    // A turn has two quaternions; the nearer one is meant.
    let sign = if product < 0.0 { -1.0 } else { 1.0 };
    let mixed: [f64; 4] = std::array::from_fn(|i| a[i] + weight * (sign * b[i] - a[i]));
    let length = mixed.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length.is_nan() || length <= 1e-9 {
        return None;
    }
    Some(Head {
        solution: Solution {
            position_m,
            rotation: rotation(mixed.map(|value| value / length)),
            distance_std_m: new.distance_std_m * distance / to,
        },
        is_metric: seen.is_metric,
    })
}
