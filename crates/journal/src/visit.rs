//! One visit: from the image in which a person comes into view to the last one. In memory only.

use std::collections::VecDeque;
use std::time::Duration;

use rapport_vocabulary::{Emotion, Engagement};

use crate::histogram::{Feature, ImageCounts};
use crate::observation::PersonSeen;

/// How long a person who is not seen is still there. Then the visit is over.
pub(crate) const GAP: Duration = Duration::from_secs(5);
/// A face in view for less than this is no visit: somebody walked by, or it was no face.
const SHORTEST: Duration = Duration::from_secs(1);
/// A visit that takes longer is counted with its first hour, and what follows is not: it is a
/// member of staff, or a face on a poster.
const LONGEST: Duration = Duration::from_secs(3600);
/// What belongs to "now" and to "the end of a visit".
const MOMENT: Duration = Duration::from_secs(3);
/// The answer takes effect after this; then comes the [`MOMENT`] that is looked at.
const REACTION: Duration = Duration::from_secs(1);
/// Who shows happy for less than this in a visit did not smile.
const SMILE_SECS: f64 = 1.0;
/// More rules in one visit are not followed.
const MOST_ANSWERS: usize = 32;

/// What was true in the last image.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Label, sure.
    shown: Option<(Emotion, bool)>,
    is_engaged: bool,
}

/// Valence over a few seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    images: u32,
    valence_sum: f64,
    has_smile: bool,
}

impl Window {
    fn add(&mut self, valence: f32, is_smile: bool) {
        self.images += 1;
        self.valence_sum += f64::from(valence);
        self.has_smile |= is_smile;
    }

    fn moment(self) -> Option<Moment> {
        (self.images > 0).then(|| Moment {
            valence: self.valence_sum / f64::from(self.images),
            is_smiling: self.has_smile,
        })
    }
}

/// What a face showed for three seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Mean valence, -1 to 1.
    pub(crate) valence: f64,
    /// Whether happy was among the labels.
    pub(crate) is_smiling: bool,
}

#[derive(Debug)]
struct Answered {
    rule: String,
    at: Duration,
    times: u64,
    before: Option<Moment>,
    after: Window,
}

/// A visit that goes on.
#[derive(Debug)]
pub(crate) struct OpenVisit {
    first: Duration,
    last: Duration,
    /// Past the longest: only its end is waited for.
    is_counted: bool,
    state: State,
    knows_engagement: bool,
    engaged_secs: f64,
    shown_secs: [f64; Emotion::COUNT],
    unsure_secs: f64,
    peak: Option<f32>,
    recent: VecDeque<(Duration, f32, bool)>,
    confidence_sum: f64,
    classified: u32,
    images: ImageCounts,
    answers: Vec<Answered>,
}

/// A visit that is over.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) view_secs: f64,
    /// Seconds engaged, where it was known whether.
    pub(crate) engaged_secs: Option<f64>,
    /// Seconds of each expression that was sure.
    pub(crate) shown_secs: [f64; Emotion::COUNT],
    /// Seconds of expressions that were not.
    pub(crate) unsure_secs: f64,
    /// The valence farthest from 0, where any expression was sure.
    pub(crate) valence_at_peak: Option<f64>,
    /// Mean valence of the last three seconds, where any expression in them was sure.
    pub(crate) valence_at_end: Option<f64>,
    /// Mean confidence over the images in which the face was classified.
    pub(crate) confidence: Option<f64>,
    pub(crate) images: ImageCounts,
    pub(crate) answers: Vec<AnsweredVisit>,
}

/// That a rule fired in a visit, and what the face showed before and after the first time.
#[derive(Debug)]
pub(crate) struct AnsweredVisit {
    pub(crate) rule: String,
    pub(crate) times: u64,
    /// Where both are known.
    pub(crate) before_and_after: Option<(Moment, Moment)>,
}

impl Visit {
    /// Whether the face was classified at all.
    pub(crate) fn is_shown(&self) -> bool {
        self.confidence.is_some()
    }

    /// Whether happy was shown for a second or more; nothing where no expression was sure.
    pub(crate) fn has_smile(&self) -> Option<bool> {
        let sure_secs: f64 = self.shown_secs.iter().sum();
        (sure_secs > 0.0).then(|| self.shown_secs[Emotion::Happy as usize] >= SMILE_SECS)
    }
}

impl OpenVisit {
    pub(crate) fn new(at: Duration) -> Self {
        Self {
            first: at,
            last: at,
            is_counted: false,
            state: State::default(),
            knows_engagement: false,
            engaged_secs: 0.0,
            shown_secs: [0.0; Emotion::COUNT],
            unsure_secs: 0.0,
            peak: None,
            recent: VecDeque::new(),
            confidence_sum: 0.0,
            classified: 0,
            images: ImageCounts::default(),
            answers: Vec::new(),
        }
    }

    /// The time from which on the visit is over if the person is not seen again.
    pub(crate) fn ends(&self) -> Duration {
        self.last + GAP
    }

    /// Takes in what is seen. `at` is not before the last image. Gives the visit if it has just
    /// become the longest that there is.
    pub(crate) fn see(&mut self, at: Duration, person: &PersonSeen<'_>) -> Option<Visit> {
        let secs = at.saturating_sub(self.last).as_secs_f64();
        self.last = at;
        if self.is_counted {
            return None;
        }
        // What was true in the last image was true until this one.
        match self.state.shown {
            Some((label, true)) => self.shown_secs[label as usize] += secs,
            Some((_, false)) => self.unsure_secs += secs,
            None => {}
        }
        if self.state.is_engaged {
            self.engaged_secs += secs;
        }
        self.knows_engagement |= person.engagement.is_some();
        self.state.is_engaged = person.engagement == Some(Engagement::Engaged);
        self.state.shown = None;
        self.images.add(Feature::FaceSize, person.face_size_px);
        self.images.add(Feature::Brightness, person.brightness.unwrap_or(f32::NAN));
        self.images.add(Feature::Blur, person.blur.unwrap_or(f32::NAN));
        if let Some(expression) = person.expression {
            self.state.shown = Some((expression.label, expression.sure));
            self.images.add(Feature::Expression, expression.label as usize as f32);
            self.images.add(Feature::Confidence, expression.confidence);
            if expression.confidence.is_finite() {
                self.confidence_sum += f64::from(expression.confidence.clamp(0.0, 1.0));
                self.classified += 1;
            }
            if expression.sure && expression.valence.is_finite() {
                self.feel(at, expression.valence.clamp(-1.0, 1.0), expression.label);
            }
        }
        let is_longest = at.saturating_sub(self.first) >= LONGEST;
        if !is_longest {
            return None;
        }
        let visit = std::mem::replace(self, Self::new(at)).over();
        self.is_counted = true;
        visit
    }

    /// Takes in the valence of a sure expression.
    fn feel(&mut self, at: Duration, valence: f32, label: Emotion) {
        let is_smile = label == Emotion::Happy;
        if self.peak.is_none_or(|peak| valence.abs() > peak.abs()) {
            self.peak = Some(valence);
        }
        for answer in &mut self.answers {
            let since = at.saturating_sub(answer.at);
            if since >= REACTION && since < REACTION + MOMENT {
                answer.after.add(valence, is_smile);
            }
        }
        self.recent.push_back((at, valence, is_smile));
        self.forget(at);
    }

    fn forget(&mut self, at: Duration) {
        while self.recent.front().is_some_and(|(then, ..)| at.saturating_sub(*then) >= MOMENT) {
            self.recent.pop_front();
        }
    }

    fn moment(&self) -> Option<Moment> {
        let mut window = Window::default();
        self.recent.iter().for_each(|&(_, valence, is_smile)| window.add(valence, is_smile));
        window.moment()
    }

    /// Takes in that a rule fired.
    pub(crate) fn answer(&mut self, at: Duration, rule: &str) {
        if self.is_counted {
            return;
        }
        if let Some(answered) = self.answers.iter_mut().find(|answered| answered.rule == rule) {
            answered.times += 1;
        } else if self.answers.len() < MOST_ANSWERS {
            self.forget(at);
            let before = self.moment();
            let after = Window::default();
            self.answers.push(Answered { rule: rule.to_owned(), at, times: 1, before, after });
        }
    }

    /// The visit now that it is over; nothing if it was too short to be one, or is counted already.
    pub(crate) fn over(mut self) -> Option<Visit> {
        let view = self.last.saturating_sub(self.first);
        if self.is_counted || view < SHORTEST {
            return None;
        }
        self.forget(self.last);
        let valence_at_end = self.moment().map(|moment| moment.valence);
        let answers = self.answers.into_iter().map(|answered| AnsweredVisit {
            rule: answered.rule,
            times: answered.times,
            before_and_after: answered.before.zip(answered.after.moment()),
        });
        Some(Visit {
            view_secs: view.as_secs_f64(),
            engaged_secs: self.knows_engagement.then_some(self.engaged_secs),
            shown_secs: self.shown_secs,
            unsure_secs: self.unsure_secs,
            valence_at_peak: self.peak.map(f64::from),
            valence_at_end,
            confidence: (self.classified > 0)
                .then(|| self.confidence_sum / f64::from(self.classified)),
            images: self.images,
            answers: answers.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::ExpressionSeen;

    fn shows(label: Emotion, sure: bool, valence: f32) -> PersonSeen<'static> {
        PersonSeen {
            id: "face_1",
            expression: Some(ExpressionSeen { label, sure, confidence: 0.8, valence }),
            engagement: Some(Engagement::Engaged),
            face_size_px: 80.0,
            brightness: Some(0.5),
            blur: None,
        }
    }

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    /// Ten images a second.
    fn see(visit: &mut OpenVisit, from: f64, to: f64, person: &PersonSeen<'_>) {
        let images = ((to - from) * 10.0).round() as u32;
        for image in 0..images {
            assert!(visit.see(secs(from + f64::from(image) / 10.0), person).is_none());
        }
    }

    #[test]
    fn times_peaks_and_ends_are_those_of_what_was_shown() {
        let mut visit = OpenVisit::new(secs(100.0));
        see(&mut visit, 100.0, 104.0, &shows(Emotion::Neutral, true, 0.1));
        see(&mut visit, 104.0, 106.0, &shows(Emotion::Sad, true, -0.6));
        see(&mut visit, 106.0, 107.0, &shows(Emotion::Angry, false, -0.9));
        see(&mut visit, 107.0, 111.1, &shows(Emotion::Happy, true, 0.5));
        let visit = visit.over().unwrap();
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-3, "{found}");
        near(visit.view_secs, 11.0);
        near(visit.engaged_secs.unwrap(), 11.0);
        near(visit.shown_secs[Emotion::Neutral as usize], 4.0);
        near(visit.shown_secs[Emotion::Happy as usize], 4.0);
        near(visit.unsure_secs, 1.0);
        near(visit.valence_at_peak.unwrap(), -0.6);
        near(visit.valence_at_end.unwrap(), 0.5);
        assert_eq!(visit.has_smile(), Some(true));
    }

    #[test]
    fn a_rule_that_fires_again_is_one_answered_visit() {
        let mut visit = OpenVisit::new(secs(0.0));
        see(&mut visit, 0.0, 5.0, &shows(Emotion::Sad, true, -0.6));
        visit.answer(secs(5.0), "comfort");
        see(&mut visit, 5.0, 7.0, &shows(Emotion::Neutral, true, 0.0));
        visit.answer(secs(7.0), "comfort");
        visit.answer(secs(7.0), "late");
        see(&mut visit, 7.0, 7.5, &shows(Emotion::Happy, true, 0.8));
        let [comfort, late] = &visit.over().unwrap().answers[..] else { panic!() };
        assert_eq!((comfort.rule.as_str(), comfort.times), ("comfort", 2));
        let (before, after) = comfort.before_and_after.unwrap();
        assert!((before.valence + 0.6).abs() < 1e-6 && !before.is_smiling);
        // Seconds 6 to 7.5: ten images neutral, five happy.
        assert!((after.valence - 0.8 / 3.0).abs() < 1e-6 && after.is_smiling, "{after:?}");
        assert_eq!(late.before_and_after, None);
    }

    #[test]
    fn a_face_that_passes_is_no_visit_and_one_that_stays_for_hours_is_one() {
        let mut passes = OpenVisit::new(secs(0.0));
        see(&mut passes, 0.0, 0.9, &shows(Emotion::Happy, true, 0.8));
        assert!(passes.over().is_none());

        let mut stays = OpenVisit::new(secs(0.0));
        let visits = (0..30_000)
            .filter_map(|at| stays.see(secs(f64::from(at)), &shows(Emotion::Happy, true, 0.8)));
        let visits: Vec<Visit> = visits.collect();
        assert_eq!(visits.len(), 1);
        assert_eq!(visits[0].view_secs, 3600.0);
        assert!(stays.over().is_none());
    }

    #[test]
    fn numbers_that_are_none_are_unknown() {
        let mut visit = OpenVisit::new(secs(0.0));
        let mut person = shows(Emotion::Happy, true, f32::NAN);
        person.face_size_px = f32::INFINITY;
        person.engagement = None;
        if let Some(expression) = &mut person.expression {
            expression.confidence = f32::NAN;
        }
        see(&mut visit, 0.0, 3.0, &person);
        let visit = visit.over().unwrap();
        assert_eq!(
            (visit.confidence, visit.valence_at_end, visit.engaged_secs),
            (None, None, None)
        );
        assert!(!visit.is_shown());
    }
}
