//! The conditions of a rule, and which of them do not hold for a person.
//!
//! A condition on something unknown does not hold, unless the rule allows `unknown` by name.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rapport_vocabulary::{Emotion, Engagement};

use super::response::Fraction;

/// The conditions of a rule. All must hold at once, and go on holding for `lasting`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct When {
    /// The expressions that count; empty: any.
    pub emotions: Vec<Emotion>,
    /// The expression shown before the present one was one of these; empty: any or none.
    pub from: Vec<Emotion>,
    /// The lowest confidence that counts.
    pub confidence: Fraction,
    /// Whether only expressions count that the network is sure of.
    pub sure: bool,
    /// How pleasant the expression shown is.
    pub valence: Option<Range>,
    /// How activated the expression shown is.
    pub arousal: Option<Range>,
    /// How the person stands to the robot; empty: in any way.
    pub attention: Vec<Engagement>,
    /// Whether an attention that is unknown counts too.
    pub attention_or_unknown: bool,
    /// The distance to the head in metres.
    pub distance_m: Option<Range>,
    /// Whether a distance that is unknown counts too.
    pub distance_or_unknown: bool,
    /// How many people are in view.
    pub people: Option<Range>,
    /// How many groups are in view; one who is alone is a group too.
    pub groups: Option<Range>,
    /// What happened to the person within `within`.
    pub event: Option<Event>,
    /// How long ago the event may be.
    pub within: Duration,
    /// The hours of the day.
    pub hours: Option<Hours>,
    /// The states of the robot, all of which must be so.
    pub states: Vec<StateIs>,
    /// For how long all of this must have held, the event apart. 0 to 60 s.
    pub lasting: Duration,
}

/// Numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least; minus infinity where there is none.
    pub from: f64,
    /// The most; infinity where there is none.
    pub to: f64,
}

/// Hours of the day, over midnight where `from` is after `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hours {
    /// The first moment, in hours from midnight.
    pub from: f64,
    /// The first moment after them.
    pub to: f64,
}

/// Something that happens to a person at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Came into view, and is nobody who was seen in that place seconds ago.
    Appears,
    /// Came nearer than the policy's `near_m`, from farther away.
    ComesNear,
    /// Was engaged and is no more.
    TurnsAway,
    /// Is out of view for two seconds.
    Leaves,
}

/// What a state of the robot must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateIs {
    /// The state's name in the policy.
    pub name: String,
    /// What it must be: one of these.
    pub one_of: Vec<StateValue>,
}

/// What a state of the robot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateValue {
    /// Of std_msgs/Bool.
    Flag(bool),
    /// Of std_msgs/String.
    Text(String),
}

/// The states of the robot that are known.
pub(super) type States = BTreeMap<String, StateValue>;

/// What is known of one person at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub emotion: Emotion,
    pub before: Option<Emotion>,
    pub confidence: f32,
    pub sure: bool,
    pub valence: f32,
    pub arousal: f32,
    pub attention: Option<Engagement>,
    pub distance_m: Option<f32>,
}

/// What is known of all at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub people: usize,
    pub groups: usize,
    pub hour: Option<f64>,
    pub states: &'a States,
}

/// A condition that does not hold, with what there is instead.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// Another expression is shown.
    Emotion(Emotion),
    /// Another expression was shown before, or none.
    From(Option<Emotion>),
    /// The confidence is too low.
    Confidence(f32),
    /// The network is not sure.
    Unsure,
    /// The valence is another.
    Valence(f32),
    /// The arousal is another.
    Arousal(f32),
    /// The attention is another, or unknown.
    Attention(Option<Engagement>),
    /// The distance is another, or unknown.
    Distance(Option<f32>),
    /// Other numbers of people are in view.
    People(usize),
    /// Other numbers of groups are in view.
    Groups(usize),
    /// It is another hour, or unknown.
    Hour(Option<f64>),
    /// A state of the robot is another, or unknown.
    State(String, Option<StateValue>),
    /// The event did not happen, or too long ago.
    Event,
    /// Everything held, but not for long enough: for so long.
    Lasting(Duration),
}

type Check = fn(&When, &Seen, &Scene<'_>) -> Option<Missing>;

impl When {
    /// The conditions that do not hold; not the event, nor how long.
    pub(super) fn missing<'a>(
        &'a self,
        seen: &'a Seen,
        scene: &'a Scene<'a>,
    ) -> impl Iterator<Item = Missing> + 'a {
        const CHECKS: [Check; 11] = [
            |when, seen, _| {
                let fits = when.emotions.is_empty() || when.emotions.contains(&seen.emotion);
                (!fits).then_some(Missing::Emotion(seen.emotion))
            },
            |when, seen, _| {
                let fits = when.from.is_empty()
                    || seen.before.is_some_and(|before| when.from.contains(&before));
                (!fits).then_some(Missing::From(seen.before))
            },
            // Written so that what is no number does not fit.
            |when, seen, _| {
                let fits = when.emotions.is_empty() || seen.confidence >= when.confidence.get();
                (!fits).then_some(Missing::Confidence(seen.confidence))
            },
            |when, seen, _| (when.sure && !seen.sure).then_some(Missing::Unsure),
            |when, seen, _| outside(when.valence, seen.valence).map(Missing::Valence),
            |when, seen, _| outside(when.arousal, seen.arousal).map(Missing::Arousal),
            |when, seen, _| {
                let fits = when.attention.is_empty()
                    || seen.attention.map_or(when.attention_or_unknown, |attention| {
                        when.attention.contains(&attention)
                    });
                (!fits).then_some(Missing::Attention(seen.attention))
            },
            |when, seen, _| {
                let range = when.distance_m?;
                let known = seen.distance_m.filter(|distance| distance.is_finite());
                let fits = known.map_or(when.distance_or_unknown, |known| range.has(known.into()));
                (!fits).then_some(Missing::Distance(known))
            },
            |when, _, scene| {
                let fits = when.people.is_none_or(|range| range.has(scene.people as f64));
                (!fits).then_some(Missing::People(scene.people))
            },
            |when, _, scene| {
                let fits = when.groups.is_none_or(|range| range.has(scene.groups as f64));
                (!fits).then_some(Missing::Groups(scene.groups))
            },
            |when, _, scene| {
                let hours = when.hours?;
                let fits = scene.hour.is_some_and(|hour| hours.has(hour));
                (!fits).then_some(Missing::Hour(scene.hour))
            },
        ];
        let states = self.states.iter().filter(|state| !state.holds(scene.states)).map(|state| {
            Missing::State(state.name.clone(), scene.states.get(&state.name).cloned())
        });
        CHECKS.iter().filter_map(move |check| check(self, seen, scene)).chain(states)
    }
}

fn outside(range: Option<Range>, value: f32) -> Option<f32> {
    range.filter(|range| !range.has(value.into())).map(|_| value)
}

impl Range {
    /// Whether a number is in it; what is no number is not.
    pub fn has(&self, number: f64) -> bool {
        self.from <= number && number <= self.to
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from.is_finite(), self.to.is_finite()) {
            (true, true) if self.from == self.to => write!(f, "{}", self.from),
            (true, false) => write!(f, "{} or more", self.from),
            (false, true) => write!(f, "up to {}", self.to),
            _ => write!(f, "{} to {}", self.from, self.to),
        }
    }
}

impl Hours {
    /// Whether an hour of the day, 0 to 24, is one of them.
    pub fn has(&self, hour: f64) -> bool {
        if self.from <= self.to {
            self.from <= hour && hour < self.to
        } else {
            hour >= self.from || hour < self.to
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", clock(self.from), clock(self.to))
    }
}

/// An hour of the day as clocks show it.
pub(super) fn clock(hour: f64) -> String {
    let minutes = (hour * 60.0).floor();
    format!("{:.0}:{:02.0}", (minutes / 60.0).floor(), minutes % 60.0)
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Appears, Self::ComesNear, Self::TurnsAway, Self::Leaves];

    /// The word in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Appears => "appears",
            Self::ComesNear => "comes_near",
            Self::TurnsAway => "turns_away",
            Self::Leaves => "leaves",
        }
    }
}

impl StateIs {
    /// Whether it is so; where it is unknown, it is not.
    pub(super) fn holds(&self, states: &States) -> bool {
        states.get(&self.name).is_some_and(|value| self.one_of.contains(value))
    }
}

impl fmt::Display for StateIs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.one_of.iter().map(ToString::to_string).collect();
        write!(f, "{} {}", self.name, values.join(" or "))
    }
}

impl fmt::Display for StateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Missing {
    /// One word for the kind of condition, as the key of a policy.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Emotion(_) => "emotion",
            Self::From(_) => "from",
            Self::Confidence(_) => "confidence",
            Self::Unsure => "sure",
            Self::Valence(_) => "valence",
            Self::Arousal(_) => "arousal",
            Self::Attention(_) => "attention",
            Self::Distance(_) => "distance_m",
            Self::People(_) => "people",
            Self::Groups(_) => "groups",
            Self::Hour(_) => "hours",
            Self::State(..) => "state",
            Self::Event => "event",
            Self::Lasting(_) => "for_secs",
        }
    }

    /// What there is and what the rule asks, for people: `at 3.1 m (asks up to 2)`.
    pub fn describe(&self, when: &When) -> String {
        let words = |emotions: &[Emotion]| {
            let words: Vec<&str> = emotions.iter().map(|emotion| emotion.as_str()).collect();
            words.join(" or ")
        };
        let range = |range: Option<Range>| range.map(|range| range.to_string()).unwrap_or_default();
        match self {
            Self::Emotion(shown) => format!("shows {shown} (asks {})", words(&when.emotions)),
            Self::From(Some(before)) => format!("was {before} (asks {})", words(&when.from)),
            Self::From(None) => format!("no expression before (asks {})", words(&when.from)),
            Self::Confidence(found) => {
                format!("confidence {found:.2} (asks {:.2})", when.confidence.get())
            }
            Self::Unsure => "not sure".to_owned(),
            Self::Valence(found) => format!("valence {found:.2} (asks {})", range(when.valence)),
            Self::Arousal(found) => format!("arousal {found:.2} (asks {})", range(when.arousal)),
            Self::Attention(found) => {
                let asked: Vec<&str> = when.attention.iter().map(|word| word.as_str()).collect();
                let found = found.map_or("attention unknown", Engagement::as_str);
                format!("{found} (asks {})", asked.join(" or "))
            }
            Self::Distance(Some(found)) => {
                format!("at {found:.1} m (asks {})", range(when.distance_m))
            }
            Self::Distance(None) => {
                format!("distance unknown (asks {} m)", range(when.distance_m))
            }
            Self::People(found) => format!("{found} people in view (asks {})", range(when.people)),
            Self::Groups(found) => format!("{found} groups in view (asks {})", range(when.groups)),
            Self::Hour(found) => {
                let asked = when.hours.map(|hours| hours.to_string()).unwrap_or_default();
                let found = found.map_or("hour unknown".to_owned(), clock);
                format!("{found} (asks {asked})")
            }
            Self::State(name, found) => {
                let asked = when.states.iter().find(|state| state.name == *name);
                let asked = asked.map(ToString::to_string).unwrap_or_default();
                let found = found.as_ref().map_or("unknown".to_owned(), ToString::to_string);
                format!("{name} is {found} (asks {asked})")
            }
            Self::Event => {
                let event = when.event.map_or("", Event::as_str);
                format!("no {event} within {:.1} s", when.within.as_secs_f64())
            }
            Self::Lasting(lasted) => format!(
                "for {:.1} s (asks {:.1} s)",
                lasted.as_secs_f64(),
                when.lasting.as_secs_f64()
            ),
        }
    }
}
