//! Smoothing each face's distribution over time, and keeping its label from flickering.

use std::collections::HashMap;
use std::time::Duration;

use crate::track::FaceId;
use rapport_vocabulary::{DecisionRule, Distribution, Emotion, LabelSet};

/// How distributions are smoothed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothOptions {
    /// Time constant: after this long, a lasting change has come through by 63 %. Zero: none.
    /// In seconds, so that a slower camera changes nothing.
    pub time_constant: Duration,
    /// The lead of another label that counts for nothing, 0 to 1: by how much its probability in one
    /// image, times its weight in the model's decision rule, exceeds that of the present label.
    pub switch_margin: f32,
    /// How long another label must lead for certain (by 1) before the label changes. A smaller lead
    /// takes longer: what it has beyond the margin is added up over time, and what it lacks is
    /// taken away. A mouth that opens to speak shows surprise for less than this.
    pub switch_after: Duration,
}

impl Default for SmoothOptions {
    fn default() -> Self {
        // What `tests/test_talking.py` holds: a talking face keeps its label, and a true change is
        // followed within 0.6 s.
        Self {
            time_constant: Duration::from_millis(250),
            switch_margin: 0.2,
            switch_after: Duration::from_millis(330),
        }
    }
}

/// How a distribution becomes a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The labels that the model tells apart.
    pub labels: LabelSet,
    /// The model's rule.
    pub decision: DecisionRule,
}

impl Reading {
    /// The label that is reported for a distribution, apart from any hysteresis.
    pub fn label(&self, distribution: &Distribution) -> Emotion {
        self.decision.label(distribution, &self.labels)
    }
}

/// A smoothed distribution and the label that goes with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothed {
    /// The distribution.
    pub probabilities: Distribution,
    /// The label, which within the switch margin need not be the most probable one.
    pub emotion: Emotion,
}

#[derive(Debug)]
struct State {
    time: Duration,
    shown: Smoothed,
    /// For each label, its lead beyond the margin added up over time, in seconds, at least 0
    /// (a cumulative sum; Page, "Continuous Inspection Schemes", Biometrika 1954).
    evidence_secs: [f32; Emotion::COUNT],
}

/// The smoothing state of all faces in view.
#[derive(Debug)]
pub struct Smoother {
    options: SmoothOptions,
    faces: HashMap<FaceId, State>,
}

impl Smoother {
    /// A smoother that has seen nobody.
    pub fn new(options: SmoothOptions) -> Self {
        Self { options, faces: HashMap::new() }
    }

    /// Goes on with other options.
    pub fn set_options(&mut self, options: SmoothOptions) {
        self.options = options;
    }

    /// Takes what the network saw in one face at `stamp` and returns the smoothed view of it:
    /// an exponential mean whose weight depends on the time passed, not on the number of images.
    pub fn update(
        &mut self,
        id: FaceId,
        seen: &Distribution,
        stamp: Duration,
        reading: &Reading,
    ) -> Smoothed {
        let state = self.faces.entry(id).or_insert_with(|| State {
            time: stamp,
            shown: Smoothed { probabilities: *seen, emotion: reading.label(seen) },
            evidence_secs: [0.0; Emotion::COUNT],
        });
        let passed = stamp.saturating_sub(state.time).as_secs_f32();
        let constant = self.options.time_constant.as_secs_f32();
        let weight = if constant > 0.0 { 1.0 - (-passed / constant).exp() } else { 1.0 };
        let shown = &mut state.shown;
        for (mean, new) in shown.probabilities.0.iter_mut().zip(seen.0) {
            *mean += weight * (new - *mean);
        }
        let asked_secs =
            self.options.switch_after.as_secs_f32() * (1.0 - self.options.switch_margin);
        let decision = &reading.decision;
        let mut next: Option<(Emotion, f32)> = None;
        for label in reading.labels.iter().filter(|label| *label != shown.emotion) {
            let beyond = decision.lead(seen, label, shown.emotion) - self.options.switch_margin;
            let evidence = &mut state.evidence_secs[label as usize];
            *evidence = (*evidence + beyond * passed).max(0.0);
            let enough = beyond > 0.0 && *evidence >= asked_secs
                // The label is never ahead of the distribution that goes with it.
                && decision.lead(&shown.probabilities, label, shown.emotion) > 0.0;
            if enough && next.is_none_or(|(_, most)| *evidence > most) {
                next = Some((label, *evidence));
            }
        }
        if let Some((label, _)) = next {
            shown.emotion = label;
            state.evidence_secs = [0.0; Emotion::COUNT];
        }
        state.time = stamp;
        state.shown
    }

    /// The smoothed view of a face as it was last.
    pub fn last(&self, id: FaceId) -> Option<Smoothed> {
        self.faces.get(&id).map(|state| state.shown)
    }

    /// Forgets all faces but those that `known` keeps.
    pub fn retain(&mut self, known: impl Fn(FaceId) -> bool) {
        self.faces.retain(|&id, _| known(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::{TrackOptions, Tracker};

    fn id() -> FaceId {
        let face = crate::detect::Face {
            roi_in_image: crate::geometry::Rect { x: 0.0, y: 0.0, width: 9.0, height: 9.0 },
            probability: 1.0,
            score: 1.0,
            landmarks: [crate::geometry::Point { x: 0.0, y: 0.0 }; 5],
        };
        let options = TrackOptions { confirm_hits: 1, ..TrackOptions::default() };
        Tracker::new(options).update(&[face], Duration::ZERO)[0].id
    }

    fn reading() -> Reading {
        Reading { labels: LabelSet::seven(), decision: DecisionRule::default() }
    }

    fn only(emotion: Emotion) -> Distribution {
        let mut values = [0.0; Emotion::COUNT];
        values[emotion as usize] = 1.0;
        Distribution(values)
    }

    #[test]
    fn half_the_frames_give_the_same_mean_at_the_same_time() {
        let after_one_second = |period_ms: u64| {
            let mut smoother = Smoother::new(SmoothOptions::default());
            smoother.update(id(), &only(Emotion::Neutral), Duration::ZERO, &reading());
            let mut last = None;
            for ms in (period_ms..=1000).step_by(period_ms as usize) {
                last = Some(smoother.update(
                    id(),
                    &only(Emotion::Happy),
                    Duration::from_millis(ms),
                    &reading(),
                ));
            }
            last.unwrap().probabilities.of(Emotion::Happy)
        };
        let (fast, slow) = (after_one_second(20), after_one_second(200));
        assert!((fast - slow).abs() < 1e-4, "{fast} {slow}");
        assert!((fast - (1.0 - (-1.0f32 / 0.25).exp())).abs() < 1e-4, "{fast}");
    }

    #[test]
    fn a_label_changes_only_past_the_margin() {
        let mut smoother = Smoother::new(SmoothOptions {
            time_constant: Duration::ZERO,
            switch_margin: 0.08,
            switch_after: Duration::ZERO,
        });
        let mix = |happy: f32| {
            Distribution::of_pairs([(Emotion::Happy, happy), (Emotion::Neutral, 1.0 - happy)])
        };
        let mut label =
            |happy: f32| smoother.update(id(), &mix(happy), Duration::ZERO, &reading()).emotion;
        assert_eq!(label(0.45), Emotion::Neutral);
        assert_eq!(label(0.53), Emotion::Neutral);
        assert_eq!(label(0.56), Emotion::Happy);
        assert_eq!(label(0.48), Emotion::Happy);
    }

    #[test]
    fn a_label_changes_only_once_another_has_led_for_a_while() {
        let options = SmoothOptions { time_constant: Duration::ZERO, ..SmoothOptions::default() };
        let mut smoother = Smoother::new(options);
        let mut label = |emotion: Emotion, ms: u64| {
            smoother.update(id(), &only(emotion), Duration::from_millis(ms), &reading()).emotion
        };
        assert_eq!(label(Emotion::Neutral, 0), Emotion::Neutral);
        // A word that opens the mouth; then the face at rest takes away what that had added.
        assert_eq!(label(Emotion::Surprise, 100), Emotion::Neutral);
        assert_eq!(label(Emotion::Surprise, 200), Emotion::Neutral);
        assert_eq!(label(Emotion::Neutral, 300), Emotion::Neutral);
        assert_eq!(label(Emotion::Neutral, 400), Emotion::Neutral);
        assert_eq!(label(Emotion::Surprise, 500), Emotion::Neutral);
        assert_eq!(label(Emotion::Surprise, 600), Emotion::Neutral);
        assert_eq!(label(Emotion::Surprise, 700), Emotion::Neutral);
        assert_eq!(label(Emotion::Surprise, 800), Emotion::Surprise);
        // A camera that sends one image a second is not made to wait for more.
        assert_eq!(label(Emotion::Neutral, 1800), Emotion::Neutral);
    }

    #[test]
    fn a_smaller_lead_takes_longer() {
        let secs_until_happy = |happy: f32| {
            let mut smoother = Smoother::new(SmoothOptions::default());
            smoother.update(id(), &only(Emotion::Neutral), Duration::ZERO, &reading());
            let seen =
                Distribution::of_pairs([(Emotion::Happy, happy), (Emotion::Neutral, 1.0 - happy)]);
            (1u8..200).map(|step| f32::from(step) * 0.03).find(|&secs| {
                let time = Duration::from_secs_f32(secs);
                smoother.update(id(), &seen, time, &reading()).emotion == Emotion::Happy
            })
        };
        let (certain, likely) = (secs_until_happy(1.0).unwrap(), secs_until_happy(0.75).unwrap());
        assert!((0.3..0.4).contains(&certain), "{certain}");
        assert!((0.8..1.0).contains(&likely), "{likely}");
        assert_eq!(secs_until_happy(0.55), None, "within the margin");
    }

    #[test]
    fn forgotten_faces_start_anew() {
        let mut smoother = Smoother::new(SmoothOptions::default());
        smoother.update(id(), &only(Emotion::Sad), Duration::ZERO, &reading());
        smoother.retain(|_| false);
        let seen =
            smoother.update(id(), &only(Emotion::Happy), Duration::from_millis(1), &reading());
        assert_eq!(seen.probabilities.of(Emotion::Happy), 1.0);
    }
}
