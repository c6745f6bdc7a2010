//! Whether people attend to the camera, and whom to look at.
//!
//! The rule and its thresholds are those of hri_engagement (ros4hri), so that a robot that moves from one
//! to the other sees the same: from where the head points and where the person is comes a score (Webb and
//! Lemaignan, "Measuring Visual Social Engagement from Proxemics and Gaze", RO-MAN 2022); whether it is
//! above a threshold is averaged over a window, and the mean moves the person from one state to the
//! next.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rapport_vocabulary::Engagement;

use crate::pose::{Facing, Head};
use crate::track::FaceId;

/// How often it is judged whether a person attends, as hri_engagement does: ten times a second.
const PERIOD: Duration = Duration::from_millis(100);

/// The means, -1 to 1, at which a person begins to attend, gives that up, and comes back or leaves
/// while turning away.
const BEGIN: f32 = -0.4;
const GIVE_UP: f32 = -0.6;
const COME_BACK: f32 = 0.6;
const END: f32 = -0.5;

/// How attention is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionOptions {
    /// Over how long it is averaged. Nothing is said before half of it.
    pub window: Duration,
    /// Half of the field in which somebody attends to the camera, in degrees, and half of the camera's
    /// own: at its edge the score is 0.
    pub half_field_deg: f32,
    /// Farther away than this, in metres, nobody attends.
    pub max_distance_m: f32,
    /// The score, 0 to 1, above which a person attends at the moment.
    pub min_score: f32,
    /// The mean, -1 to 1, above which a person who began to attend is engaged.
    pub enter: f32,
    /// The mean, -1 to 1, below which an engaged person begins to turn away.
    pub leave: f32,
    /// Nearer than this, in metres, somebody has come near: the personal distance of
    /// hri_person_manager.
    pub near_m: f32,
    /// Farther away than this, in metres, nobody is looked at: the social distance of
    /// hri_person_manager.
    pub look_at_m: f32,
    /// By how much nearer, in metres, another person must be to be looked at instead.
    pub look_margin_m: f32,
    /// For how long another person must lead to be looked at instead.
    pub look_dwell: Duration,
}

impl Default for AttentionOptions {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            half_field_deg: 60.0,
            max_distance_m: 4.0,
            min_score: 0.5,
            enter: 0.5,
            leave: 0.4,
            near_m: 1.2,
            look_at_m: 3.6,
            look_margin_m: 0.3,
            look_dwell: Duration::from_secs(1),
        }
    }
}

impl AttentionOptions {
    /// How much a person attends, 0 to 1: how near the camera is to the line that the face points along,
    /// times how near the face is to the camera's axis, times a share that falls with the distance.
    /// Where that is not known, the two angles alone count.
    pub fn score(&self, facing: Facing, distance_m: Option<f64>) -> f32 {
        let widest = f64::from(self.half_field_deg).to_radians().tan();
        let near_axis = |off_deg: f64| {
            let is_ahead = off_deg < 90.0;
            if is_ahead { (1.0 - off_deg.to_radians().tan() / widest).max(0.0) } else { 0.0 }
        };
        let farthest = f64::from(self.max_distance_m);
        let nearness = match distance_m {
            None => 1.0,
            Some(distance) if distance > farthest => 0.0,
            Some(distance) => (farthest + 1.0 - distance).ln() / (farthest + 1.0).ln(),
        };
        let score = near_axis(facing.off_deg) * near_axis(facing.bearing_deg) * nearness;
        score.clamp(0.0, 1.0) as f32
    }
}

/// The attention of one person.
#[derive(Debug, Default)]
struct History {
    /// When it was judged, and whether the person attended.
    judged: VecDeque<(Duration, bool)>,
    first: Option<Duration>,
    engagement: Option<Engagement>,
}

impl History {
    fn judge(&mut self, attends: bool, now: Duration, options: &AttentionOptions) {
        let is_due = self.judged.back().is_none_or(|(last, _)| {
            // Half an image early is nearer than half of one late.
            now.saturating_sub(*last) + Duration::from_millis(15) >= PERIOD
        });
        if !is_due {
            return;
        }
        self.judged.push_back((now, attends));
        let first = *self.first.get_or_insert(now);
        while self.judged.front().is_some_and(|(at, _)| now.saturating_sub(*at) > options.window) {
            self.judged.pop_front();
        }
        if now.saturating_sub(first) < options.window / 2 {
            return;
        }
        let attended = self.judged.iter().filter(|(_, attends)| *attends).count() as f32;
        let mean = 2.0 * attended / self.judged.len() as f32 - 1.0;
        self.engagement = Some(next(self.engagement, mean, options));
    }
}

/// The state that follows, by the mean of the window.
fn next(now: Option<Engagement>, mean: f32, options: &AttentionOptions) -> Engagement {
    use Engagement::{Disengaged, Disengaging, Engaged, Engaging};
    match now {
        None => Disengaged,
        Some(Disengaged) if mean > BEGIN => Engaging,
        Some(Engaging) if mean < GIVE_UP => Disengaged,
        Some(Engaging) if mean > options.enter => Engaged,
        Some(Engaged) if mean < options.leave => Disengaging,
        Some(Disengaging) if mean > COME_BACK => Engaged,
        Some(Disengaging) if mean < END => Disengaged,
        Some(same) => same,
    }
}

/// The attention of all people in view.
#[derive(Debug, Default)]
pub struct Attention {
    people: HashMap<FaceId, History>,
    look: Look,
}

/// What is known of a person in one frame, to choose whom to look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Who.
    pub id: FaceId,
    /// How far away, in metres.
    pub distance_m: f64,
    /// Whether the person is engaged.
    pub is_engaged: bool,
}

#[derive(Debug, Default)]
struct Look {
    at: Option<FaceId>,
    /// Who leads instead, and since when.
    other: Option<(FaceId, Duration)>,
}

impl Attention {
    /// Takes how a person's head was at `now` and returns whether they attend; nothing where that is
    /// not known yet. Where the head is not known, the state stays.
    pub fn update(
        &mut self,
        id: FaceId,
        head: Option<&Head>,
        now: Duration,
        options: &AttentionOptions,
    ) -> Option<Engagement> {
        let history = self.people.entry(id).or_default();
        if let Some(head) = head
            && let Some(facing) = head.facing()
        {
            let distance_m = head.pose().map(|pose| pose.distance_m());
            let attends = options.score(facing, distance_m) > options.min_score;
            history.judge(attends, now, options);
        }
        history.engagement
    }

    /// Whether a person attended last.
    pub fn of(&self, id: FaceId) -> Option<Engagement> {
        self.people.get(&id)?.engagement
    }

    /// Whom to look at: the engaged before the others, then the nearest. Somebody else only once they
    /// have led for a while, so that a head does not jump between two people; who has left is let go at
    /// once. `knows` says whether somebody who is not seen was only missed.
    pub fn look_at(
        &mut self,
        candidates: &[Candidate],
        knows: impl Fn(FaceId) -> bool,
        now: Duration,
        options: &AttentionOptions,
    ) -> Option<FaceId> {
        let near: Vec<&Candidate> =
            candidates.iter().filter(|c| c.distance_m <= f64::from(options.look_at_m)).collect();
        let best = near.iter().min_by(|a, b| {
            b.is_engaged.cmp(&a.is_engaged).then(a.distance_m.total_cmp(&b.distance_m))
        });
        let look = &mut self.look;
        let seen = |id: FaceId| candidates.iter().find(|candidate| candidate.id == id);
        let present = look.at.filter(|&id| match seen(id) {
            // Who is looked at may step back by the margin before they are too far.
            Some(candidate) => {
                candidate.distance_m <= f64::from(options.look_at_m + options.look_margin_m)
            }
            None => knows(id),
        });
        let (Some(present), Some(best)) = (present, best) else {
            *look = Look { at: present.or(best.map(|best| best.id)), other: None };
            return look.at.filter(|&id| seen(id).is_some());
        };
        let leads = best.id != present
            && seen(present).is_none_or(|present| {
                let nearer = present.distance_m - best.distance_m;
                match (best.is_engaged, present.is_engaged) {
                    (true, false) => true,
                    (false, true) => false,
                    _ => nearer > f64::from(options.look_margin_m),
                }
            });
        look.other = leads.then(|| match look.other {
            Some((id, since)) if id == best.id && since <= now => (id, since),
            _ => (best.id, now),
        });
        let is_over =
            look.other.is_some_and(|(_, since)| now.saturating_sub(since) >= options.look_dwell);
        *look = match is_over {
            true => Look { at: Some(best.id), other: None },
            false => Look { at: Some(present), other: look.other },
        };
        look.at.filter(|&id| seen(id).is_some())
    }

    /// Forgets all people but those that `known` keeps.
    pub fn retain(&mut self, known: impl Fn(FaceId) -> bool) {
        self.people.retain(|&id, _| known(id));
        if !self.look.at.is_some_and(&known) {
            self.look = Look::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPTIONS: fn() -> AttentionOptions = AttentionOptions::default;

    fn id(number: u64) -> FaceId {
        FaceId::in_letters(number)
    }

    fn facing(off_deg: f64, bearing_deg: f64) -> Facing {
        Facing { yaw_deg: off_deg, pitch_deg: 0.0, off_deg, bearing_deg }
    }

    #[test]
    fn the_score_falls_to_the_side_and_with_the_distance() {
        let score = |off, bearing, distance| OPTIONS().score(facing(off, bearing), distance);
        assert_eq!(score(0.0, 0.0, None), 1.0);
        // ln(4 + 1 - 1.5) / ln(5)
        assert!((score(0.0, 0.0, Some(1.5)) - 0.778).abs() < 1e-3);
        assert!((score(20.0, 0.0, None) - 0.790).abs() < 1e-3);
        assert!((score(20.0, 20.0, Some(1.5)) - 0.486).abs() < 1e-3);
        assert_eq!(score(60.0, 0.0, None), 0.0);
        assert_eq!(score(170.0, 0.0, None), 0.0, "turned away");
        assert_eq!(score(0.0, 0.0, Some(4.1)), 0.0);
    }

    /// The states of a person who attends or not as `attends` says, with the second at which each
    /// began, at so many images a second.
    fn states(hz: f64, secs: f64, attends: impl Fn(f64) -> bool) -> Vec<(Engagement, f64)> {
        let (mut history, mut states) = (History::default(), Vec::new());
        for image in 0..(secs * hz) as u32 {
            let at = f64::from(image) / hz;
            history.judge(attends(at), Duration::from_secs_f64(at), &OPTIONS());
            if let Some(now) = history.engagement
                && states.last().is_none_or(|(last, _)| *last != now)
            {
                states.push((now, at));
            }
        }
        states
    }

    #[test]
    fn a_visit_goes_through_the_states_in_their_order() {
        use Engagement::{Disengaged, Disengaging, Engaged, Engaging};
        for hz in [5.0, 10.0, 30.0] {
            let visit = states(hz, 40.0, |at| at < 15.0);
            let words: Vec<Engagement> = visit.iter().map(|(state, _)| *state).collect();
            let expected = [Disengaged, Engaging, Engaged, Disengaging, Disengaged];
            assert_eq!(words, expected, "{hz} Hz: {visit:?}");
            // Engaged after half the window; turning away once three tenths of it are lost; gone once
            // three quarters are.
            for (index, expected) in [(0, 5.0), (2, 5.2), (3, 18.1), (4, 22.6)] {
                let at = visit[index].1;
                assert!((at - expected).abs() < 0.5, "{hz} Hz: {visit:?}");
            }
        }
        assert_eq!(states(30.0, 4.9, |_| true), [], "too early to tell");
        // A glance is no engagement.
        let glance = states(30.0, 30.0, |at| (10.0..13.5).contains(&at));
        assert!(glance.iter().all(|(state, _)| *state != Engaged), "{glance:?}");
    }

    fn candidate(number: u64, distance_m: f64, is_engaged: bool) -> Candidate {
        Candidate { id: id(number), distance_m, is_engaged }
    }

    fn look(attention: &mut Attention, ms: u64, candidates: &[Candidate]) -> Option<FaceId> {
        let known = |_| true;
        attention.look_at(candidates, known, Duration::from_millis(ms), &OPTIONS())
    }

    #[test]
    fn the_engaged_and_nearest_is_looked_at_and_a_glance_of_another_changes_nothing() {
        let mut attention = Attention::default();
        let (far, near) = (candidate(1, 2.0, false), candidate(2, 1.5, false));
        assert_eq!(look(&mut attention, 0, &[]), None);
        assert_eq!(look(&mut attention, 100, &[candidate(1, 3.7, true)]), None, "too far");
        assert_eq!(look(&mut attention, 200, &[far]), Some(id(1)));
        // Nearer by more than the margin, but not for long enough; then for long enough.
        assert_eq!(look(&mut attention, 300, &[far, near]), Some(id(1)));
        assert_eq!(look(&mut attention, 1200, &[far, near]), Some(id(1)));
        assert_eq!(look(&mut attention, 1250, &[far, candidate(2, 1.9, false)]), Some(id(1)));
        assert_eq!(look(&mut attention, 1300, &[far, near]), Some(id(1)));
        assert_eq!(look(&mut attention, 2400, &[far, near]), Some(id(2)));
        // Who is engaged comes before who is nearer.
        let engaged = candidate(1, 2.0, true);
        assert_eq!(look(&mut attention, 2500, &[engaged, near]), Some(id(2)));
        assert_eq!(look(&mut attention, 3600, &[engaged, near]), Some(id(1)));
        // Missed for a moment: silent, and nobody else at once.
        assert_eq!(look(&mut attention, 3700, &[near]), None);
        assert_eq!(look(&mut attention, 3800, &[engaged, near]), Some(id(1)));
        // Gone: the next at once.
        attention.retain(|face| face != id(1));
        assert_eq!(look(&mut attention, 3900, &[near]), Some(id(2)));
    }

    proptest! {
        #[test]
        fn a_head_never_jumps_faster_than_the_dwell_while_both_stay(
            distances in prop::collection::vec((0.5f64..3.5, 0.5f64..3.5, any::<bool>()), 50..200),
        ) {
            let mut attention = Attention::default();
            let (mut at, mut changed) = (None, Duration::ZERO);
            for (image, (a, b, engaged)) in distances.into_iter().enumerate() {
                let now = Duration::from_millis(33 * image as u64);
                let candidates = [candidate(1, a, engaged), candidate(2, b, false)];
                let target = attention.look_at(&candidates, |_| true, now, &OPTIONS());
                prop_assert!(target.is_some());
                if at.is_some() && target != at {
                    prop_assert!(now - changed >= OPTIONS().look_dwell, "{now:?} {changed:?}");
                }
                if target != at {
                    (at, changed) = (target, now);
                }
            }
        }
    }
}
