//! What one model answered, kept so that every figure can be worked out for a sample in which each
//! unit counts as often as it was drawn.

use super::figure::Figure;
use super::ranking::{Areas, Ranking};
use crate::metrics::{PeopleAnswer, mean_of_defined, weighted_ccc};
use crate::report::CALIBRATION_BINS;
use crate::sequence::Delay;
use crate::tally::{Tally, UnitCounts};
use rapport_vocabulary::{Emotion, LabelSet};

/// All figures of a sample, in the order of [`Figure::ALL`].
pub type Figures = [Option<f64>; Figure::ALL.len()];

/// What one model answered.
pub struct Sample<'a> {
    tally: &'a Tally,
    classes: usize,
    scored: Vec<Scored>,
    rankings: Vec<Ranking>,
    votes: Vec<Vote>,
    soft: Vec<Soft>,
    /// By their time.
    delays: Vec<Delay>,
    affect: [Vec<(u32, f64, f64)>; 2],
}

struct Scored {
    unit: u32,
    truth: u8,
    label: u8,
    instant_label: u8,
    bin: u8,
    confidence: f64,
}

struct Vote {
    unit: u32,
    is_right: bool,
    is_neutral: bool,
    is_negative: bool,
    is_sure: bool,
    bin: u8,
    confidence: f64,
    share: f64,
    cross_entropy: f64,
    entropy: f64,
    truth: u8,
    label: u8,
}

struct Soft {
    unit: u32,
    figures: [f64; 4],
}

fn bin(confidence: f64) -> u8 {
    ((confidence * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1) as u8
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

impl<'a> Sample<'a> {
    /// Of what a model with labels of its own answered. `classes`: the labels of the report.
    pub fn of(tally: &'a Tally, own: &LabelSet, classes: &LabelSet) -> Self {
        let class = |label: Emotion| classes.index_of(label).map(|index| index as u8);
        let scored = tally.scored.iter().filter_map(|(item, scored)| {
            let confidence = f64::from(scored.probabilities.of(scored.label));
            Some(Scored {
                unit: item.unit,
                truth: class(scored.truth)?,
                label: class(scored.label)?,
                instant_label: class(scored.instant_label)?,
                bin: bin(confidence),
                confidence,
            })
        });
        let of_model = classes.iter().filter(|class| own.contains(*class));
        let rankings = of_model.map(|class| {
            Ranking::of(
                tally
                    .scored
                    .iter()
                    .map(|(item, scored)| {
                        let score = f64::from(scored.probabilities.of(class));
                        (item.unit, scored.truth == class, score)
                    })
                    .collect(),
            )
        });
        let votes = tally.people.iter().map(|(item, answer)| vote(item.unit, answer));
        let soft = tally.soft.iter().map(|(item, answer)| Soft {
            unit: item.unit,
            figures: [
                answer.cross_entropy(),
                answer.entropy(),
                answer.jensen_shannon(),
                answer.votes_for_label(),
            ],
        });
        let mut delays = tally.sequence.as_ref().map_or_else(Vec::new, |s| s.delays());
        // What was never detected comes last.
        let time = |delay: &Delay| delay.detected_secs.unwrap_or(f64::INFINITY);
        delays.sort_by(|a, b| time(a).total_cmp(&time(b)));
        let mut affect = [Vec::new(), Vec::new()];
        for (item, answer) in tally.affect.iter() {
            for (pairs, pair) in affect.iter_mut().zip([answer.valence, answer.arousal]) {
                pairs.extend(pair.map(|(given, read)| (item.unit, given, read)));
            }
        }
        Self {
            tally,
            classes: classes.len(),
            scored: scored.collect(),
            rankings: rankings.collect(),
            votes: votes.collect(),
            soft: soft.collect(),
            delays,
            affect,
        }
    }

    /// The figures where each unit counts so often.
    pub fn figures(&self, counts: &[u32]) -> Figures {
        let mut figures = [None; Figure::ALL.len()];
        self.of_scored(counts, &mut figures);
        self.of_units(counts, &mut figures);
        self.of_votes(counts, &mut figures);
        self.of_soft_labels(counts, &mut figures);
        for (figure, pairs) in [Figure::Valence, Figure::Arousal].into_iter().zip(&self.affect) {
            let weighted = pairs.iter().map(|&(unit, a, b)| (times(counts, unit), a, b));
            figures[figure as usize] = weighted_ccc(weighted);
        }
        figures
    }

    fn of_scored(&self, counts: &[u32], figures: &mut Figures) {
        let mut confusion = vec![0u64; self.classes * self.classes];
        let (mut all, mut right, mut right_raw) = (0u64, 0u64, 0u64);
        let mut bins = [(0.0, 0.0); CALIBRATION_BINS];
        for face in &self.scored {
            let count = counts.get(face.unit as usize).copied().unwrap_or_default();
            if count == 0 {
                continue;
            }
            let (whole, weight) = (u64::from(count), f64::from(count));
            all += whole;
            confusion[face.truth as usize * self.classes + face.label as usize] += whole;
            right += if face.truth == face.label { whole } else { 0 };
            right_raw += if face.truth == face.instant_label { whole } else { 0 };
            let (confidences, rights) = &mut bins[face.bin as usize];
            *confidences += weight * face.confidence;
            *rights += if face.truth == face.label { weight } else { 0.0 };
        }
        let all = all as f64;
        figures[Figure::Accuracy as usize] = share(right as f64, all);
        if self.tally.sequence.is_some() {
            figures[Figure::AccuracyRaw as usize] = share(right_raw as f64, all);
        }
        figures[Figure::MacroF1 as usize] = macro_f1(&confusion, self.classes, false);
        figures[Figure::CalibrationError as usize] = share(gaps(&bins), all);
        let areas: Vec<Areas> = self.rankings.iter().map(|r| r.areas(counts)).collect();
        figures[Figure::MacroAuc as usize] = mean_of_defined(areas.iter().map(|a| a.roc_auc));
        figures[Figure::MacroAveragePrecision as usize] =
            mean_of_defined(areas.iter().map(|a| a.average_precision));
    }

    fn of_units(&self, counts: &[u32], figures: &mut Figures) {
        let mut sums = UnitCounts::default();
        for (unit, found) in self.tally.units.iter().enumerate() {
            sums.add(found, counts.get(unit).copied().unwrap_or_default());
        }
        figures[Figure::Coverage as usize] = share(sums.found as f64, sums.labelled as f64);
        if self.tally.sequence.is_none() {
            return;
        }
        let a_minute = |flips: u64| share(flips as f64 * 60.0, sums.face_secs);
        figures[Figure::FlipsRaw as usize] = a_minute(sums.instant_flips);
        figures[Figure::Flips as usize] = a_minute(sums.flips);
        let count =
            |delay: &Delay| u64::from(counts.get(delay.unit as usize).copied().unwrap_or(0));
        let all: u64 = self.delays.iter().map(count).sum();
        let detected = || self.delays.iter().filter(|delay| delay.detected_secs.is_some());
        let found: u64 = detected().map(count).sum();
        figures[Figure::Detected as usize] = share(found as f64, all as f64);
        // The figure in the middle, or the mean of the two there.
        let at = |index: u64| {
            let mut before = 0;
            detected().find_map(|delay| {
                before += count(delay);
                if before > index { delay.detected_secs } else { None }
            })
        };
        if let Some(last) = found.checked_sub(1) {
            let middle = at(last / 2).zip(at(found / 2));
            figures[Figure::OnsetMedian as usize] = middle.map(|(a, b)| (a + b) / 2.0);
        }
    }

    fn of_votes(&self, counts: &[u32], figures: &mut Figures) {
        const CLASSES: usize = Emotion::COUNT;
        let mut confusion = [0u64; CLASSES * CLASSES];
        let mut bins = [(0.0, 0.0); CALIBRATION_BINS];
        let (mut all, mut right, mut sure, mut right_sure) = (0.0, 0.0, 0.0, 0.0);
        let (mut neutral, mut negative, mut negative_sure) = (0.0, 0.0, 0.0);
        let (mut cross_entropy, mut entropy) = (0.0, 0.0);
        for vote in &self.votes {
            let count = counts.get(vote.unit as usize).copied().unwrap_or_default();
            let weight = f64::from(count);
            let if_so = |is_so: bool| if is_so { weight } else { 0.0 };
            all += weight;
            right += if_so(vote.is_right);
            sure += if_so(vote.is_sure);
            right_sure += if_so(vote.is_sure && vote.is_right);
            neutral += if_so(vote.is_neutral);
            negative += if_so(vote.is_neutral && vote.is_negative);
            negative_sure += if_so(vote.is_neutral && vote.is_negative && vote.is_sure);
            cross_entropy += weight * vote.cross_entropy;
            entropy += weight * vote.entropy;
            confusion[vote.truth as usize * CLASSES + vote.label as usize] += u64::from(count);
            let (confidences, shares) = &mut bins[vote.bin as usize];
            *confidences += weight * vote.confidence;
            *shares += weight * vote.share;
        }
        for (figure, value) in [
            (Figure::VotesAccuracy, share(right, all)),
            (Figure::VotesMacroF1, macro_f1(&confusion, CLASSES, true).filter(|_| all > 0.0)),
            (Figure::VotesNeutralAsNegative, share(negative, neutral)),
            (Figure::VotesNeutralAsNegativeSure, share(negative_sure, neutral)),
            (Figure::VotesAccuracySure, share(right_sure, sure)),
            (Figure::VotesCalibrationError, share(gaps(&bins), all)),
            (Figure::VotesCrossEntropy, share(cross_entropy, all)),
            (Figure::VotesEntropy, share(entropy, all)),
        ] {
            figures[figure as usize] = value;
        }
    }

    fn of_soft_labels(&self, counts: &[u32], figures: &mut Figures) {
        let (mut all, mut sums) = (0.0, [0.0; 4]);
        for soft in &self.soft {
            let weight = times(counts, soft.unit);
            all += weight;
            sums.iter_mut().zip(soft.figures).for_each(|(sum, value)| *sum += weight * value);
        }
        let soft = [
            Figure::SoftCrossEntropy,
            Figure::SoftEntropy,
            Figure::SoftJensenShannon,
            Figure::SoftVotesForLabel,
        ];
        for (figure, sum) in soft.into_iter().zip(sums) {
            figures[figure as usize] = share(sum, all);
        }
    }
}

fn vote(unit: u32, answer: &PeopleAnswer) -> Vote {
    let (confidence, share) = answer.against_votes();
    Vote {
        unit,
        is_right: answer.is_right(),
        is_neutral: answer.is_neutral(),
        is_negative: answer.is_negative(),
        is_sure: answer.sure,
        bin: bin(confidence),
        confidence,
        share,
        cross_entropy: answer.cross_entropy(),
        entropy: answer.entropy(),
        truth: answer.agreed.label as u8,
        label: answer.label as u8,
    }
}

fn times(counts: &[u32], unit: u32) -> f64 {
    f64::from(counts.get(unit as usize).copied().unwrap_or_default())
}

/// The gaps of all bins between confidence and accuracy, each of so many answers.
fn gaps(bins: &[(f64, f64)]) -> f64 {
    bins.iter().map(|(confidences, rights)| (confidences - rights).abs()).sum()
}

/// The mean F1 of a confusion matrix, row after row: over the classes that occur in it, or over all,
/// where one that does not counts as 0.
pub fn macro_f1(confusion: &[u64], classes: usize, over_all: bool) -> Option<f64> {
    let f1 = |class: usize| {
        let support: u64 = confusion.iter().skip(class * classes).take(classes).sum();
        let read: u64 = confusion.iter().skip(class).step_by(classes).sum();
        let right = confusion[class * classes + class];
        match support + read {
            0 => over_all.then_some(0.0),
            counted => Some(2.0 * right as f64 / counted as f64),
        }
    };
    mean_of_defined((0..classes).map(f1))
}
