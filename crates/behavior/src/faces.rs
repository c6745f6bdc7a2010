//! What is remembered of each face: for how long it has matched each rule, and when it was answered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::policy::Rule;

/// The most faces remembered. Those out of view longest are forgotten first.
pub(super) const MAX_FACES: usize = 1024;

/// The memory of all faces. Times are those of the steady clock.
#[derive(Debug, Default)]
pub(super) struct Faces {
    by_id: BTreeMap<String, Face>,
}

/// One face.
#[derive(Debug)]
pub(super) struct Face {
    last_seen: Duration,
    /// One for each rule of the policy, in its order.
    rules: Vec<RuleState>,
}

/// What one rule knows of one face.
#[derive(Debug, Clone, Default)]
struct RuleState {
    streak: Option<Streak>,
    /// When the rule last answered the face.
    answered_at: Option<Duration>,
}

/// A time in which a face matched a rule, with gaps no longer than the policy's `gap`.
#[derive(Debug, Clone)]
struct Streak {
    start: Duration,
    /// When the face last matched.
    end: Duration,
}

impl RuleState {
    /// Whether it can still change what the rule does.
    fn matters(&self, rule: &Rule, gap: Duration, now: Duration) -> bool {
        self.streak.as_ref().is_some_and(|streak| now.saturating_sub(streak.end) <= gap)
            || self.answered_at.is_some_and(|at| now.saturating_sub(at) < rule.cooldown)
    }
}

impl Face {
    /// Records that the face matches a rule now, and returns for how long it has.
    pub fn record_match(&mut self, rule: usize, gap: Duration, now: Duration) -> Duration {
        let Some(state) = self.rules.get_mut(rule) else {
            return Duration::ZERO;
        };
        let start = match &state.streak {
            Some(streak) if now.saturating_sub(streak.end) <= gap => streak.start,
            _ => now,
        };
        state.streak = Some(Streak { start, end: now });
        now.saturating_sub(start)
    }

    /// Whether the rule may not yet answer the face again.
    pub fn is_in_cooldown(&self, index: usize, rule: &Rule, now: Duration) -> bool {
        self.rules
            .get(index)
            .and_then(|state| state.answered_at)
            .is_some_and(|at| now.saturating_sub(at) < rule.cooldown)
    }
}

impl Faces {
    /// The face with an id, seen now; a new one when the id is not known.
    pub fn see(&mut self, id: &str, rule_count: usize, now: Duration) -> &mut Face {
        let face = self.by_id.entry(id.to_owned()).or_insert_with(|| Face {
            last_seen: now,
            rules: vec![RuleState::default(); rule_count],
        });
        face.last_seen = now;
        face
    }

    /// Records that a rule answers a face.
    pub fn record_answer(&mut self, id: &str, rule: usize, now: Duration) {
        if let Some(state) = self.by_id.get_mut(id).and_then(|face| face.rules.get_mut(rule)) {
            state.answered_at = Some(now);
        }
    }

    /// Ends every streak: what was seen before says nothing about now.
    pub fn end_streaks(&mut self) {
        for state in self.by_id.values_mut().flat_map(|face| &mut face.rules) {
            state.streak = None;
        }
    }

    /// Forgets the faces of which nothing matters any more, and beyond [`MAX_FACES`] those that
    /// have been out of view longest.
    pub fn forget(&mut self, rules: &[Rule], gap: Duration, now: Duration) {
        self.by_id.retain(|_, face| {
            face.rules.iter().zip(rules).any(|(state, rule)| state.matters(rule, gap, now))
        });
        let Some(excess) = self.by_id.len().checked_sub(MAX_FACES).filter(|&excess| excess > 0)
        else {
            return;
        };
        let mut by_age: Vec<(Duration, String)> =
            self.by_id.iter().map(|(id, face)| (face.last_seen, id.clone())).collect();
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
