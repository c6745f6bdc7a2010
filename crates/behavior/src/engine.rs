//! Chooses the response to what is seen. It reads no clock and does no I/O.

use std::time::Duration;

use rapport_vocabulary::Emotion;

use super::clock::{SteadyClock, Step};
use super::faces::Faces;
use super::policy::{Policy, Rule};
use super::response::{Response, Rest};

/// The most faces of one image that are looked at; a camera that shows a robot more people than
/// this shows it a crowd.
pub const MOST_FACES_IN_IMAGE: usize = 128;

/// The expression of one face in one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceReading<'a> {
    /// Stays the same while the person stays in view.
    pub face_id: &'a str,
    /// The expression shown.
    pub emotion: Emotion,
    /// Its probability, 0 to 1.
    pub confidence: f32,
}

/// Applies a policy to the faces of one image after another.
///
/// # Which rule fires
///
/// A rule can fire for a face that shows one of its emotions with enough confidence, has done so
/// for long enough, and was not answered by the rule within its cooldowns. Of all that can, the
/// one with the highest priority fires, then the one with the highest confidence, then the first
/// in the policy, then the first in the image.
///
/// # One response at a time
///
/// A response is never cut short, whatever the priority of what comes up meanwhile: half a
/// sentence is ruder than a late one. Nor does one follow within the pause of the policy. What
/// comes up in that time is answered afterwards if it still lasts then. A policy is no safety
/// function: stopping a robot in time is the work of other parts of it.
///
/// # Time
///
/// Stamps are those of the images, on any clock. Where they jump back (a recording starts over) or
/// ahead by more than a minute, the jump counts as no time at all: expressions begin to last anew,
/// and cooldowns, the pause and a running response go on from where they were. A message older
/// than the newest by up to 0.2 s was overtaken on its way and is ignored.
///
/// # Memory
///
/// A face is forgotten when neither an expression of it lasts nor a cooldown runs; more than 1024
/// are never remembered.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    clock: SteadyClock,
    faces: Faces,
    /// Of each rule, how often it fired and when it last did.
    firings: Vec<Firings>,
    /// When the running response ends.
    running_until: Option<Duration>,
    quiet_until: Duration,
}

#[derive(Debug, Clone, Default)]
struct Firings {
    count: usize,
    last: Option<Duration>,
}

/// What the robot is to do, in this order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reaction {
    /// The running response is over: how the robot goes back to rest.
    pub rest: Option<Rest>,
    /// The response to the faces.
    pub response: Option<Response>,
}

struct Candidate<'a> {
    rule_index: usize,
    reading: &'a FaceReading<'a>,
    lasted: Duration,
}

impl Engine {
    /// An engine that has seen nobody.
    pub fn new(policy: Policy) -> Self {
        Engine {
            firings: vec![Firings::default(); policy.rules.len()],
            policy,
            clock: SteadyClock::default(),
            faces: Faces::default(),
            running_until: None,
            quiet_until: Duration::ZERO,
        }
    }

    /// The policy that is applied.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many faces are remembered, those out of view included.
    pub fn faces_remembered(&self) -> usize {
        self.faces.len()
    }

    /// Takes the faces of one image, and gives what the robot is to do about them.
    ///
    /// To be called for every image, also for one without faces. `stamp` is that of the image, as
    /// the time since any origin. Faces beyond [`MOST_FACES_IN_IMAGE`] are not looked at.
    pub fn observe(&mut self, stamp: Duration, readings: &[FaceReading<'_>]) -> Reaction {
        match self.clock.advance(stamp) {
            Step::Late => return Reaction::default(),
            Step::Jumped => self.faces.end_streaks(),
            Step::Onward => {}
        }
        let now = self.clock.now();
        let rest = self.end_response(now);
        let readings = &readings[..readings.len().min(MOST_FACES_IN_IMAGE)];
        let chosen = self.choose(readings, now);
        self.faces.forget(&self.policy.rules, self.policy.gap, now);
        // Looked at even while the robot must be quiet: what lasts goes on lasting.
        let response =
            chosen.filter(|_| now >= self.quiet_until).map(|chosen| self.fire(&chosen, now));
        Reaction { rest, response }
    }

    /// Ends a response also when no images come: tells, once for each response, that it is over.
    ///
    /// To be called a few times a second with the time now on the clock of the images, which is
    /// the stamp of the newest image and the time since it arrived. It moves no clock.
    pub fn tick(&mut self, stamp: Duration) -> Option<Rest> {
        self.end_response(self.clock.at(stamp))
    }

    fn end_response(&mut self, now: Duration) -> Option<Rest> {
        self.running_until.take_if(|until| now >= *until).map(|_| self.policy.rest.clone())
    }

    /// Ends the running response before its time, as [`Engine::tick`] does in time.
    pub fn stop(&mut self) -> Option<Rest> {
        self.running_until.take().map(|_| self.policy.rest.clone())
    }

    /// Updates the memory of the faces in view, and gives the best of what could fire.
    fn choose<'a>(
        &mut self,
        readings: &'a [FaceReading<'a>],
        now: Duration,
    ) -> Option<Candidate<'a>> {
        let Policy { rules, gap, .. } = &self.policy;
        let mut best: Option<Candidate<'a>> = None;
        for reading in readings {
            let held: Vec<usize> =
                (0..rules.len()).filter(|&index| holds(&rules[index], reading)).collect();
            if held.is_empty() {
                continue;
            }
            let face = self.faces.see(reading.face_id, rules.len(), now);
            for rule_index in held {
                let rule = &rules[rule_index];
                let lasted = face.hold(rule_index, *gap, now);
                let candidate = Candidate { rule_index, reading, lasted };
                if lasted >= rule.lasting
                    && !face.cools_down(rule_index, rule, now)
                    && !self.firings[rule_index].cools_down(rule, now)
                    && best.as_ref().is_none_or(|best| candidate.beats(best, rules))
                {
                    best = Some(candidate);
                }
            }
        }
        best
    }

    fn fire(&mut self, chosen: &Candidate<'_>, now: Duration) -> Response {
        let Candidate { rule_index, reading, lasted } = *chosen;
        let rule = &self.policy.rules[rule_index];
        let answer = &rule.answer;
        let firings = &mut self.firings[rule_index];
        let variants = answer.say.len().max(1);
        let speech = answer.say.get(firings.count % variants).cloned();
        firings.count = firings.count.wrapping_add(1);
        firings.last = Some(now);
        self.faces.answer(reading.face_id, rule_index, now);
        let until = now.saturating_add(answer.duration);
        self.running_until = Some(until);
        self.quiet_until = until.saturating_add(self.policy.pause);
        Response {
            rule: rule.name.clone(),
            face_id: reading.face_id.to_owned(),
            reason: format!(
                "{} at {:.2} for {:.1} s (rule asks {:.2} for {:.1} s)",
                reading.emotion,
                reading.confidence,
                lasted.as_secs_f64(),
                rule.confidence.get(),
                rule.lasting.as_secs_f64()
            ),
            speech,
            gesture: answer.gesture.clone(),
            light: answer.light,
            expression: answer.expression.clone(),
            intensity: answer.intensity,
            duration: answer.duration,
        }
    }
}

impl Firings {
    fn cools_down(&self, rule: &Rule, now: Duration) -> bool {
        self.last.is_some_and(|last| now.saturating_sub(last) < rule.cooldown_anyone)
    }
}

impl Candidate<'_> {
    /// Whether it is preferred to one that came before it in the order of rules or faces.
    fn beats(&self, other: &Candidate<'_>, rules: &[Rule]) -> bool {
        let (mine, others) = (&rules[self.rule_index], &rules[other.rule_index]);
        mine.priority
            .cmp(&others.priority)
            .then(self.reading.confidence.total_cmp(&other.reading.confidence))
            .then(other.rule_index.cmp(&self.rule_index))
            .is_gt()
    }
}

/// Whether a rule is about what a face shows. A confidence that is not a number holds for none.
fn holds(rule: &Rule, reading: &FaceReading<'_>) -> bool {
    rule.emotions.contains(&reading.emotion) && reading.confidence >= rule.confidence.get()
}

#[cfg(test)]
mod tests;
