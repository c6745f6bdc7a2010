//! `report.json`: every figure of an evaluation.
//!
//! Key names are scikit-learn's where it has them. Everything but `timing` and `provenance` is the
//! same from run to run.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::labels::TimeBase;
use crate::metrics::{
    Agreement, Calibration, ClassificationReport, Confusion, PeopleScores, PrecisionRecall,
    RocCurve, SoftScores, agreement, calibration, classification_report, mean_of_defined,
    people_scores, precision_recall_curve, roc_curve, soft_scores,
};
use crate::mistakes::Mistake;
use crate::model::{Model, labels_of_all};
use crate::provenance::Provenance;
use crate::sequence::SequenceSummary;
use crate::shown_path::shown;
use crate::source::Source;
use crate::stage_times::StageTimes;
use crate::stats::{Comparison, Groups, Intervals, Statistics};
use crate::tally::{Coverage, Scored, Tally};
use crate::warnings::Warnings;
use rapport_vocabulary::{Emotion, LabelSet};

/// Bins of the reliability diagram and the calibration error, as the model cards have them.
pub const CALIBRATION_BINS: usize = 15;

/// A quotient without a denominator, as scikit-learn has it by default.
const ZERO_DIVISION: f64 = 0.0;

/// Goes up when keys of `report.json` change their meaning.
///
/// 2: `labels.names`, and with it the rows, columns and curves, are the labels of the models and
/// those that were given, not all that Rapport knows; paths are names without the folders above.
pub const FORMAT_VERSION: u32 = 2;

/// The labels of a report, in the order of [`Emotion::ALL`]: those of all models, and those that
/// were given.
pub fn classes_of(models: &[Model]) -> LabelSet {
    let of_models = labels_of_all(models);
    let is_given = |label: &Emotion| models.iter().any(|m| m.tally.labels_given.contains(label));
    let occurs = |label: &Emotion| of_models.contains(label) || is_given(label);
    // A set has at least one label: so has each model.
    LabelSet::new(Emotion::ALL.into_iter().filter(occurs)).unwrap_or_else(|_| LabelSet::seven())
}

/// The whole report.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// What was evaluated.
    pub source: &'a Source,
    /// The labels that were given.
    pub labels: &'a LabelSummary,
    /// The first model's, where notebooks look for it.
    #[serde(serialize_with = "report_of_first")]
    pub classification_report: &'a [ModelReport<'a>],
    /// Each model.
    pub models: &'a [ModelReport<'a>],
    /// How the intervals were made.
    pub statistics: &'a Statistics,
    /// Each model but the first beside the first.
    pub comparisons: &'a [Comparison],
    /// What went wrong.
    pub warnings: &'a Warnings,
    /// Where the time went.
    pub timing: &'a Timing,
    /// Where the figures come from.
    pub provenance: &'a Provenance,
}

fn report_of_first<S: Serializer>(models: &[ModelReport<'_>], to: S) -> Result<S::Ok, S::Error> {
    models.first().and_then(|m| m.classification_report.as_ref()).serialize(to)
}

/// Where the labels came from.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LabelSummary {
    /// `folders`, `pictures`, `fer2013`, `intervals`, `frames`, `topic` or `none`.
    pub kind: &'static str,
    /// The file, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What times of intervals count from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_base: Option<TimeBase>,
    /// How many there are.
    pub count: u64,
    /// The labels of the models and those that were given, in the order of every list and matrix.
    pub names: Vec<&'static str>,
}

impl LabelSummary {
    /// Of so many labels of a kind.
    pub fn new(kind: &'static str, count: u64) -> Self {
        Self { kind, count, ..Self::default() }
    }
}

/// The figures of each class, by its label.
#[derive(Debug, Clone, PartialEq)]
pub struct ByClass<T>(pub Vec<(Emotion, T)>);

impl<T> ByClass<T> {
    fn of(classes: &LabelSet, figure: impl Fn(Emotion) -> T) -> Self {
        Self(classes.iter().map(|label| (label, figure(label))).collect())
    }

    fn map<U>(&self, figure: impl Fn(&T) -> U) -> ByClass<U> {
        ByClass(self.0.iter().map(|(label, value)| (*label, figure(value))).collect())
    }

    /// The figure of a class.
    pub fn get(&self, class: Emotion) -> Option<&T> {
        self.0.iter().find(|(label, _)| *label == class).map(|(_, value)| value)
    }

    /// The figures in order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<T: Serialize> Serialize for ByClass<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (label, value) in &self.0 {
            map.serialize_entry(label.as_str(), value)?;
        }
        map.end()
    }
}

/// A classification report with the labels of its classes.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedReport {
    /// What the class numbers of the report stand for.
    pub classes: LabelSet,
    /// The figures.
    pub report: ClassificationReport,
}

impl Serialize for NamedReport {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.report.named(&self.classes.names()).serialize(to)
    }
}

/// All figures of one model.
#[derive(Debug, Serialize)]
pub struct ModelReport<'a> {
    /// Its name in this report and in `frames.csv`.
    pub name: &'a str,
    /// Its file, by its name.
    pub path: String,
    /// The file's SHA-256 in hexadecimal.
    pub sha256: &'a str,
    /// The revision of the calibration that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration_revision: Option<u32>,
    /// The labels that it tells apart, in its own order.
    pub labels: Vec<&'static str>,
    /// Labelled faces that were found.
    pub coverage: Coverage,
    /// The main figures, each with its interval.
    pub intervals: Intervals,
    /// Of the labels as reported; nothing where no face has a label.
    pub classification_report: Option<NamedReport>,
    /// Of each frame alone, without smoothing; recordings only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification_report_raw: Option<NamedReport>,
    /// Rows true, columns predicted, in the order of `labels.names`.
    pub confusion_matrix: Confusion,
    /// One class against the rest; null where the class, or the rest, does not occur, or the model
    /// does not have it.
    pub roc: ByClass<Option<RocCurve>>,
    /// The area under each curve.
    pub roc_auc: ByClass<Option<f64>>,
    /// The mean over the classes that have one (one vs. rest, macro).
    pub roc_auc_macro: Option<f64>,
    /// Precision over recall; null where the class does not occur, or the model does not have it.
    pub precision_recall: ByClass<Option<PrecisionRecall>>,
    /// The mean over the classes that have one.
    pub average_precision_macro: Option<f64>,
    /// Confidence against accuracy.
    pub calibration: Calibration,
    /// Against the votes of several people (FER+), where they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ferplus: Option<PeopleScores>,
    /// Against the votes as distributions, where they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_labels: Option<SoftScores>,
    /// Of each group of faces, by the columns of the labels that name them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Valence and arousal, where labels have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affect: Option<AffectReport>,
    /// What only a sequence shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<SequenceSummary>,
    /// The mistakes with the highest confidence.
    pub worst_mistakes: Vec<&'a Mistake>,
}

impl<'a> ModelReport<'a> {
    /// Works out the figures. `classes`: the labels of the report, as [`classes_of`] has them;
    /// `intervals` and `groups`: what the bootstrap says.
    pub fn of(
        model: &'a Model,
        classes: &LabelSet,
        intervals: Intervals,
        groups: Option<Groups>,
    ) -> Self {
        let tally = &model.tally;
        let scored = tally.scored.values();
        let report = |label: fn(&Scored) -> Emotion| {
            let confusion = tally.confusion(classes, label);
            let seen = confusion.classes_seen();
            (!scored.is_empty()).then(|| NamedReport {
                classes: classes.clone(),
                report: classification_report(&confusion, &seen, ZERO_DIVISION),
            })
        };
        let against_rest = |class: Emotion| -> Option<Vec<(bool, f64)>> {
            let pair = |s: &Scored| (s.truth == class, f64::from(s.probabilities.of(class)));
            model.labels().contains(class).then(|| scored.iter().map(pair).collect())
        };
        let roc = ByClass::of(classes, |class| roc_curve(&against_rest(class)?));
        let precision_recall =
            ByClass::of(classes, |class| precision_recall_curve(&against_rest(class)?));
        let roc_auc = roc.map(|roc| roc.as_ref().map(RocCurve::auc));
        let confidence = |s: &Scored| (f64::from(s.probabilities.of(s.label)), s.label == s.truth);
        let predictions: Vec<_> = scored.iter().map(confidence).collect();
        let average = |pr: &Option<PrecisionRecall>| pr.as_ref().map(|pr| pr.average_precision);
        Self {
            name: &model.name,
            path: shown(&model.path),
            sha256: &model.sha256,
            calibration_revision: model.calibration_revision,
            labels: model.labels().names(),
            coverage: tally.coverage,
            intervals,
            classification_report: report(|s| s.label),
            classification_report_raw: match tally.sequence {
                Some(_) => report(|s| s.instant_label),
                None => None,
            },
            confusion_matrix: tally.confusion(classes, |s| s.label),
            roc_auc_macro: mean_of_defined(roc_auc.values().copied()),
            average_precision_macro: mean_of_defined(precision_recall.values().map(average)),
            roc,
            roc_auc,
            precision_recall,
            calibration: calibration(&predictions, CALIBRATION_BINS),
            ferplus: people_scores(tally.people.values(), tally.people_left_out),
            soft_labels: soft_scores(tally.soft.values(), tally.soft_left_out),
            groups,
            affect: AffectReport::of(tally, model.labels().affect_source()),
            sequence: tally.sequence.as_ref().map(|sequence| sequence.summary()),
            worst_mistakes: tally.mistakes.iter().collect(),
        }
    }
}

/// How well valence and arousal are read. The network has none of its own: they are the means of the
/// values of its labels, weighted by their probabilities.
#[derive(Debug, Serialize)]
pub struct AffectReport {
    /// Where the values of the labels come from.
    pub source: String,
    /// Unpleasant -1 to pleasant 1; `None` where it was not given.
    pub valence: Option<Agreement>,
    /// Calm -1 to activated 1.
    pub arousal: Option<Agreement>,
}

impl AffectReport {
    fn of(tally: &Tally, source: &str) -> Option<Self> {
        let answers = tally.affect.values();
        let valence: Vec<_> = answers.iter().filter_map(|answer| answer.valence).collect();
        let arousal: Vec<_> = answers.iter().filter_map(|answer| answer.arousal).collect();
        (!answers.is_empty()).then(|| Self {
            source: source.to_owned(),
            valence: agreement(&valence),
            arousal: agreement(&arousal),
        })
    }
}

/// Where the time went.
#[derive(Debug, Serialize)]
pub struct Timing {
    /// From the first frame to the last figure, in seconds.
    pub wall_secs: f64,
    /// Frames processed in a second.
    pub frames_per_sec: f64,
    /// The recording's length over that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_real_time: Option<f64>,
    /// How many jobs there were; nothing in a report of several recordings, whose times are added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// The share of that time in which the networks waited for the next frame: what reading and
    /// decoding add to the evaluation.
    pub waiting_share: f64,
    /// The time that was spent reading and decoding over that time, on whatever thread. Beside the
    /// networks it adds nothing by itself, and with several jobs it may be more than 1.
    pub read_and_decode_share: f64,
    /// Reading each frame's bytes; for pictures, decoding too.
    pub read: StageTimes,
    /// Decoding them to pixels.
    pub decode: StageTimes,
    /// Each model's stages.
    pub models: Vec<ModelTiming>,
}

/// The stages of one model.
#[derive(Debug, Serialize)]
pub struct ModelTiming {
    /// Which model.
    pub name: String,
    /// Scaling, finding faces, suppressing overlaps.
    pub detect: StageTimes,
    /// The face classifier: confirming faces, finding landmarks.
    pub verify: StageTimes,
    /// Tracking and cutting out.
    pub crop: StageTimes,
    /// Classifying and smoothing.
    pub classify: StageTimes,
    /// All of these.
    pub total: StageTimes,
    /// The part of it inside ONNX Runtime.
    pub inference: StageTimes,
}

impl ModelTiming {
    /// Summarises the frames of a model.
    pub fn of(model: &Model) -> Self {
        let timings = &model.tally.timings;
        Self {
            name: model.name.clone(),
            detect: StageTimes::of(timings.iter().map(|t| t.detect)),
            verify: StageTimes::of(timings.iter().map(|t| t.verify)),
            crop: StageTimes::of(timings.iter().map(|t| t.crop)),
            classify: StageTimes::of(timings.iter().map(|t| t.classify)),
            total: StageTimes::of(timings.iter().map(|t| t.total)),
            inference: StageTimes::of(timings.iter().map(|t| t.inference)),
        }
    }
}
