//! What is new about people: they appear, come near, attend, change their expression and leave.

use std::collections::HashMap;
use std::time::Duration;

use rapport_vocabulary::{Emotion, Engagement};

use crate::session::Person;
use crate::track::FaceId;

/// Who stepped back by this share of the distance may come near again.
const STEPPED_BACK: f64 = 1.15;

/// What is new.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// Somebody is in view who was not.
    Appeared,
    /// Somebody has left.
    Lost,
    /// Somebody has come nearer than [`near_m`](crate::AttentionOptions::near_m).
    CameNear,
    /// Somebody attends.
    Engaged,
    /// Somebody who attended does not any more.
    Disengaged,
    /// Somebody shows another expression.
    ExpressionChanged {
        /// The one before.
        from: Emotion,
        /// For how long that was shown.
        after: Duration,
    },
}

/// Something new about one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PersonEvent {
    /// Who.
    pub id: FaceId,
    /// What.
    pub event: Event,
    /// The expression shown; of somebody who left, the last one.
    pub emotion: Emotion,
    /// How far away, in metres, where that is known; of somebody who left, the last one.
    pub distance_m: Option<f64>,
    /// For how long they have been in view.
    pub in_view: Duration,
}

#[derive(Debug)]
struct Known {
    first_seen: Duration,
    last_seen: Duration,
    emotion: Emotion,
    shown_since: Duration,
    distance_m: Option<f64>,
    is_near: bool,
    was_engaged: bool,
}

/// Compares each image with the one before.
#[derive(Debug, Default)]
pub struct Events {
    people: HashMap<FaceId, Known>,
}

impl Events {
    /// Takes the people of an image and returns what is new. `knows` says whether somebody who is not
    /// among them was only missed.
    pub fn update(
        &mut self,
        people: &[Person],
        knows: impl Fn(FaceId) -> bool,
        now: Duration,
        near_m: f32,
    ) -> Vec<PersonEvent> {
        let mut events = Vec::new();
        let shown = |id| people.iter().any(|person| person.id == id);
        self.leave(|id| !shown(id) && !knows(id), &mut events);
        for person in people {
            self.compare(person, now, f64::from(near_m), &mut events);
        }
        events
    }

    /// Everybody is gone.
    pub fn all_lost(&mut self) -> Vec<PersonEvent> {
        let mut events = Vec::new();
        self.leave(|_| true, &mut events);
        events
    }

    fn leave(&mut self, gone: impl Fn(FaceId) -> bool, events: &mut Vec<PersonEvent>) {
        let mut lost: Vec<FaceId> = self.people.keys().copied().filter(|&id| gone(id)).collect();
        lost.sort_unstable();
        for id in lost {
            if let Some(known) = self.people.remove(&id) {
                events.push(known.event(id, Event::Lost));
            }
        }
    }

    fn compare(
        &mut self,
        person: &Person,
        now: Duration,
        near_m: f64,
        events: &mut Vec<PersonEvent>,
    ) {
        let is_new = !self.people.contains_key(&person.id);
        let known = self.people.entry(person.id).or_insert_with(|| Known {
            first_seen: person.first_seen,
            last_seen: now,
            emotion: person.emotion,
            shown_since: now,
            distance_m: None,
            is_near: false,
            was_engaged: false,
        });
        let before = known.emotion;
        known.last_seen = now;
        known.emotion = person.emotion;
        known.distance_m = person.pose.map(|pose| pose.distance_m());
        if is_new {
            events.push(known.event(person.id, Event::Appeared));
        }
        if let Some(distance) = known.distance_m {
            let came = !known.is_near && distance <= near_m;
            known.is_near = distance <= if known.is_near { near_m * STEPPED_BACK } else { near_m };
            if came {
                events.push(known.event(person.id, Event::CameNear));
            }
        }
        match person.engagement {
            Some(Engagement::Engaged) if !known.was_engaged => {
                known.was_engaged = true;
                events.push(known.event(person.id, Event::Engaged));
            }
            Some(Engagement::Disengaged) if known.was_engaged => {
                known.was_engaged = false;
                events.push(known.event(person.id, Event::Disengaged));
            }
            _ => {}
        }
        if before != person.emotion {
            let after = now.saturating_sub(known.shown_since);
            known.shown_since = now;
            let changed = Event::ExpressionChanged { from: before, after };
            events.push(known.event(person.id, changed));
        }
    }
}

impl Known {
    fn event(&self, id: FaceId, event: Event) -> PersonEvent {
        PersonEvent {
            id,
            event,
            emotion: self.emotion,
            distance_m: self.distance_m,
            in_view: self.last_seen.saturating_sub(self.first_seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Face;
    use crate::geometry::{Point, Rect};
    use crate::pose::HeadPose;
    use rapport_vocabulary::{Affect, Distribution};

    fn person(emotion: Emotion, distance_m: f64, engagement: Option<Engagement>) -> Person {
        let face = Face {
            roi_in_image: Rect { x: 0.0, y: 0.0, width: 9.0, height: 9.0 },
            probability: 1.0,
            score: 1.0,
            landmarks: [Point { x: 0.0, y: 0.0 }; 5],
        };
        let distribution = Distribution::of_pairs([(emotion, 1.0)]);
        Person {
            id: FaceId::in_letters(1),
            face,
            first_seen: Duration::from_secs(10),
            pose: Some(HeadPose {
                position_m: [0.0, 0.0, distance_m],
                orientation: [0.0, 0.0, 0.0, 1.0],
                distance_std_m: 0.1,
            }),
            facing: None,
            engagement,
            emotion,
            probabilities: distribution,
            instant_probabilities: distribution,
            instant_emotion: emotion,
            distribution_age: Duration::ZERO,
            affect: Affect { valence: 0.0, arousal: 0.0 },
            sure: true,
        }
    }

    #[test]
    fn a_visit_is_told_once_each() {
        let mut events = Events::default();
        let mut at = |ms: u64, people: &[Person], knows: bool| {
            let now = Duration::from_millis(ms);
            let told = events.update(people, |_| knows, now, 1.2);
            told.into_iter().map(|event| event.event).collect::<Vec<_>>()
        };
        let neutral = |m, engagement| [person(Emotion::Neutral, m, engagement)];
        assert_eq!(at(10_100, &neutral(2.0, None), true), [Event::Appeared]);
        assert_eq!(at(10_200, &neutral(2.0, None), true), []);
        assert_eq!(at(10_300, &neutral(1.1, None), true), [Event::CameNear]);
        // Trembles about the border.
        assert_eq!(at(10_400, &neutral(1.25, None), true), []);
        assert_eq!(at(10_500, &neutral(1.15, None), true), []);
        let engaged = Some(Engagement::Engaged);
        assert_eq!(at(10_600, &neutral(1.0, engaged), true), [Event::Engaged]);
        assert_eq!(at(10_700, &neutral(1.0, Some(Engagement::Disengaging)), true), []);
        assert_eq!(at(10_800, &neutral(1.0, engaged), true), [], "never ended");
        let happy = [person(Emotion::Happy, 1.0, engaged)];
        let after = Duration::from_millis(800);
        let changed = Event::ExpressionChanged { from: Emotion::Neutral, after };
        assert_eq!(at(10_900, &happy, true), [changed]);
        let away = [person(Emotion::Happy, 3.0, Some(Engagement::Disengaged))];
        assert_eq!(at(11_000, &away, true), [Event::Disengaged]);
        assert_eq!(at(11_100, &[], true), [], "only missed");
        assert_eq!(at(12_000, &[], false), [Event::Lost]);
        assert_eq!(at(12_100, &[], false), []);
    }

    #[test]
    fn who_left_is_told_as_they_were_last() {
        let mut events = Events::default();
        let now = Duration::from_secs(14);
        events.update(&[person(Emotion::Sad, 2.5, None)], |_| true, now, 1.2);
        let [lost] = events.all_lost()[..] else { panic!("one event") };
        assert_eq!((lost.event, lost.emotion), (Event::Lost, Emotion::Sad));
        assert_eq!((lost.distance_m, lost.in_view), (Some(2.5), Duration::from_secs(4)));
        assert!(events.all_lost().is_empty());
    }
}
