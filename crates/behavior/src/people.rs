//! Who is remembered: each face id, and the group that it came with.
//!
//! A person is a face id. A party is whom the robot answers as one: a person alone, those who came
//! together, and the ids under which one person was seen in one place. Nothing of it reaches the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rapport_vocabulary::Engagement;

use super::condition::{Event, Seen};
use super::engine::{FaceBox, FaceReading};
use super::manners::{LastHour, Manners};
use super::policy::{Policy, Rule};

/// The most faces remembered. Those out of view longest are forgotten first.
pub(super) const MAX_FACES: usize = 1024;

/// Those who come within this time of one another came together.
const TOGETHER: Duration = Duration::from_secs(3);

/// For how long after somebody came it is looked who is beside them.
const JOINING: Duration = Duration::from_secs(5);

/// Who is out of view for this long has left.
const LEFT_AFTER: Duration = Duration::from_secs(2);

/// For how long a person is remembered at least, so that an event lasts as long as a rule may ask.
const LEAST_MEMORY: Duration = Duration::from_secs(10);

/// Width of the box around an adult's face, in metres, where only boxes are known.
const FACE_WIDTH_M: f64 = 0.16;

/// How much farther than `near_m` somebody must have been who then came near, in metres.
const NEAR_MARGIN_M: f64 = 0.2;

/// The memory of all people. Times are those of the steady clock.
#[derive(Debug, Default)]
pub(super) struct People {
    by_id: BTreeMap<String, Person>,
    parties: BTreeMap<u64, Party>,
    next_party: u64,
}

/// One face id.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub party: u64,
    pub seen: Seen,
    first_seen: Duration,
    last_seen: Duration,
    face_box: Option<FaceBox>,
    position_m: Option<[f32; 3]>,
    /// Whether they were farther away than near, so that they can come near.
    was_far: bool,
    has_left: bool,
    /// Whether another id is seen in their place now.
    is_continued: bool,
    /// When each event happened last, in the order of [`Event::ALL`].
    events: [Option<Duration>; Event::ALL.len()],
    /// One for each rule of the policy, in its order.
    streaks: Vec<Option<Streak>>,
}

/// A time in which all conditions of a rule held, with gaps no longer than the policy's `gap`.
#[derive(Debug, Clone)]
struct Streak {
    start: Duration,
    /// When they last held.
    end: Duration,
}

/// Whom the robot answers as one.
#[derive(Debug, Clone)]
pub(super) struct Party {
    last_seen: Duration,
    /// When each rule of the policy last answered it.
    answered_at: Vec<Option<Duration>>,
    pub greeted: bool,
    pub answers: LastHour,
}

impl Party {
    /// Whether the rule may not yet answer it again.
    pub fn is_in_cooldown(&self, index: usize, rule: &Rule, now: Duration) -> bool {
        let answered_at = self.answered_at.get(index).copied().flatten();
        answered_at.is_some_and(|at| now.saturating_sub(at) < rule.cooldown)
    }

    fn matters(&self, rules: &[Rule], now: Duration) -> bool {
        self.answers.matters(now)
            || rules.iter().enumerate().any(|(index, rule)| self.is_in_cooldown(index, rule, now))
    }
}

impl Person {
    /// Records that all conditions of a rule hold now, and returns for how long they have.
    pub fn record_match(&mut self, rule: usize, gap: Duration, now: Duration) -> Duration {
        let Some(streak) = self.streaks.get_mut(rule) else {
            return Duration::ZERO;
        };
        let start = match streak {
            Some(streak) if now.saturating_sub(streak.end) <= gap => streak.start,
            _ => now,
        };
        *streak = Some(Streak { start, end: now });
        now.saturating_sub(start)
    }

    /// Whether an event happened no longer ago than `within`.
    pub fn had(&self, event: Event, within: Duration, now: Duration) -> bool {
        self.events[event as usize].is_some_and(|at| now.saturating_sub(at) <= within)
    }

    fn happens(&mut self, event: Event, now: Duration) {
        self.events[event as usize] = Some(now);
    }

    fn new(reading: &FaceReading<'_>, party: u64, rules: usize, now: Duration) -> Self {
        let mut person = Self {
            party,
            seen: Seen { before: None, ..seen(reading) },
            first_seen: now,
            last_seen: now,
            face_box: reading.face_box,
            position_m: reading.position_m,
            was_far: false,
            has_left: false,
            is_continued: false,
            events: [None; Event::ALL.len()],
            streaks: vec![None; rules],
        };
        person.happens(Event::Appears, now);
        person
    }

    /// Takes what is seen of them now.
    fn update(&mut self, reading: &FaceReading<'_>, policy: &Policy, now: Duration) {
        let unseen = now.saturating_sub(self.last_seen);
        self.has_left = false;
        if unseen > policy.manners.visit_gap.max(LEFT_AFTER) {
            (self.first_seen, self.was_far) = (now, false);
            self.happens(Event::Appears, now);
        }
        let before = match self.seen.emotion == reading.emotion {
            true => self.seen.before,
            false => Some(self.seen.emotion),
        };
        let was = self.seen.attention;
        self.seen = Seen { before: before.filter(|_| unseen <= policy.gap), ..seen(reading) };
        let is_engaged = matches!(self.seen.attention, Some(Engagement::Engaged) | None);
        if was == Some(Engagement::Engaged) && !is_engaged {
            self.happens(Event::TurnsAway, now);
        }
        (self.last_seen, self.is_continued) = (now, false);
        (self.face_box, self.position_m) = (reading.face_box, reading.position_m);
    }

    /// Whether they came near now.
    fn look_how_near(&mut self, near_m: f64, now: Duration) {
        let Some(distance) = self.seen.distance_m.map(f64::from) else {
            return;
        };
        if distance > near_m + NEAR_MARGIN_M {
            self.was_far = true;
        } else if distance <= near_m && self.was_far {
            self.was_far = false;
            self.happens(Event::ComesNear, now);
        }
    }

    /// How far apart two are in metres; by their boxes where a position is unknown, and nothing where
    /// those are too, or tell of different distances.
    fn apart_m(&self, other: &Self) -> Option<f64> {
        if let (Some(a), Some(b)) = (self.position_m, other.position_m) {
            let squares = a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2));
            return Some(squares.sum::<f64>().sqrt());
        }
        let (a, b) = (self.face_box?, other.face_box?);
        let width_px = f64::from(a.width_px + b.width_px) / 2.0;
        let is_as_far = a.ratio(&b) <= 1.5;
        is_as_far.then(|| a.apart_px(&b) / width_px * FACE_WIDTH_M)
    }

    /// Whether a new face is seen in their place.
    fn is_place_of(&self, face_box: &FaceBox, unseen: Duration) -> bool {
        self.face_box.is_some_and(|place| {
            // Through an edge, as through a door, one leaves and another comes.
            let has_gone = place.is_at_edge && unseen >= LEFT_AFTER;
            let width_px = f64::from(place.width_px.max(face_box.width_px));
            let widths = (1.0 + 0.5 * unseen.as_secs_f64()).min(2.0);
            !has_gone
                && place.ratio(face_box) <= 1.6
                && place.apart_px(face_box) <= widths * width_px
        })
    }
}

fn seen(reading: &FaceReading<'_>) -> Seen {
    let position = reading.position_m.filter(|position| position.iter().all(|m| m.is_finite()));
    Seen {
        emotion: reading.emotion,
        before: None,
        confidence: reading.confidence,
        sure: reading.sure,
        valence: reading.valence,
        arousal: reading.arousal,
        attention: reading.engagement,
        distance_m: position.map(|[x, y, z]| (x * x + y * y + z * z).sqrt()),
    }
}

impl People {
    /// Takes the faces of one image.
    pub fn see(&mut self, readings: &[FaceReading<'_>], policy: &Policy, now: Duration) {
        for reading in readings {
            if let Some(person) = self.by_id.get_mut(reading.face_id) {
                person.update(reading, policy, now);
            }
        }
        for reading in readings {
            if !self.by_id.contains_key(reading.face_id) {
                let person = self.newcomer(reading, policy, now);
                self.by_id.insert(reading.face_id.to_owned(), person);
            }
        }
        for reading in readings {
            if let Some(person) = self.by_id.get_mut(reading.face_id) {
                person.look_how_near(policy.near_m, now);
                self.parties.entry(person.party).and_modify(|party| {
                    // The visit before this one is over.
                    party.greeted &=
                        now.saturating_sub(party.last_seen) <= policy.manners.visit_gap;
                    party.last_seen = now;
                });
            }
        }
        self.join(policy.manners.group_m, now);
        for person in self.by_id.values_mut().filter(|person| !person.is_continued) {
            if !person.has_left && now.saturating_sub(person.last_seen) >= LEFT_AFTER {
                person.has_left = true;
                person.happens(Event::Leaves, now);
            }
        }
    }

    /// A person under a new id: somebody who was seen in that place, or somebody new.
    fn newcomer(&mut self, reading: &FaceReading<'_>, policy: &Policy, now: Duration) -> Person {
        let Manners { visit_gap, .. } = policy.manners;
        let lost = reading.face_box.as_ref().and_then(|face_box| {
            self.by_id
                .values_mut()
                .filter(|person| person.last_seen < now && !person.is_continued)
                .filter(|person| now.saturating_sub(person.last_seen) <= visit_gap)
                .filter(|person| person.is_place_of(face_box, now.saturating_sub(person.last_seen)))
                .max_by_key(|person| person.last_seen)
        });
        if let Some(lost) = lost {
            let mut person = lost.clone();
            lost.is_continued = true;
            person.update(reading, policy, now);
            return person;
        }
        let party = self.next_party;
        self.next_party += 1;
        self.parties.insert(
            party,
            Party {
                last_seen: now,
                answered_at: vec![None; policy.rules.len()],
                greeted: false,
                answers: LastHour::default(),
            },
        );
        Person::new(reading, party, policy.rules.len(), now)
    }

    /// Makes one party of those in view who came together and are near one another.
    fn join(&mut self, group_m: f64, now: Duration) {
        if group_m <= 0.0 {
            return;
        }
        let fresh: Vec<(&String, &Person)> = self
            .by_id
            .iter()
            .filter(|(_, person)| person.last_seen == now)
            .filter(|(_, person)| now.saturating_sub(person.first_seen) <= JOINING)
            .collect();
        let mut pairs = Vec::new();
        for (index, (a_id, a)) in fresh.iter().enumerate() {
            for (b_id, b) in fresh.iter().skip(index + 1) {
                let came_together = a.first_seen.abs_diff(b.first_seen) <= TOGETHER;
                let is_near = || a.apart_m(b).is_some_and(|apart| apart <= group_m);
                if a.party != b.party && came_together && is_near() {
                    pairs.push(((*a_id).clone(), (*b_id).clone()));
                }
            }
        }
        for (a, b) in pairs {
            self.merge(&a, &b);
        }
    }

    /// Makes one party of those of two people.
    fn merge(&mut self, a: &str, b: &str) {
        let party_of = |id: &str| self.by_id.get(id).map(|person| person.party);
        let (Some(a), Some(b)) = (party_of(a), party_of(b)) else {
            return;
        };
        if a == b {
            return;
        }
        let Some(from) = self.parties.remove(&b) else {
            return;
        };
        if let Some(into) = self.parties.get_mut(&a) {
            for (mine, others) in into.answered_at.iter_mut().zip(from.answered_at) {
                *mine = (*mine).max(others);
            }
            into.greeted |= from.greeted;
            into.answers.merge(from.answers);
            into.last_seen = into.last_seen.max(from.last_seen);
        }
        for person in self.by_id.values_mut().filter(|person| person.party == b) {
            person.party = a;
        }
    }

    /// How many people and groups are in view, short misses included.
    pub fn count(&self, gap: Duration, now: Duration) -> (usize, usize) {
        let in_view: Vec<u64> = self
            .by_id
            .values()
            .filter(|person| !person.is_continued && now.saturating_sub(person.last_seen) <= gap)
            .map(|person| person.party)
            .collect();
        (in_view.len(), in_view.iter().collect::<BTreeSet<_>>().len())
    }

    /// The person with an id.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Person> {
        self.by_id.get_mut(id)
    }

    /// The person with an id, and their party.
    pub fn with_party(&self, id: &str) -> Option<(&Person, &Party)> {
        let person = self.by_id.get(id)?;
        Some((person, self.parties.get(&person.party)?))
    }

    /// The ids of those who left no longer ago than `within`.
    pub fn left(&self, within: Duration, now: Duration) -> Vec<String> {
        let has = |person: &Person| person.has_left && person.had(Event::Leaves, within, now);
        let left = self.by_id.iter().filter(|(_, person)| has(person));
        left.map(|(id, _)| id.clone()).collect()
    }

    /// The others of a person's party in view now.
    pub fn companions(&self, id: &str, now: Duration) -> Vec<String> {
        let Some(person) = self.by_id.get(id) else {
            return Vec::new();
        };
        let is_one = |other: &Person| other.party == person.party && other.last_seen == now;
        let found = self.by_id.iter().filter(|(other, person)| *other != id && is_one(person));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// Records that a rule answers a person, and so the whole party.
    pub fn record_answer(&mut self, id: &str, index: usize, policy: &Policy, now: Duration) {
        let Some(party) = self.by_id.get(id).and_then(|p| self.parties.get_mut(&p.party)) else {
            return;
        };
        if let Some(answered_at) = party.answered_at.get_mut(index) {
            *answered_at = Some(now);
        }
        let Some(rule) = policy.rules.get(index) else {
            return;
        };
        if rule.answer.is_some() {
            party.greeted |= rule.is_greeting;
            party.answers.note(now, policy.manners.per_person_per_hour);
        }
    }

    /// Ends every streak: what was seen before says nothing about now.
    pub fn end_streaks(&mut self) {
        for person in self.by_id.values_mut() {
            person.streaks.fill(None);
            person.seen.before = None;
        }
    }

    /// Goes on with other rules: `kept` gives each new rule the index that it had, where it is the same.
    pub fn use_rules(&mut self, kept: &[Option<usize>]) {
        for person in self.by_id.values_mut() {
            person.streaks = vec![None; kept.len()];
        }
        for party in self.parties.values_mut() {
            let before = std::mem::take(&mut party.answered_at);
            let of = |index: &Option<usize>| before.get((*index)?).copied().flatten();
            party.answered_at = kept.iter().map(of).collect();
        }
    }

    /// Forgets those of whom nothing matters any more, and beyond [`MAX_FACES`] those who have been
    /// out of view longest.
    pub fn forget(&mut self, policy: &Policy, now: Duration) {
        let memory = policy.manners.visit_gap.max(policy.gap).max(LEAST_MEMORY);
        let parties = &self.parties;
        self.by_id.retain(|_, person| {
            now.saturating_sub(person.last_seen) <= memory
                || parties.get(&person.party).is_some_and(|party| party.matters(&policy.rules, now))
        });
        if let Some(excess) = self.by_id.len().checked_sub(MAX_FACES).filter(|&excess| excess > 0) {
            let mut by_age: Vec<(Duration, String)> =
                self.by_id.iter().map(|(id, person)| (person.last_seen, id.clone())).collect();
            by_age.sort();
            for (_, id) in by_age.into_iter().take(excess) {
                self.by_id.remove(&id);
            }
        }
        if self.parties.len() > self.by_id.len() || self.by_id.is_empty() {
            let used: BTreeSet<u64> = self.by_id.values().map(|person| person.party).collect();
            self.parties.retain(|party, _| used.contains(party));
        }
    }

    /// How many faces are remembered.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}
