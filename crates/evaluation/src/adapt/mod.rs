//! Learns from people's answers how a network's probabilities are to be read at a site: a temperature
//! and a bias for each label, and for places from which confidence a label is sure. `docs/adapt.md`
//! explains it.
//!
//! - `feedback`: what people answered. `fit`: temperature and biases from it. `folds`: what is held
//!   out together. `interval`: how sure a mean is. `thresholds`: the places. `report`: what came of
//!   it. `store`: where calibrations lie.

mod feedback;
mod fit;
mod folds;
mod interval;
mod report;
mod store;
mod thresholds;

use std::collections::BTreeSet;

use rapport_perception::ModelIdentity;
use rapport_perception::classify::{Calibration, PlaceThreshold};
use rapport_perception::smooth::Reading;
use rapport_vocabulary::{Distribution, Emotion, median};

pub use feedback::{Answer, FEEDBACK_FILE, Feedback, FeedbackCounts, Item};
use fit::{Example, Shift};
use folds::{FOLDS, Groups, fit_with_chosen_penalty, held_out_shifts};
pub use interval::Interval;
use interval::interval;
pub use report::{AdaptReport, ClassReport, Figures, PlaceReport};
pub use store::{Undone, calibration_path, read_calibration, undo_calibration, write_calibration};
use thresholds::{LEAST_OF_PLACE, Reported, threshold};

/// Goes up when keys of the report change their meaning.
const FORMAT_VERSION: u32 = 1;
/// Fewer answers than this that name an expression change nothing.
pub const LEAST_ANSWERS: usize = 100;
/// A label needs so many examples for a bias of its own: faces that show it by the answers, or of which
/// the network says it.
pub const LEAST_EXAMPLES: usize = 10;
/// An answer counts at most so many times the median one.
const MOST_WEIGHT: f64 = 10.0;

/// What came of the answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptation {
    /// What was found.
    pub report: AdaptReport,
    /// What is to be used from now on; nothing where no gain is certain.
    pub calibration: Option<Calibration>,
}

/// Learns from answers about a network. `reading`: the network's own, without a calibration.
/// `in_use`: the calibration that is in use, which a new one must beat.
pub fn adapt(
    feedback: &Feedback,
    model: &ModelIdentity,
    reading: &Reading,
    in_use: Option<&Calibration>,
) -> Adaptation {
    let site = Site::of(feedback, reading, in_use);
    let mut report = site.blank_report(feedback, model);
    let shift = site.learn_shift(&mut report);
    let places = site.learn_places(shift.as_ref(), &mut report);
    let is_new = shift.is_some() || !places.is_empty();
    let calibration = is_new.then(|| {
        let neutral = || Calibration::neutral(model, reading.labels.clone());
        let mut next = in_use.cloned().unwrap_or_else(neutral);
        next.revision += 1;
        if let Some(Learnt { shift, .. }) = &shift {
            (next.temperature, next.bias) = (shift.temperature(), shift.bias());
            // Thresholds on probabilities that are no more.
            next.places.clear();
        }
        next.places.retain(|old| places.iter().all(|new| new.place != old.place));
        next.places.extend(places);
        next
    });
    Adaptation { report, calibration }
}

/// The answers of a site, ready for arithmetic.
struct Site<'a> {
    reading: &'a Reading,
    in_use: Option<&'a Calibration>,
    /// Those that name an expression, and their examples.
    named: Vec<&'a Item>,
    examples: Vec<Example>,
    /// Those that say it is no face, with their weights.
    no_faces: Vec<(&'a Item, f64)>,
    capped: u64,
}

/// Temperature and biases that are accepted.
struct Learnt {
    /// Fitted to all answers.
    shift: Shift,
    /// For each example, fitted without it.
    held_out: Vec<Shift>,
}

impl<'a> Site<'a> {
    fn of(feedback: &'a Feedback, reading: &'a Reading, in_use: Option<&'a Calibration>) -> Self {
        let mut weights: Vec<f64> = feedback.items.iter().map(|item| item.weight).collect();
        weights.sort_by(f64::total_cmp);
        let most = median(&weights).unwrap_or(1.0) * MOST_WEIGHT;
        let mut site = Self {
            reading,
            in_use,
            named: Vec::new(),
            examples: Vec::new(),
            no_faces: Vec::new(),
            capped: 0,
        };
        for item in feedback.items.iter().filter(|item| item.answer != Answer::CantTell) {
            site.capped += u64::from(item.weight > most);
            let weight = item.weight.min(most);
            match Example::of(item, &reading.labels, weight) {
                Some(example) => {
                    site.named.push(item);
                    site.examples.push(example);
                }
                None => site.no_faces.push((item, weight)),
            }
        }
        site
    }

    fn blank_report(&self, feedback: &Feedback, model: &ModelIdentity) -> AdaptReport {
        AdaptReport {
            format_version: FORMAT_VERSION,
            model: model.name.clone(),
            model_sha256: model.sha256.clone(),
            feedback: feedback.counts(),
            capped_weights: self.capped,
            grouped_by_day: false,
            before: None,
            after: None,
            log_loss_improvement: None,
            right_improvement: None,
            temperature: None,
            classes: Vec::new(),
            places: Vec::new(),
            accepted_calibration: false,
            lost_labels: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// What is in use.
    fn before(&self) -> Shift {
        self.in_use.map_or(Shift::NONE, |found| Shift::new(found.temperature, &found.bias))
    }

    /// Temperature and biases; nothing where no gain is certain, and the report says why.
    fn learn_shift(&self, report: &mut AdaptReport) -> Option<Learnt> {
        let n = self.examples.len();
        if n < LEAST_ANSWERS {
            let why = format!("{n} answers name an expression, expected {LEAST_ANSWERS} or more");
            report.refusals.push(why);
            return None;
        }
        let free = self.free();
        if free.iter().filter(|is_free| **is_free).count() < 2 {
            report.refusals.push(format!(
                "fewer than two labels have {LEAST_EXAMPLES} examples, so there is nothing to tell \
                 apart"
            ));
            return None;
        }
        let groups = Groups::of(&self.named);
        report.grouped_by_day = groups.are_days;
        let held_out = held_out_shifts(&self.examples, &groups.folds(FOLDS), &free);
        let all: Vec<&Example> = self.examples.iter().collect();
        let shift = fit_with_chosen_penalty(&all, &free);
        let before = vec![self.before(); n];
        report.before = Some(self.figures(&before, true));
        report.after = Some(self.figures(&held_out, false));
        report.classes = self.classes(&before, &held_out, &free, &shift);
        report.temperature = Some(shift.temperature());
        let is_lost = |class: &&ClassReport| {
            let recall = class.recall_before.zip(class.recall_after);
            class.answers >= LEAST_EXAMPLES as u64
                && recall.is_some_and(|(before, after)| after < before / 2.0)
        };
        report.lost_labels = report.classes.iter().filter(is_lost).map(|c| c.label).collect();

        let differences = |figure: &dyn Fn(&Example, &Shift) -> f64| {
            let pairs = self.examples.iter().zip(before.iter().zip(&held_out));
            let differences: Vec<(f64, f64, usize)> = pairs
                .zip(&groups.of_item)
                .map(|((example, (before, after)), &group)| {
                    (figure(example, after) - figure(example, before), example.weight, group)
                })
                .collect();
            interval(differences)
        };
        let better = differences(&|example, shift| -shift.log_loss(example));
        let right = differences(&|example, shift| f64::from(self.is_right(example, shift)));
        (report.log_loss_improvement, report.right_improvement) = (better, right);
        match better {
            Some(found) if found.lower > 0.0 => {}
            Some(found) => report.refusals.push(format!(
                "nothing is gained for certain: held out, the log-loss falls by {:.4}, in 95 % of \
                 cases between {:.4} and {:.4}, expected above 0",
                found.mean, found.lower, found.upper
            )),
            None => report.refusals.push("too few answers for an interval".to_owned()),
        }
        if let Some(found) = right.filter(|found| found.upper < 0.0) {
            report.refusals.push(format!(
                "fewer labels would be right: by {:.1} points, at least {:.1}",
                -100.0 * found.mean,
                -100.0 * found.upper
            ));
        }
        report.accepted_calibration = report.refusals.is_empty();
        report.accepted_calibration.then_some(Learnt { shift, held_out })
    }

    /// Which labels have examples enough for a bias of their own.
    fn free(&self) -> [bool; Emotion::COUNT] {
        let (answers, shown) = self.counts();
        std::array::from_fn(|class| {
            Emotion::ALL.get(class).is_some_and(|label| self.reading.labels.contains(*label))
                && answers[class].max(shown[class]) >= LEAST_EXAMPLES as u64
        })
    }

    /// For each label how many answers name it, and of how many of the faces the network says it.
    fn counts(&self) -> ([u64; Emotion::COUNT], [u64; Emotion::COUNT]) {
        let (mut answers, mut shown) = ([0; Emotion::COUNT], [0; Emotion::COUNT]);
        for (item, example) in self.named.iter().zip(&self.examples) {
            answers[example.class] += 1;
            shown[self.reading.label(&item.probabilities) as usize] += 1;
        }
        (answers, shown)
    }

    /// The label that is reported under a shift, and its confidence.
    fn reported(&self, logs: &[f64; Emotion::COUNT], shift: &Shift) -> (Emotion, f32) {
        let distribution = Distribution(shift.probabilities(logs).map(|share| share as f32));
        let label = self.reading.label(&distribution);
        (label, distribution.of(label))
    }

    fn is_right(&self, example: &Example, shift: &Shift) -> bool {
        self.reported(&example.logs, shift).0 as usize == example.class
    }

    fn figures(&self, shifts: &[Shift], with_places: bool) -> Figures {
        let (mut log_loss, mut right, mut confident) = (0.0, 0.0, 0.0);
        let (mut sure, mut sure_right, mut all) = (0.0, 0.0, 0.0);
        for ((item, example), shift) in self.named.iter().zip(&self.examples).zip(shifts) {
            let (label, confidence) = self.reported(&example.logs, shift);
            let (weight, is_right) = (example.weight, label as usize == example.class);
            let place = self.in_use.filter(|_| with_places);
            let is_sure = match place.and_then(|found| found.min_confidence(&item.place)) {
                Some(least) => confidence >= least,
                None => self.reading.decision.is_sure(label, confidence),
            };
            all += weight;
            log_loss += weight * shift.log_loss(example);
            right += weight * f64::from(is_right);
            confident += weight * f64::from(confidence);
            sure += weight * f64::from(is_sure);
            sure_right += weight * f64::from(is_sure && is_right);
        }
        Figures {
            n: self.examples.len() as u64,
            log_loss: log_loss / all,
            right: right / all,
            confidence: confident / all,
            sure: sure / all,
            right_where_sure: (sure > 0.0).then(|| sure_right / sure),
        }
    }

    fn classes(
        &self,
        before: &[Shift],
        after: &[Shift],
        free: &[bool; Emotion::COUNT],
        shift: &Shift,
    ) -> Vec<ClassReport> {
        let (answers, shown) = self.counts();
        let all: f64 = self.examples.iter().map(|example| example.weight).sum();
        let of_class = |class: usize| self.examples.iter().filter(move |e| e.class == class);
        // A sum of nothing is -0.
        let weight = |class: usize| of_class(class).map(|e| e.weight).sum::<f64>() + 0.0;
        let probability = |class: usize, shifts: &[Shift]| {
            let pairs = self.examples.iter().zip(shifts);
            let sum: f64 = pairs.map(|(e, s)| e.weight * s.probabilities(&e.logs)[class]).sum();
            sum / all
        };
        let recall = |class: usize, shifts: &[Shift]| {
            let found = self.examples.iter().zip(shifts).filter(|(e, _)| e.class == class);
            let right: f64 = found.map(|(e, s)| e.weight * f64::from(self.is_right(e, s))).sum();
            (answers[class] > 0).then(|| right / weight(class))
        };
        let labels = self.reading.labels.iter();
        labels
            .map(|label| {
                let class = label as usize;
                ClassReport {
                    label,
                    answers: answers[class],
                    shown: shown[class],
                    share: weight(class) / all,
                    probability_before: probability(class, before),
                    probability_after: probability(class, after),
                    recall_before: recall(class, before),
                    recall_after: recall(class, after),
                    bias: free[class].then(|| shift.bias()[class]),
                }
            })
            .collect()
    }

    /// The thresholds of places that are accepted.
    fn learn_places(
        &self,
        learnt: Option<&Learnt>,
        report: &mut AdaptReport,
    ) -> Vec<PlaceThreshold> {
        let every = self.named.iter().copied().chain(self.no_faces.iter().map(|(item, _)| *item));
        let names: BTreeSet<&str> = every.map(|item| item.place.as_str()).collect();
        let mut accepted = Vec::new();
        for name in names {
            let (items, labels) = self.reported_at(name, learnt);
            let mut place = PlaceReport {
                place: name.to_owned(),
                n: labels.len() as u64,
                min_confidence: None,
                gain: None,
                accepted: false,
                refusal: String::new(),
            };
            match threshold(&labels, &Groups::of(&items)) {
                None => {
                    let n = labels.len();
                    place.refusal = format!("{n} answers, expected {LEAST_OF_PLACE} or more");
                }
                Some(found) => {
                    (place.min_confidence, place.gain) = (Some(found.least), Some(found.gain));
                    place.accepted = found.gain.lower > 0.0 && !name.is_empty();
                    if name.is_empty() {
                        place.refusal = "these answers name no place".to_owned();
                    } else if !place.accepted {
                        place.refusal = format!(
                            "nothing is gained for certain from {}: {:.3} a label, in 95 % of cases \
                             {:.3} to {:.3}",
                            found.least, found.gain.mean, found.gain.lower, found.gain.upper
                        );
                    } else {
                        accepted.push(PlaceThreshold {
                            place: name.to_owned(),
                            min_confidence: found.least,
                        });
                    }
                }
            }
            report.places.push(place);
        }
        accepted
    }

    /// What would be reported at a place, each under a shift that was fitted without it.
    fn reported_at(&self, place: &str, learnt: Option<&Learnt>) -> (Vec<&Item>, Vec<Reported>) {
        let before = self.before();
        let rule = &self.reading.decision;
        let in_use = self.in_use.filter(|_| learnt.is_none());
        let judged = |logs: &[f64; Emotion::COUNT], shift: &Shift, class: Option<usize>, weight| {
            let (label, confidence) = self.reported(logs, shift);
            let of_rule = rule.min_confidence(label);
            Reported {
                confidence,
                least: in_use.and_then(|found| found.min_confidence(place)).unwrap_or(of_rule),
                rule: of_rule,
                is_right: class == Some(label as usize),
                weight,
            }
        };
        let (mut items, mut labels) = (Vec::new(), Vec::new());
        for (index, (item, example)) in self.named.iter().zip(&self.examples).enumerate() {
            if item.place == place {
                let shift = learnt.and_then(|learnt| learnt.held_out.get(index));
                let shift = shift.unwrap_or(&before);
                items.push(*item);
                labels.push(judged(&example.logs, shift, Some(example.class), example.weight));
            }
        }
        // The fit never saw these.
        let shift = learnt.map_or(before, |learnt| learnt.shift);
        for (item, weight) in self.no_faces.iter().filter(|(item, _)| item.place == place) {
            let logs = Example::logs_of(&item.probabilities, &self.reading.labels);
            items.push(*item);
            labels.push(judged(&logs, &shift, None, *weight));
        }
        (items, labels)
    }
}
