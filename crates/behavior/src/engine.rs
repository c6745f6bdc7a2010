//! Chooses the response to what is seen. It reads no clock and does no I/O.

use std::collections::BTreeSet;
use std::time::Duration;

use rapport_vocabulary::{Advance, Emotion, Engagement, ImageStamp, SteadyClock};

use super::condition::{Event, Missing, Scene, StateValue, States, clock};
use super::manners::{HeldBack, LastHour};
use super::people::{Party, People};
use super::policy::{Policy, Rule};
use super::response::{Cancelled, Outcome, Outputs, Response};
use super::staff::{Desk, StaffRequest};

/// The most faces of one image that are looked at. Whoever stands in a larger crowd is not answered
/// alone.
pub const MAX_FACES_IN_IMAGE: usize = 128;

/// For how long a robot that says itself when it is done is waited for.
pub const LONGEST_RESPONSE: Duration = Duration::from_secs(60);

/// One face in one image: the expression shown, and how its owner stands to the robot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceReading<'a> {
    /// Stays the same while the person stays in view.
    pub face_id: &'a str,
    /// The expression shown.
    pub emotion: Emotion,
    /// Its probability, 0 to 1.
    pub confidence: f32,
    /// Whether the network is sure of it.
    pub sure: bool,
    /// How pleasant the expression shown is, -1 to 1. NaN: unknown.
    pub valence: f32,
    /// How activated the expression shown is, -1 to 1. NaN: unknown.
    pub arousal: f32,
    /// Whether the person attends to the robot; nothing where that is unknown.
    pub engagement: Option<Engagement>,
    /// The head in the camera's optical frame, in metres; nothing where that is unknown.
    pub position_m: Option<[f32; 3]>,
    /// Where the face is in the image; nothing where that is unknown.
    pub face_box: Option<FaceBox>,
}

impl<'a> FaceReading<'a> {
    /// A reading of which nothing but the expression is known.
    pub fn new(face_id: &'a str, emotion: Emotion, confidence: f32) -> Self {
        Self {
            face_id,
            emotion,
            confidence,
            sure: false,
            valence: f32::NAN,
            arousal: f32::NAN,
            engagement: None,
            position_m: None,
            face_box: None,
        }
    }
}

/// The box around a face, in pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceBox {
    x_px: f32,
    y_px: f32,
    /// More than 0.
    pub(super) width_px: f32,
    /// Whether it is so near to the left or right edge of the image that its owner may walk out of it.
    pub(super) is_at_edge: bool,
}

impl FaceBox {
    /// A box by its corner and size in pixels; none where it has no width.
    pub fn new(left_px: f32, top_px: f32, width_px: f32, height_px: f32) -> Option<Self> {
        let (x_px, y_px) = (left_px + width_px / 2.0, top_px + height_px / 2.0);
        let is_box = x_px.is_finite() && y_px.is_finite() && width_px.is_normal() && width_px > 0.0;
        is_box.then_some(Self { x_px, y_px, width_px, is_at_edge: false })
    }

    /// The same box in an image of this width: within its own width of the left or right edge, who is
    /// lost has left. Where this is not told, nobody leaves by an edge.
    pub fn in_image(self, image_width_px: u32) -> Self {
        let to_edge_px = self.x_px.min(image_width_px as f32 - self.x_px);
        Self { is_at_edge: image_width_px > 0 && to_edge_px < self.width_px, ..self }
    }

    /// From the middle of one to that of the other, in pixels.
    pub(super) fn apart_px(&self, other: &Self) -> f64 {
        f64::from(self.x_px - other.x_px).hypot(f64::from(self.y_px - other.y_px))
    }

    /// How many times as wide the wider one is.
    pub(super) fn ratio(&self, other: &Self) -> f32 {
        self.width_px.max(other.width_px) / self.width_px.min(other.width_px)
    }
}

/// Applies a policy to the faces of one image after another.
///
/// # Which rule fires
///
/// A rule can fire for a person for whom all its conditions hold, have held for long enough, and
/// whose group was not answered by the rule within its cooldowns. Of all that can, the one with the
/// highest priority fires, then the one with the highest confidence, then the first in the policy,
/// then the first in the image. Then the manners of the policy decide whether anybody is answered
/// now. What a group or person is, the types in `people` say.
///
/// # One response at a time
///
/// A response is never cut short by another, whatever the priority of what comes up meanwhile: half
/// a sentence is ruder than a late one. Nor does one follow within the pause of the policy. What
/// comes up in that time is answered afterwards if it still lasts then. Only a request to the staff
/// of higher priority cuts a response short. A policy is no safety function: stopping a robot in time
/// is the task of other parts of it.
///
/// # Time
///
/// All times are counted by a [`SteadyClock`]: by the stamps of the images, and where these stand
/// still, are missing or count whole seconds, by the arrivals of the messages. Where the stamps jump
/// (back by more than 0.2 s as a recording starts over, or ahead by more than a minute),
/// expressions begin to last anew; cooldowns, the pause and a running response go on, and the jump
/// counts as much time as passed between the arrivals. A message older than the newest by up to
/// 0.2 s was overtaken on its way and is ignored. The hour of the day is told by
/// [`Engine::set_hour`].
///
/// # Memory
///
/// A face is forgotten when its visit is over and no cooldown or limit looks back on it; more than
/// 1024 are never remembered.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    clock: SteadyClock,
    people: People,
    /// One for each rule of the policy, in its order.
    firings: Vec<Firings>,
    running: Option<Running>,
    /// Whether the robot says itself when a response is over.
    waits_for_robot: bool,
    /// How many responses there were.
    responses: u64,
    /// When the pause after the last response ends.
    quiet_until: Duration,
    answers: LastHour,
    desk: Desk,
    hour: Option<f64>,
    states: States,
    language: String,
    explains: bool,
    judgements: Vec<Judgement>,
}

/// The response that is running.
#[derive(Debug)]
struct Running {
    id: String,
    priority: i32,
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
    /// Staff is asked to come.
    pub staff: Option<StaffRequest>,
    /// A response begins.
    pub response: Option<Response>,
}

/// What became of one rule for one face in one image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// The rule's place in the policy.
    pub rule_index: usize,
    /// The face.
    pub face_id: String,
    /// The conditions that do not hold; empty: all do.
    pub missing: Vec<Missing>,
    /// Why it does not fire though all conditions hold; none: it fires.
    pub held: Option<HeldBack>,
}

/// A rule whose conditions hold for a face.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    rule_index: usize,
    face_id: &'a str,
    confidence: f32,
    lasted: Duration,
    /// Where its judgement is, if judgements are kept.
    judgement: Option<usize>,
}

impl Engine {
    /// An engine that has seen no faces yet.
    pub fn new(policy: Policy) -> Self {
        Engine {
            firings: vec![Firings::default(); policy.rules.len()],
            policy,
            clock: SteadyClock::default(),
            people: People::default(),
            running: None,
            waits_for_robot: false,
            responses: 0,
            quiet_until: Duration::ZERO,
            answers: LastHour::default(),
            desk: Desk::default(),
            hour: None,
            states: States::new(),
            language: String::new(),
            explains: false,
            judgements: Vec::new(),
        }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Goes on by other rules. Expressions begin to last anew. A running response, the pause after it,
    /// visits and what an hour had of answers go on, and so do the cooldowns of a rule that keeps its
    /// name.
    pub fn replace_policy(&mut self, policy: Policy) {
        let before = |rule: &Rule| self.policy.rules.iter().position(|old| old.name == rule.name);
        let kept: Vec<Option<usize>> = policy.rules.iter().map(before).collect();
        self.people.use_rules(&kept);
        self.firings = kept
            .iter()
            .map(|index| index.and_then(|index| self.firings.get(index).cloned()))
            .map(Option::unwrap_or_default)
            .collect();
        self.states.retain(|name, _| policy.states.contains_key(name));
        self.policy = policy;
    }

    /// The hour of the day where the robot is, 0 to 24; none: unknown. Rules and manners about hours
    /// do not hold where it is unknown.
    pub fn set_hour(&mut self, hour: Option<f64>) {
        self.hour = hour.filter(|hour| (0.0..=24.0).contains(hour));
    }

    /// What a state of the robot is now. A state that the policy does not name is ignored.
    pub fn set_state(&mut self, name: &str, value: StateValue) {
        if self.policy.states.contains_key(name) {
            self.states.insert(name.to_owned(), value);
        }
    }

    /// The states that the policy names and nobody has told yet.
    pub fn unknown_states(&self) -> impl Iterator<Item = &str> {
        let names = self.policy.states.keys().map(String::as_str);
        names.filter(|name| !self.states.contains_key(*name))
    }

    /// The language to speak, as BCP 47 has it. Empty: the first of each text.
    pub fn set_language(&mut self, language: &str) {
        self.language = language.to_owned();
    }

    /// Whether [`Self::judgements`] are kept.
    pub fn explain(&mut self, explains: bool) {
        self.explains = explains;
        self.judgements.clear();
    }

    /// What became of each rule for each face of the newest image.
    pub fn judgements(&self) -> &[Judgement] {
        &self.judgements
    }

    /// The time counted from the first image to the newest.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Whether a response is running.
    pub fn is_responding(&self) -> bool {
        self.running.is_some()
    }

    /// How many faces are remembered, those out of view included.
    pub fn faces_remembered(&self) -> usize {
        self.people.len()
    }

    /// The requests to the staff that nobody has acknowledged.
    pub fn staff_requests(&self) -> &[StaffRequest] {
        self.desk.open()
    }

    /// Closes all open requests to the staff and returns them, acknowledged.
    pub fn acknowledge_staff(&mut self) -> Vec<StaffRequest> {
        self.desk.acknowledge()
    }

    /// Takes the faces of one image, and decides what the robot does about them.
    ///
    /// To be called for every image, also for one without faces. `image`: when the image was taken
    /// and when the message about it came. Faces beyond the first [`MAX_FACES_IN_IMAGE`] are
    /// ignored, and so is an id that comes twice.
    pub fn observe(&mut self, image: ImageStamp, readings: &[FaceReading<'_>]) -> Decision {
        self.take(image, readings, true)
    }

    /// Remembers the faces of one image and answers nobody, as a robot does that is switched off: who
    /// was greeted before is not greeted again when it is switched on.
    pub fn watch(&mut self, image: ImageStamp, readings: &[FaceReading<'_>]) {
        self.take(image, readings, false);
    }

    fn take(&mut self, image: ImageStamp, readings: &[FaceReading<'_>], is_on: bool) -> Decision {
        self.judgements.clear();
        match self.clock.advance(image) {
            Advance::Overtaken => return Decision::default(),
            Advance::Jumped => self.people.end_streaks(),
            Advance::Onward => {}
        }
        let now = self.clock.now();
        let mut decision = self.end_response(now);
        let mut known = BTreeSet::new();
        let readings: Vec<FaceReading<'_>> = readings
            .iter()
            .take(MAX_FACES_IN_IMAGE)
            .filter(|reading| known.insert(reading.face_id))
            .copied()
            .collect();
        self.people.see(&readings, &self.policy, now);
        let left = match self.policy.rules.iter().any(|rule| rule.when.event == Some(Event::Leaves))
        {
            true => self.people.left(LONGEST_RESPONSE, now),
            false => Vec::new(),
        };
        let mut ids: Vec<&str> = readings.iter().map(|reading| reading.face_id).collect();
        let in_view = ids.len();
        ids.extend(left.iter().map(String::as_str));
        let candidates = self.candidates(&ids, in_view, now);
        if is_on {
            self.call_staff(&candidates, now, &mut decision);
        }
        let held = if is_on { self.holds_all(now) } else { Some(HeldBack::Off) };
        // Judged even while the robot must be quiet: what lasts goes on lasting.
        if let Some(chosen) = self.best(&candidates, now, held) {
            decision.response = Some(self.fire(chosen, now));
        }
        self.people.forget(&self.policy, now);
        decision
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
        let cancel = Some(Cancelled { id: running.id, reason: reason.to_owned() });
        Decision { cancel, rest: Some(self.policy.rest.clone()), ..Decision::default() }
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
                let secs = LONGEST_RESPONSE.as_secs();
                let reason = format!("the robot did not say within {secs} s that it is done");
                let cancel = Some(Cancelled { id: running.id, reason });
                Decision { cancel, rest, ..Decision::default() }
            }
        }
    }

    /// The rules whose conditions hold for the people in view and those who left lately, for long
    /// enough. `in_view`: how many of the ids are in view.
    fn candidates<'a>(
        &mut self,
        ids: &[&'a str],
        in_view: usize,
        now: Duration,
    ) -> Vec<Candidate<'a>> {
        let Policy { rules, gap, .. } = &self.policy;
        let (people, groups) = self.people.count(*gap, now);
        let scene = Scene { people, groups, hour: self.hour, states: &self.states };
        let mut candidates = Vec::new();
        for (place, face_id) in ids.iter().enumerate() {
            let Some(person) = self.people.get_mut(face_id) else { continue };
            let seen = person.seen;
            for (rule_index, rule) in rules.iter().enumerate() {
                let when = &rule.when;
                if (when.event == Some(Event::Leaves)) != (place >= in_view) {
                    continue;
                }
                let mut missing: Vec<Missing> = match self.explains {
                    true => when.missing(&seen, &scene).collect(),
                    false => when.missing(&seen, &scene).take(1).collect(),
                };
                let holds = missing.is_empty();
                let lasted =
                    if holds { person.record_match(rule_index, *gap, now) } else { Duration::ZERO };
                if when.event.is_some_and(|event| !person.had(event, when.within, now)) {
                    missing.push(Missing::Event);
                }
                if holds && lasted < when.lasting {
                    missing.push(Missing::Lasting(lasted));
                }
                let holds = missing.is_empty();
                let judgement = self.explains.then(|| {
                    let face_id = (*face_id).to_owned();
                    self.judgements.push(Judgement { rule_index, face_id, missing, held: None });
                    self.judgements.len() - 1
                });
                if holds {
                    let confidence = seen.confidence;
                    candidates.push(Candidate {
                        rule_index,
                        face_id,
                        confidence,
                        lasted,
                        judgement,
                    });
                }
            }
        }
        candidates
    }

    /// Makes the request of the first rule that may, and cuts a response of lower priority short.
    fn call_staff(&mut self, candidates: &[Candidate<'_>], now: Duration, decision: &mut Decision) {
        let Policy { rules, manners, .. } = &self.policy;
        let mut best: Option<(Candidate<'_>, &str)> = None;
        for candidate in candidates {
            let rule = &rules[candidate.rule_index];
            let Some(kind) = rule.call_staff.as_deref() else { continue };
            let held = match self.desk.may_ask(kind, manners.staff_pause, now) {
                false => Some(HeldBack::StaffAsked),
                true => self.holds_rule(candidate, now),
            };
            let is_held = held.is_some();
            if rule.answer.is_none()
                && let Some(judgement) =
                    candidate.judgement.and_then(|at| self.judgements.get_mut(at))
            {
                judgement.held = held;
            }
            if !is_held && best.is_none_or(|(best, _)| candidate.beats(&best, rules)) {
                best = Some((*candidate, kind));
            }
        }
        let Some((chosen, kind)) = best else {
            return;
        };
        let rule = &rules[chosen.rule_index];
        decision.staff = Some(self.desk.ask(&rule.name, &self.policy.place, kind, now));
        let yields = |running: &mut Running| running.priority < rule.priority;
        if let Some(running) = self.running.take_if(yields) {
            let reason = format!("staff is called by the rule {}", rule.name);
            decision.cancel = Some(Cancelled { id: running.id, reason });
            decision.rest = Some(self.policy.rest.clone());
            self.quiet_until = now.saturating_add(self.policy.pause);
        }
        if rule.answer.is_none() || self.holds_all(now).is_some() {
            self.record(&chosen, now);
        }
    }

    /// The best of what can fire and may.
    fn best<'a>(
        &mut self,
        candidates: &[Candidate<'a>],
        now: Duration,
        holds_all: Option<HeldBack>,
    ) -> Option<Candidate<'a>> {
        let mut best: Option<Candidate<'a>> = None;
        let mut outdone = Vec::new();
        for candidate in candidates {
            let rules = &self.policy.rules;
            if rules[candidate.rule_index].answer.is_none() {
                continue;
            }
            let held = self.holds_answer(candidate, now).or_else(|| holds_all.clone());
            let wins = held.is_none() && best.is_none_or(|best| candidate.beats(&best, rules));
            if wins {
                outdone.extend(best.and_then(|best| best.judgement));
                best = Some(*candidate);
            } else if let Some(at) = candidate.judgement {
                match held {
                    Some(held) => self.judgements[at].held = Some(held),
                    None => outdone.push(at),
                }
            }
        }
        for at in outdone {
            self.judgements[at].held = Some(HeldBack::Outdone);
        }
        best
    }

    /// What of the rule's own limits keeps it from firing.
    fn holds_rule(&self, candidate: &Candidate<'_>, now: Duration) -> Option<HeldBack> {
        let rule = &self.policy.rules[candidate.rule_index];
        let (_, party) = self.people.with_party(candidate.face_id)?;
        if party.is_in_cooldown(candidate.rule_index, rule, now) {
            return Some(HeldBack::Cooldown);
        }
        let is_in_cooldown = self.firings[candidate.rule_index].is_in_cooldown(rule, now);
        is_in_cooldown.then_some(HeldBack::CooldownAnyone)
    }

    /// What keeps the robot from giving this answer to this party.
    fn holds_answer(&self, candidate: &Candidate<'_>, now: Duration) -> Option<HeldBack> {
        let rule = &self.policy.rules[candidate.rule_index];
        let (_, party): (_, &Party) = self.people.with_party(candidate.face_id)?;
        if rule.is_greeting && party.greeted {
            return Some(HeldBack::Greeted);
        }
        let most = self.policy.manners.per_person_per_hour;
        if let Some(most) = most.filter(|most| party.answers.is_full(now, *most)) {
            return Some(HeldBack::PersonLimit(most));
        }
        self.holds_rule(candidate, now)
    }

    /// What keeps the robot from answering anybody.
    fn holds_all(&self, now: Duration) -> Option<HeldBack> {
        let manners = &self.policy.manners;
        if self.running.is_some() {
            return Some(HeldBack::Responding);
        }
        if now < self.quiet_until {
            return Some(HeldBack::Pause);
        }
        if let Some(state) = manners.not_while.iter().find(|state| state.holds(&self.states)) {
            return Some(HeldBack::State(state.to_string()));
        }
        if self.hour.is_some_and(|hour| manners.quiet_hours.iter().any(|hours| hours.has(hour))) {
            return Some(HeldBack::QuietHours);
        }
        let most = manners.per_hour.filter(|most| self.answers.is_full(now, *most));
        most.map(HeldBack::HourlyLimit)
    }

    fn record(&mut self, chosen: &Candidate<'_>, now: Duration) {
        let firings = &mut self.firings[chosen.rule_index];
        firings.count = firings.count.wrapping_add(1);
        firings.last = Some(now);
        self.people.record_answer(chosen.face_id, chosen.rule_index, &self.policy, now);
    }

    fn fire(&mut self, chosen: Candidate<'_>, now: Duration) -> Response {
        let reason = self.reason(&chosen, now);
        let count = self.firings[chosen.rule_index].count;
        self.record(&chosen, now);
        let group = self.people.companions(chosen.face_id, now);
        let rule = &self.policy.rules[chosen.rule_index];
        let (outputs, language, intensity, duration) = match &rule.answer {
            Some(answer) => {
                let (outputs, language) = answer.outputs_in_turn(count, &self.language);
                (outputs, language, answer.intensity, answer.duration)
            }
            // Not chosen to answer.
            None => (Outputs::default(), None, super::Fraction::HALF, Duration::ZERO),
        };
        let until = now.saturating_add(duration);
        let latest = self.waits_for_robot.then(|| now.saturating_add(LONGEST_RESPONSE));
        self.responses += 1;
        let id = format!("response_{}", self.responses);
        self.running = Some(Running { id: id.clone(), priority: rule.priority, until, latest });
        self.quiet_until = latest.unwrap_or(until).saturating_add(self.policy.pause);
        self.answers.note(now, self.policy.manners.per_hour);
        Response {
            id,
            rule: rule.name.clone(),
            face_id: chosen.face_id.to_owned(),
            group,
            reason,
            language,
            outputs,
            intensity,
            duration,
        }
    }

    /// Why a rule fires: what was seen, and what the rule asks.
    fn reason(&self, chosen: &Candidate<'_>, now: Duration) -> String {
        let rule = &self.policy.rules[chosen.rule_index];
        let when = &rule.when;
        let Some((person, _)) = self.people.with_party(chosen.face_id) else {
            return String::new();
        };
        let seen = &person.seen;
        let (lasted, asked) = (chosen.lasted.as_secs_f64(), when.lasting.as_secs_f64());
        let mut parts = Vec::new();
        if when.emotions.is_empty() {
            parts.push(format!("for {lasted:.1} s (rule asks {asked:.1} s)"));
        } else {
            parts.push(format!(
                "{} at {:.2} for {lasted:.1} s (rule asks {:.2} for {asked:.1} s)",
                seen.emotion,
                seen.confidence,
                when.confidence.get(),
            ));
        }
        if let Some(before) = seen.before.filter(|_| !when.from.is_empty()) {
            parts.push(format!("{before} before"));
        }
        if when.valence.is_some() {
            parts.push(format!("valence {:.2}", seen.valence));
        }
        if when.arousal.is_some() {
            parts.push(format!("arousal {:.2}", seen.arousal));
        }
        if !when.attention.is_empty() {
            parts.push(seen.attention.map_or("attention unknown", Engagement::as_str).to_owned());
        }
        if when.distance_m.is_some() {
            let text = seen.distance_m.map(|distance| format!("at {distance:.1} m"));
            parts.push(text.unwrap_or_else(|| "distance unknown".to_owned()));
        }
        let (people, groups) = self.people.count(self.policy.gap, now);
        if when.people.is_some() {
            parts.push(format!("{people} people in view"));
        }
        if when.groups.is_some() {
            parts.push(format!("{groups} groups in view"));
        }
        parts.extend(when.event.map(|event| event.as_str().to_owned()));
        if when.hours.is_some() {
            parts.extend(self.hour.map(clock));
        }
        for state in &when.states {
            parts.extend(self.states.get(&state.name).map(|now| format!("{} {now}", state.name)));
        }
        parts.join(", ")
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
            .then(self.confidence.total_cmp(&other.confidence))
            .then(other.rule_index.cmp(&self.rule_index))
            .is_gt()
    }
}

#[cfg(test)]
mod tests;
