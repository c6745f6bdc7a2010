//! What is remembered of each face: for how long each rule has held, and when it was answered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::policy::Rule;

/// The most faces remembered. A face in view is never the one that is dropped.
pub(super) const MOST_FACES: usize = 1024;

/// The memory of all faces. Times are those of the steady clock.
#[derive(Debug, Default)]
pub(super) struct Faces {
    by_id: BTreeMap<String, Face>,
}

/// One face.
#[derive(Debug)]
pub(super) struct Face {
    seen: Duration,
    /// One for each rule of the policy, in its order.
    rules: Vec<Standing>,
}

/// How one rule stands with one face.
#[derive(Debug, Clone, Default)]
struct Standing {
    streak: Option<Streak>,
    answered: Option<Duration>,
}

/// A stretch of time in which a rule held, gaps that are short enough included.
#[derive(Debug, Clone)]
struct Streak {
    since: Duration,
    last: Duration,
}

impl Standing {
    /// Whether it will ever matter again.
    fn matters(&self, rule: &Rule, gap: Duration, now: Duration) -> bool {
        self.streak.as_ref().is_some_and(|streak| now.saturating_sub(streak.last) <= gap)
            || self.answered.is_some_and(|at| now.saturating_sub(at) < rule.cooldown)
    }
}

impl Face {
    /// Notes that a rule holds for the face now, and tells for how long it has.
    pub fn hold(&mut self, rule: usize, gap: Duration, now: Duration) -> Duration {
        let Some(standing) = self.rules.get_mut(rule) else {
            return Duration::ZERO;
        };
        let since = match &standing.streak {
            Some(streak) if now.saturating_sub(streak.last) <= gap => streak.since,
            _ => now,
        };
        standing.streak = Some(Streak { since, last: now });
        now.saturating_sub(since)
    }

    /// Whether the rule may not yet answer the face again.
    pub fn cools_down(&self, index: usize, rule: &Rule, now: Duration) -> bool {
        self.rules
            .get(index)
            .and_then(|standing| standing.answered)
            .is_some_and(|at| now.saturating_sub(at) < rule.cooldown)
    }
}

impl Faces {
    /// The face with an id, seen now; a new one when the id is not known.
    pub fn see(&mut self, id: &str, rules: usize, now: Duration) -> &mut Face {
        let face = self
            .by_id
            .entry(id.to_owned())
            .or_insert_with(|| Face { seen: now, rules: vec![Standing::default(); rules] });
        face.seen = now;
        face
    }

    /// Notes that a rule answers a face.
    pub fn answer(&mut self, id: &str, rule: usize, now: Duration) {
        if let Some(standing) = self.by_id.get_mut(id).and_then(|face| face.rules.get_mut(rule)) {
            standing.answered = Some(now);
        }
    }

    /// Ends every streak: what was seen before says nothing about now.
    pub fn end_streaks(&mut self) {
        for standing in self.by_id.values_mut().flat_map(|face| &mut face.rules) {
            standing.streak = None;
        }
    }

    /// Drops the faces of which nothing matters any more, and beyond [`MOST_FACES`] those that
    /// have been out of view longest.
    pub fn forget(&mut self, rules: &[Rule], gap: Duration, now: Duration) {
        self.by_id.retain(|_, face| {
            face.rules.iter().zip(rules).any(|(standing, rule)| standing.matters(rule, gap, now))
        });
        let Some(excess) = self.by_id.len().checked_sub(MOST_FACES).filter(|&excess| excess > 0)
        else {
            return;
        };
        let mut by_age: Vec<(Duration, String)> =
            self.by_id.iter().map(|(id, face)| (face.seen, id.clone())).collect();
        by_age.sort();
        for (_, id) in by_age.into_iter().take(excess) {
            self.by_id.remove(&id);
        }
    }

    /// How many faces are remembered.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}
