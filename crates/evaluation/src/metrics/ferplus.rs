//! FER+: what most of ten taggers see in a picture, as microsoft/FERPlus counts it.
//!
//! For each picture, in this order:
//!
//! 1. A single vote is noise: a column with one vote or none gets none.
//! 2. The picture's label is the column with more than half of the votes that are left. Without
//!    one, or where it is `unknown` or `NF` (no face), the picture does not count.
//! 3. The label is one of eight, FER2013's seven and contempt. The shares are the votes left for
//!    these eight, over their sum.
//!
//! A model of seven classes is scored on the same pictures: where people see contempt, it is wrong.
//!
//! Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced
//! Label Distribution", ICMI 2016, arXiv:1608.01041.

use serde::{Deserialize, Serialize};

use super::calibration::binned;
use super::confusion::Confusion;
use super::report::{ClassificationReport, classification_report};
use super::soft::{SoftLabel, cross_entropy, entropy};
use rapport_vocabulary::{Distribution, Emotion};

/// The columns of the votes, in the order of FER+'s file.
pub const VOTE_COLUMNS: [&str; 10] = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
];

/// The expressions of the first eight columns.
const VOTE_LABELS: [Emotion; 8] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Surprise,
    Emotion::Sad,
    Emotion::Angry,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Contempt,
];

/// The expressions that hurt where people see a neutral face.
pub const NEGATIVE: [Emotion; 4] = [Emotion::Angry, Emotion::Disgust, Emotion::Fear, Emotion::Sad];

/// The confidence from which the most probable label counts as sure.
const SURE_FROM: f32 = 0.5;

/// Bins of the calibration error, as everywhere in Rapport.
const BINS: usize = 15;

/// How often taggers chose each of [`VOTE_COLUMNS`] for one picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Votes(pub [u32; VOTE_COLUMNS.len()]);

/// What most people see in a picture that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreed {
    /// The label.
    pub label: Emotion,
    /// The shares of the votes in the order of [`Emotion::ALL`], single votes left out; the sum is
    /// 1.
    pub shares: [f64; Emotion::COUNT],
}

impl Votes {
    /// The votes as a distribution; `None` where most are for `unknown` or `NF`, or every vote is a
    /// single one. Of columns with equally many, an expression goes before these two.
    pub fn soft_label(&self) -> Option<SoftLabel> {
        let left = self.without_single_ones();
        let most = left.iter().copied().fold(0.0, f64::max);
        let is_most = |count: &f64| *count > 0.0 && *count == most;
        left.iter()
            .take(VOTE_LABELS.len())
            .any(is_most)
            .then(|| SoftLabel { shares: shares(&left) })
    }

    fn without_single_ones(&self) -> [f64; VOTE_COLUMNS.len()] {
        self.0.map(|count| if count <= 1 { 0.0 } else { f64::from(count) })
    }

    /// What most people see; `None` where the picture does not count.
    pub fn agreed(&self) -> Option<Agreed> {
        let left = self.without_single_ones();
        let all: f64 = left.iter().sum();
        // At most one column has more than half.
        let most = left.iter().position(|&count| count > 0.5 * all)?;
        let label = *VOTE_LABELS.get(most)?;
        Some(Agreed { label, shares: shares(&left) })
    }
}

/// The shares of the votes for expressions, in the order of [`Emotion::ALL`]; there must be one.
fn shares(left: &[f64; VOTE_COLUMNS.len()]) -> [f64; Emotion::COUNT] {
    let counted: f64 = left.iter().zip(VOTE_LABELS).map(|(count, _)| count).sum();
    let mut shares = [0.0; Emotion::COUNT];
    for (label, count) in VOTE_LABELS.into_iter().zip(left) {
        shares[label as usize] = count / counted;
    }
    shares
}

/// What a model answers on a picture that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeopleAnswer {
    /// What most people see.
    pub agreed: Agreed,
    /// The label that the model reports.
    pub label: Emotion,
    /// Whether it is reported as sure.
    pub sure: bool,
    /// The model's distribution.
    pub probabilities: Distribution,
}

impl PeopleAnswer {
    /// The cross-entropy of the model's distribution to the votes, in nats; a probability under
    /// 0.001 counts as 0.001.
    pub fn cross_entropy(&self) -> f64 {
        cross_entropy(&self.agreed.shares, &self.probabilities)
    }

    /// The entropy of the votes in nats.
    pub fn entropy(&self) -> f64 {
        entropy(&self.agreed.shares)
    }

    /// Whether the label that the model reports is that of most people.
    pub fn is_right(&self) -> bool {
        self.label == self.agreed.label
    }

    /// Whether people see a neutral face.
    pub fn is_neutral(&self) -> bool {
        self.agreed.label == Emotion::Neutral
    }

    /// Whether it is reported as angry, disgust, fear or sad.
    pub fn is_negative(&self) -> bool {
        NEGATIVE.contains(&self.label)
    }

    /// Its confidence, 0 to 1, and the share of the votes that are for the label.
    pub fn against_votes(&self) -> (f64, f64) {
        let confidence = f64::from(self.probabilities.of(self.label));
        (confidence, self.agreed.shares[self.label as usize])
    }
}

/// The figures of one model against the votes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeopleScores {
    /// Pictures that count.
    pub images: u64,
    /// Pictures that do not: no majority, or most say unknown or no face.
    pub images_left_out: u64,
    /// Mean cross-entropy of the model's distribution to the shares of the votes, in nats; a
    /// probability under 0.001 counts as 0.001.
    pub cross_entropy: f64,
    /// Mean entropy of the shares in nats: no model's cross-entropy can be less.
    pub entropy_of_votes: f64,
    /// By the most probable label, sure from a confidence of 0.5.
    pub argmax: RuleScores,
    /// By the label that the model reports to users.
    pub decision: RuleScores,
}

/// The figures of one way to choose the label. Shares are 0 to 1; `None` where there is nothing to
/// divide by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleScores {
    /// The share of pictures whose label is that of most people.
    pub accuracy: Option<f64>,
    /// The mean F1 over all eight classes; one that nobody sees or reads counts as 0.
    pub macro_f1: f64,
    /// Of the pictures that people call neutral, the share that is read as angry, disgust, fear or
    /// sad.
    pub neutral_as_negative: Option<f64>,
    /// The same, and reported as sure.
    pub neutral_as_negative_sure: Option<f64>,
    /// The share of pictures whose label is reported as sure.
    pub sure: Option<f64>,
    /// The accuracy where it is.
    pub accuracy_sure: Option<f64>,
    /// Over 15 bins of confidence: the gap between the mean confidence and the mean share of the
    /// votes that went to the reported label, weighted by the pictures in each bin.
    pub expected_calibration_error: Option<f64>,
    /// Precision, recall and F1 of each of the eight classes.
    #[serde(serialize_with = "named")]
    pub classification_report: ClassificationReport,
    /// Rows: what most people see. Columns: read as. In the order of [`Emotion::ALL`].
    pub confusion_matrix: Confusion,
}

fn named<S: serde::Serializer>(report: &ClassificationReport, to: S) -> Result<S::Ok, S::Error> {
    report.named(&Emotion::ALL.map(Emotion::as_str)).serialize(to)
}

/// The figures over all pictures that count; `None` without any.
pub fn people_scores(answers: &[PeopleAnswer], left_out: u64) -> Option<PeopleScores> {
    if answers.is_empty() {
        return None;
    }
    let mean = |figure: &dyn Fn(&PeopleAnswer) -> f64| {
        answers.iter().map(figure).sum::<f64>() / answers.len() as f64
    };
    let argmax: Vec<_> = answers
        .iter()
        .map(|answer| {
            let label = answer.probabilities.top();
            PeopleAnswer { label, sure: answer.probabilities.of(label) >= SURE_FROM, ..*answer }
        })
        .collect();
    Some(PeopleScores {
        images: answers.len() as u64,
        images_left_out: left_out,
        cross_entropy: mean(&PeopleAnswer::cross_entropy),
        entropy_of_votes: mean(&PeopleAnswer::entropy),
        argmax: RuleScores::of(&argmax),
        decision: RuleScores::of(answers),
    })
}

impl RuleScores {
    fn of(answers: &[PeopleAnswer]) -> Self {
        let count = |some: fn(&PeopleAnswer) -> bool| answers.iter().filter(|a| some(a)).count();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let neutral = count(PeopleAnswer::is_neutral);
        let sure = count(|a| a.sure);
        let pairs = answers.iter().map(|a| (a.agreed.label as usize, a.label as usize));
        let confusion = Confusion::of(Emotion::COUNT, pairs);
        let mut all = VOTE_LABELS.map(|label| label as usize);
        all.sort_unstable();
        let report = classification_report(&confusion, &all, 0.0);
        let against_votes: Vec<_> = answers.iter().map(PeopleAnswer::against_votes).collect();
        Self {
            accuracy: share(count(PeopleAnswer::is_right), answers.len()),
            macro_f1: report.macro_average.f1,
            neutral_as_negative: share(count(|a| a.is_neutral() && a.is_negative()), neutral),
            neutral_as_negative_sure: share(
                count(|a| a.is_neutral() && a.is_negative() && a.sure),
                neutral,
            ),
            sure: share(sure, answers.len()),
            accuracy_sure: share(count(|a| a.sure && a.is_right()), sure),
            expected_calibration_error: binned(&against_votes, BINS).expected_calibration_error,
            classification_report: report,
            confusion_matrix: confusion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Votes in the order of the file.
    fn votes(counts: [u32; 10]) -> Votes {
        Votes(counts)
    }

    #[test]
    fn the_columns_are_words_of_the_vocabulary() {
        for (column, label) in VOTE_COLUMNS.into_iter().zip(VOTE_LABELS) {
            assert_eq!(Emotion::from_word(column), Ok(label));
        }
    }

    #[test]
    fn single_votes_are_dropped_before_the_majority_is_sought() {
        // 5 of 10 are not more than half; 5 of the 9 that are left without the single one are.
        let agreed = votes([5, 0, 0, 4, 1, 0, 0, 0, 0, 0]).agreed().unwrap();
        assert_eq!(agreed.label, Emotion::Neutral);
        assert_eq!(agreed.shares[Emotion::Sad as usize], 4.0 / 9.0);
        assert_eq!(agreed.shares[Emotion::Angry as usize], 0.0);
        assert_eq!(votes([4, 0, 0, 4, 1, 0, 0, 0, 1, 0]).agreed(), None, "two halves");
        assert_eq!(votes([1; 10]).agreed(), None, "nothing is left");
        assert_eq!(votes([0; 10]).agreed(), None);
    }

    #[test]
    fn unknown_and_no_face_do_not_count_but_their_votes_do() {
        assert_eq!(votes([2, 0, 0, 0, 0, 0, 0, 0, 8, 0]).agreed(), None);
        assert_eq!(votes([0, 0, 0, 0, 0, 0, 0, 0, 0, 10]).agreed(), None);
        // 4 of 8 with the unknown ones: no majority.
        assert_eq!(votes([4, 0, 0, 0, 0, 0, 0, 0, 4, 0]).agreed(), None);
        let agreed = votes([0, 0, 0, 0, 0, 0, 0, 6, 4, 0]).agreed().unwrap();
        assert_eq!(
            (agreed.label, agreed.shares[Emotion::Contempt as usize]),
            (Emotion::Contempt, 1.0)
        );
    }

    #[test]
    fn a_soft_label_needs_no_majority() {
        let soft = |counts| votes(counts).soft_label().map(|label| label.shares);
        // Two halves, and a single vote that is none.
        let shares = soft([4, 0, 0, 4, 1, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!((shares[Emotion::Neutral as usize], shares[Emotion::Sad as usize]), (0.5, 0.5));
        // Most say unknown; as many as say neutral.
        assert_eq!(soft([3, 0, 0, 2, 0, 0, 0, 0, 5, 0]), None);
        let shares = soft([4, 0, 0, 0, 0, 0, 0, 0, 4, 2]).unwrap();
        assert_eq!(shares[Emotion::Neutral as usize], 1.0);
        assert_eq!((soft([1; 10]), soft([0; 10])), (None, None));
    }

    #[test]
    fn counts_of_any_size_are_summed_without_overflow() {
        let agreed = votes([u32::MAX, 0, 0, u32::MAX, u32::MAX, 0, 0, 0, 0, 0]).agreed();
        assert_eq!(agreed, None);
    }

    fn answer(counts: [u32; 10], pairs: &[(Emotion, f32)], least: f32) -> PeopleAnswer {
        let probabilities = Distribution::of_pairs(pairs.iter().copied());
        let label = probabilities.top();
        let sure = probabilities.of(label) >= least;
        PeopleAnswer { agreed: votes(counts).agreed().unwrap(), label, sure, probabilities }
    }

    #[test]
    fn the_figures_are_those_worked_out_by_hand() {
        use Emotion::{Contempt, Happy, Neutral, Sad};
        let neutral = [8, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        let answers = [
            // Right; the votes give 0.8 to what the model gives 0.75.
            answer(neutral, &[(Neutral, 0.75), (Sad, 0.25)], 0.5),
            // Neutral read as happy, not sure.
            answer(neutral, &[(Neutral, 0.25), (Sad, 0.375), (Happy, 0.375)], 0.5),
            // Neutral read as sad, sure.
            answer(neutral, &[(Neutral, 0.25), (Sad, 0.75)], 0.5),
            // A seven-class model cannot read contempt.
            answer([0, 0, 0, 0, 0, 0, 0, 10, 0, 0], &[(Happy, 1.0), (Contempt, 0.0)], 0.5),
        ];
        // `top` prefers the first of equals: happy.
        assert_eq!(answers[1].label, Happy);
        let found = people_scores(&answers, 3).unwrap();
        let rule = &found.decision;
        assert_eq!((found.images, found.images_left_out), (4, 3));
        assert_eq!(rule.accuracy, Some(0.25));
        assert_eq!(rule.neutral_as_negative, Some(1.0 / 3.0));
        assert_eq!(rule.neutral_as_negative_sure, Some(1.0 / 3.0));
        assert_eq!((rule.sure, rule.accuracy_sure), (Some(0.75), Some(1.0 / 3.0)));
        // Of eight classes only neutral has an F1: precision 1, recall 1/3.
        assert!((rule.macro_f1 - 0.5 / 8.0).abs() < 1e-12);
        // Bins: 0.75 twice (shares 0.8 and 0.2), 0.375 once (share 0), 1.0 once (share 0).
        let expected = (2.0 * (0.75f64 - 0.5).abs() + 0.375 + 1.0) / 4.0;
        assert!((rule.expected_calibration_error.unwrap() - expected).abs() < 1e-6);
        let of_neutral = -(0.8f64 * 0.8f64.ln() + 0.2 * 0.2f64.ln());
        assert!((found.entropy_of_votes - of_neutral * 3.0 / 4.0).abs() < 1e-12);
        let cross = -(0.8 * 0.75f64.ln() + 0.2 * 0.25f64.ln())
            - (0.8 * 0.25f64.ln() + 0.2 * 0.375f64.ln())
            - (0.8 * 0.25f64.ln() + 0.2 * 0.75f64.ln())
            - 0.001f64.ln();
        assert!((found.cross_entropy - cross / 4.0).abs() < 1e-9);
        assert!(people_scores(&[], 7).is_none());
    }
}
