//! What happened in a rehearsal, as it is written and shown. All times are seconds from the first image.

use std::collections::BTreeMap;

use serde::Serialize;

use rapport_behavior::{Decision, Engine, FaceReading, HeldBack, Missing, Outputs, Range, When};
use rapport_vocabulary::{Emotion, Engagement};

/// Shorter gaps are none, and shorter episodes are not told.
const GAP_SECS: f64 = 0.5;
const SHORTEST_SECS: f64 = 0.3;

/// All of it.
#[derive(Debug, Serialize)]
pub struct Rehearsal {
    /// The recording, as it was named.
    pub recording: String,
    /// How many images were looked at.
    pub images: u64,
    /// From the first image to the last.
    pub secs: f64,
    /// The emotion network.
    pub model: String,
    /// Whether the field of view was given, without which no distance is known.
    pub knows_distance: bool,
    /// Everybody who was seen, in the order in which they came.
    pub people: Vec<PersonSeen>,
    /// What each policy would have done.
    pub policies: Vec<PolicyRehearsed>,
}

/// One face id.
#[derive(Debug, Serialize)]
pub struct PersonSeen {
    pub face_id: String,
    pub from_secs: f64,
    pub to_secs: f64,
    /// The least distance, where one was known.
    pub nearest_m: Option<f32>,
    pub expressions: Vec<Span<Emotion>>,
    /// Empty where it was unknown.
    pub attention: Vec<Span<Engagement>>,
}

/// A time in which something was so.
#[derive(Debug, Clone, Serialize)]
#[serde(bound = "T: ToString")]
pub struct Span<T> {
    pub from_secs: f64,
    pub to_secs: f64,
    #[serde(serialize_with = "as_word")]
    pub is: T,
}

fn as_word<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

/// What one policy would have done.
#[derive(Debug, Serialize)]
pub struct PolicyRehearsed {
    pub file: String,
    pub rules: Vec<RuleCount>,
    pub responses: Vec<Answered>,
    pub staff_requests: Vec<Asked>,
    /// Rules of which one condition was missing.
    pub nearly: Vec<Episode>,
    /// Rules whose conditions all held.
    pub held_back: Vec<Episode>,
    /// States of the robot that the recording does not tell.
    pub unknown_states: Vec<String>,
}

/// How often something became of a rule.
#[derive(Debug, Serialize)]
pub struct RuleCount {
    pub rule: String,
    pub fired: usize,
    pub nearly: usize,
    pub held_back: usize,
}

/// A response.
#[derive(Debug, Serialize)]
pub struct Answered {
    pub at_secs: f64,
    pub duration_secs: f64,
    pub rule: String,
    pub face_id: String,
    pub group_face_ids: Vec<String>,
    pub reason: String,
    /// What the robot does, in words.
    pub does: String,
    pub speech: Option<String>,
    pub language: Option<String>,
    /// When and why it was cut short.
    pub cancelled: Option<(f64, String)>,
}

/// A request to the staff.
#[derive(Debug, Serialize)]
pub struct Asked {
    pub at_secs: f64,
    pub rule: String,
    pub place: String,
    pub kind: String,
}

/// A time in which a rule did not fire for one reason.
#[derive(Debug, Clone, Serialize)]
pub struct Episode {
    pub from_secs: f64,
    pub to_secs: f64,
    pub rule: String,
    pub face_id: String,
    /// The key of the policy that it is about.
    pub key: &'static str,
    /// What was missing, or held it back, in words.
    pub why: String,
}

/// Everybody who was seen so far.
#[derive(Debug, Default)]
pub struct People {
    seen: Vec<PersonSeen>,
    last_secs: f64,
}

impl People {
    /// Takes the people of an image.
    pub fn see(&mut self, at_secs: f64, readings: &[FaceReading<'_>]) {
        self.last_secs = at_secs;
        for reading in readings {
            let known = self.seen.iter().position(|person| person.face_id == reading.face_id);
            let index = known.unwrap_or_else(|| {
                self.seen.push(PersonSeen {
                    face_id: reading.face_id.to_owned(),
                    from_secs: at_secs,
                    to_secs: at_secs,
                    nearest_m: None,
                    expressions: Vec::new(),
                    attention: Vec::new(),
                });
                self.seen.len() - 1
            });
            let person = &mut self.seen[index];
            person.to_secs = at_secs;
            let distance = reading.position_m.map(|[x, y, z]| (x * x + y * y + z * z).sqrt());
            person.nearest_m = match (person.nearest_m, distance) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            extend(&mut person.expressions, at_secs, reading.emotion);
            if let Some(engagement) = reading.engagement {
                extend(&mut person.attention, at_secs, engagement);
            }
        }
    }

    pub fn secs(&self) -> f64 {
        self.last_secs
    }

    pub fn finish(self) -> Vec<PersonSeen> {
        self.seen
    }
}

/// Goes on with the last span, or begins another.
fn extend<T: PartialEq>(spans: &mut Vec<Span<T>>, at_secs: f64, is: T) {
    match spans.last_mut() {
        Some(last) if at_secs - last.to_secs <= GAP_SECS => {
            // To here, so that no gap is drawn between two images.
            last.to_secs = at_secs;
            if last.is != is {
                spans.push(Span { from_secs: at_secs, to_secs: at_secs, is });
            }
        }
        _ => spans.push(Span { from_secs: at_secs, to_secs: at_secs, is }),
    }
}

type RuleAndFace = (usize, String);

/// What one policy did so far.
#[derive(Debug, Default)]
pub struct Rehearsed {
    responses: Vec<Answered>,
    ids: Vec<String>,
    staff_requests: Vec<Asked>,
    nearly: Vec<Episode>,
    held_back: Vec<Episode>,
    open: BTreeMap<(RuleAndFace, &'static str), Episode>,
    open_held: BTreeMap<(RuleAndFace, &'static str), Episode>,
    /// Of whom a rule was answered, until its conditions end: that it does not fire again at once is
    /// no news.
    answered: BTreeMap<RuleAndFace, f64>,
}

impl Rehearsed {
    /// Takes what became of one image.
    pub fn note(&mut self, at_secs: f64, decision: Decision, engine: &Engine) {
        if let Some(cancel) = decision.cancel
            && let Some(index) = self.ids.iter().position(|id| *id == cancel.id)
        {
            self.responses[index].cancelled = Some((at_secs, cancel.reason));
        }
        if let Some(staff) = decision.staff {
            let (rule, place, kind) = (staff.rule, staff.place, staff.kind);
            self.staff_requests.push(Asked { at_secs, rule, place, kind });
        }
        let rules = &engine.policy().rules;
        for judgement in engine.judgements() {
            let key = (judgement.rule_index, judgement.face_id.clone());
            let Some(rule) = rules.get(judgement.rule_index) else { continue };
            if let [missing] = &judgement.missing[..] {
                if is_near(missing, &rule.when) {
                    let why = missing.describe(&rule.when);
                    let episodes = (&mut self.open, &mut self.nearly);
                    go_on(episodes, key, missing.key(), why, &rule.name, at_secs);
                }
            } else if judgement.missing.is_empty() {
                // It lasted in the end: the way there is no near miss.
                self.open.remove(&(key.clone(), Missing::Lasting(Default::default()).key()));
                let goes_on = self.answered.get_mut(&key).is_some_and(|last| {
                    let goes_on = at_secs - *last <= GAP_SECS;
                    *last = at_secs;
                    goes_on
                });
                match &judgement.held {
                    Some(held) if !goes_on && *held != HeldBack::Off => {
                        let episodes = (&mut self.open_held, &mut self.held_back);
                        go_on(episodes, key, held.key(), held.to_string(), &rule.name, at_secs);
                    }
                    Some(_) => {}
                    None => _ = self.answered.insert(key, at_secs),
                }
            }
        }
        if let Some(response) = decision.response {
            self.ids.push(response.id);
            self.responses.push(Answered {
                at_secs,
                duration_secs: response.duration.as_secs_f64(),
                rule: response.rule,
                face_id: response.face_id,
                group_face_ids: response.group,
                reason: response.reason,
                does: describe(&response.outputs),
                speech: response.outputs.speech,
                language: response.language,
                cancelled: None,
            });
        }
    }

    /// The whole account.
    pub fn finish(mut self, file: &str, engine: &Engine) -> PolicyRehearsed {
        self.nearly.extend(std::mem::take(&mut self.open).into_values());
        self.held_back.extend(std::mem::take(&mut self.open_held).into_values());
        let lasting: BTreeMap<&str, f64> = engine
            .policy()
            .rules
            .iter()
            .map(|rule| (rule.name.as_str(), rule.when.lasting.as_secs_f64()))
            .collect();
        // What was too short for the rule in any case, or far from long enough, was not near.
        self.nearly.retain(|episode| {
            let asked = lasting.get(episode.rule.as_str()).copied().unwrap_or_default();
            let share = if episode.key == "for_secs" { 0.5 } else { 1.0 };
            episode.to_secs - episode.from_secs >= share * asked
        });
        for episodes in [&mut self.nearly, &mut self.held_back] {
            episodes.retain(|episode| episode.to_secs - episode.from_secs >= SHORTEST_SECS);
            episodes.sort_by(|a, b| a.from_secs.total_cmp(&b.from_secs));
        }
        let count = |rule: &str, episodes: &[Episode]| {
            episodes.iter().filter(|episode| episode.rule == rule).count()
        };
        let rules = engine.policy().rules.iter().map(|rule| RuleCount {
            rule: rule.name.clone(),
            fired: self.responses.iter().filter(|answered| answered.rule == rule.name).count()
                + self
                    .staff_requests
                    .iter()
                    .filter(|asked| asked.rule == rule.name && rule.answer.is_none())
                    .count(),
            nearly: count(&rule.name, &self.nearly),
            held_back: count(&rule.name, &self.held_back),
        });
        PolicyRehearsed {
            file: file.to_owned(),
            rules: rules.collect(),
            unknown_states: engine.unknown_states().map(str::to_owned).collect(),
            responses: self.responses,
            staff_requests: self.staff_requests,
            nearly: self.nearly,
            held_back: self.held_back,
        }
    }
}

/// Whether a rule of which only this is missing nearly fires. Another expression is another thing, and
/// so are other numbers of people, but for one more or less.
fn is_near(missing: &Missing, when: &When) -> bool {
    let by_one = |range: Option<Range>, found: usize| {
        let found = found as f64;
        range.is_some_and(|range| range.has(found + 1.0) || range.has(found - 1.0))
    };
    match missing {
        Missing::Emotion(_) | Missing::Event => false,
        Missing::People(found) => by_one(when.people, *found),
        Missing::Groups(found) => by_one(when.groups, *found),
        _ => true,
    }
}

/// Goes on with an open episode, or ends it and opens another.
fn go_on(
    (open, done): (&mut BTreeMap<(RuleAndFace, &'static str), Episode>, &mut Vec<Episode>),
    of: RuleAndFace,
    key: &'static str,
    why: String,
    rule: &str,
    at_secs: f64,
) {
    let face_id = of.1.clone();
    let fresh = || Episode {
        from_secs: at_secs,
        to_secs: at_secs,
        rule: rule.to_owned(),
        face_id: face_id.clone(),
        key,
        why: why.clone(),
    };
    let episode = open.entry((of, key)).or_insert_with(fresh);
    if at_secs - episode.to_secs > GAP_SECS {
        done.push(std::mem::replace(episode, fresh()));
    }
    episode.to_secs = at_secs;
    episode.why = why;
}

/// What the robot does, for people: `says "Hello.", gesture nod`.
fn describe(outputs: &Outputs) -> String {
    let mut does = Vec::new();
    does.extend(outputs.speech.as_ref().map(|speech| format!("says \"{speech}\"")));
    does.extend(outputs.gesture.as_ref().map(|gesture| format!("gesture {gesture}")));
    does.extend(outputs.expression.as_ref().map(|expression| format!("shows {expression}")));
    does.extend(outputs.light.map(|light| {
        let byte = |share: rapport_behavior::Fraction| (share.get() * 255.0).round() as u8;
        let [r, g, b] = [light.red, light.green, light.blue].map(byte);
        format!("light #{r:02x}{g:02x}{b:02x} at {:.0} %", light.opacity.get() * 100.0)
    }));
    does.join(", ")
}
