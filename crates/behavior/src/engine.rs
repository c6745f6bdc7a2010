//! Chooses the response to what is seen. It reads no clock and does no I/O.

use std::time::Duration;

use rapport_vocabulary::{Advance, Emotion, ImageStamp, SteadyClock};

use super::faces::Faces;
use super::policy::{Policy, Rule};
use super::response::{Cancelled, Outcome, Outputs, Response};

/// The most faces of one image that are looked at. Whoever stands in a larger crowd is not answered
/// alone.
pub const MAX_FACES_IN_IMAGE: usize = 128;

/// For how long a robot that says itself when it is done is waited for.
pub const LONGEST_RESPONSE: Duration = Duration::from_secs(60);

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
/// function: stopping a robot in time is the task of other parts of it.
///
/// # Time
///
/// All times are counted by a [`SteadyClock`]: by the stamps of the images, and where these stand
/// still, are missing or count whole seconds, by the arrivals of the messages. Where the stamps jump
/// (back by more than 0.2 s as a recording starts over, or ahead by more than a minute),
/// expressions begin to last anew; cooldowns, the pause and a running response go on, and the jump
/// counts as much time as passed between the arrivals. A message older than the newest by up to
/// 0.2 s was overtaken on its way and is ignored.
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
    /// One for each rule of the policy, in its order.
    firings: Vec<Firings>,
    running: Option<Running>,
    /// Whether the robot says itself when a response is over.
    waits_for_robot: bool,
    /// How many responses there were.
    responses: u64,
    /// When the pause after the last response ends.
    quiet_until: Duration,
}

/// The response that is running.
#[derive(Debug)]
struct Running {
    id: String,
    /// When it ends; where the robot's word is waited for, when it may.
    until: Duration,
    /// When it ends without the robot's word; none: its word is not waited for.
    latest: Option<Duration>,
}

/// How often a rule fired, and when it last did.
#[derive(Debug, Clone, Default)]
struct Firings {
    count: usize,
    last: Option<Duration>,
}

/// What the robot is to do now, in this order. Mostly nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// The response with this id is over, as its time was.
    pub finished: Option<String>,
    /// A running response is to be cut short.
    pub cancel: Option<Cancelled>,
    /// The running response is over, one way or another: how the robot looks at rest.
    pub rest: Option<Outputs>,
    /// A response begins.
    pub response: Option<Response>,
}

/// A rule that can fire for a face.
struct Candidate<'a> {
    rule_index: usize,
    reading: &'a FaceReading<'a>,
    lasted: Duration,
}

impl Engine {
    /// An engine that has seen no faces yet.
    pub fn new(policy: Policy) -> Self {
        Engine {
            firings: vec![Firings::default(); policy.rules.len()],
            policy,
            clock: SteadyClock::default(),
            faces: Faces::default(),
            running: None,
            waits_for_robot: false,
            responses: 0,
            quiet_until: Duration::ZERO,
        }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Goes on by other rules. Expressions begin to last anew, and so do cooldowns; a running response
    /// and the pause after it go on.
    pub fn replace_policy(&mut self, policy: Policy) {
        self.firings = vec![Firings::default(); policy.rules.len()];
        self.faces = Faces::default();
        self.policy = policy;
    }

    /// Whether a response is running.
    pub fn is_responding(&self) -> bool {
        self.running.is_some()
    }

    /// How many faces are remembered, those out of view included.
    pub fn faces_remembered(&self) -> usize {
        self.faces.len()
    }

    /// Takes the faces of one image, and decides what the robot does about them.
    ///
    /// To be called for every image, also for one without faces. `image`: when the image was taken
    /// and when the message about it came. Faces beyond the first [`MAX_FACES_IN_IMAGE`] are
    /// ignored.
    pub fn observe(&mut self, image: ImageStamp, readings: &[FaceReading<'_>]) -> Decision {
        match self.clock.advance(image) {
            Advance::Overtaken => return Decision::default(),
            Advance::Jumped => self.faces.end_streaks(),
            Advance::Onward => {}
        }
        let now = self.clock.now();
        let ended = self.end_response(now);
        let readings = &readings[..readings.len().min(MAX_FACES_IN_IMAGE)];
        let chosen = self.choose(readings, now);
        self.faces.forget(&self.policy.rules, self.policy.gap, now);
        // Chosen even while the robot must be quiet: what lasts goes on lasting.
        let response =
            chosen.filter(|_| now >= self.quiet_until).map(|chosen| self.fire(&chosen, now));
        Decision { response, ..ended }
    }

    /// Ends a response in time also when no images come, once for each response.
    ///
    /// To be called a few times a second. `now` is the time on the clock of the arrivals
    /// ([`ImageStamp::arrival`]).
    pub fn tick(&mut self, now: Duration) -> Decision {
        self.end_response(self.clock.at(now))
    }

    /// Whether the robot says itself when a response is over, by [`Self::ended`]. Then a response lasts
    /// until that, `duration_secs` at least, and [`LONGEST_RESPONSE`] at most. It holds from the next
    /// response on.
    pub fn wait_for_robot(&mut self, waits: bool) {
        self.waits_for_robot = waits;
    }

    /// Takes the robot's word that the response with this id is over. `arrival`: when it came, as in
    /// [`Self::tick`]. One that is finished lasts for its `duration_secs` all the same; any other end is
    /// the end. An id that is not running is ignored.
    pub fn ended(&mut self, id: &str, outcome: Outcome, arrival: Duration) -> Decision {
        let now = self.clock.at(arrival);
        let Some(running) = self.running.as_mut().filter(|running| running.id == id) else {
            return Decision::default();
        };
        running.latest = None;
        if outcome != Outcome::Finished {
            running.until = running.until.min(now);
        }
        // The pause begins where the response ends, later or sooner than was thought.
        self.quiet_until = running.until.max(now).saturating_add(self.policy.pause);
        self.end_response(now)
    }

    /// Cuts the running response short, as a robot does that is switched off: what there is to cancel,
    /// and the outputs at rest.
    pub fn stop(&mut self, reason: &str) -> Decision {
        let Some(running) = self.running.take() else {
            return Decision::default();
        };
        let cancel = Cancelled { id: running.id, reason: reason.to_owned() };
        Decision {
            cancel: Some(cancel),
            rest: Some(self.policy.rest.clone()),
            ..Decision::default()
        }
    }

    fn end_response(&mut self, now: Duration) -> Decision {
        let is_over = |running: &Running| now >= running.latest.unwrap_or(running.until);
        let Some(running) = self.running.take_if(|running| is_over(running)) else {
            return Decision::default();
        };
        let rest = Some(self.policy.rest.clone());
        match running.latest {
            None => Decision { finished: Some(running.id), rest, ..Decision::default() },
            Some(_) => {
                let reason = format!(
                    "the robot did not say within {} s that it is done",
                    LONGEST_RESPONSE.as_secs()
                );
                let cancel = Some(Cancelled { id: running.id, reason });
                Decision { cancel, rest, ..Decision::default() }
            }
        }
    }

    /// Updates the memory of the faces in view, and returns the best of what can fire.
    fn choose<'a>(
        &mut self,
        readings: &'a [FaceReading<'a>],
        now: Duration,
    ) -> Option<Candidate<'a>> {
        let Policy { rules, gap, .. } = &self.policy;
        let mut best: Option<Candidate<'a>> = None;
        for reading in readings {
            let matched: Vec<usize> =
                (0..rules.len()).filter(|&index| matches(&rules[index], reading)).collect();
            if matched.is_empty() {
                continue;
            }
            let face = self.faces.see(reading.face_id, rules.len(), now);
            for rule_index in matched {
                let rule = &rules[rule_index];
                let lasted = face.record_match(rule_index, *gap, now);
                let candidate = Candidate { rule_index, reading, lasted };
                if lasted >= rule.lasting
                    && !face.is_in_cooldown(rule_index, rule, now)
                    && !self.firings[rule_index].is_in_cooldown(rule, now)
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
        let outputs = answer.outputs_in_turn(firings.count);
        firings.count = firings.count.wrapping_add(1);
        firings.last = Some(now);
        self.faces.record_answer(reading.face_id, rule_index, now);
        let until = now.saturating_add(answer.duration);
        let latest = self.waits_for_robot.then(|| now.saturating_add(LONGEST_RESPONSE));
        self.responses += 1;
        let id = format!("response_{}", self.responses);
        self.running = Some(Running { id: id.clone(), until, latest });
        self.quiet_until = latest.unwrap_or(until).saturating_add(self.policy.pause);
        Response {
            id,
            group: Vec::new(),
            language: None,
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
            outputs,
            intensity: answer.intensity,
            duration: answer.duration,
        }
    }
}

impl Firings {
    fn is_in_cooldown(&self, rule: &Rule, now: Duration) -> bool {
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

/// Whether a face shows what a rule is about. A confidence that is not a number matches no rule.
fn matches(rule: &Rule, reading: &FaceReading<'_>) -> bool {
    rule.emotions.contains(&reading.emotion) && reading.confidence >= rule.confidence.get()
}

#[cfg(test)]
mod tests;
