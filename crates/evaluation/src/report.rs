//! `report.json`: every figure of an evaluation.
//!
//! Key names are scikit-learn's where it has them. Everything but `timing` and `provenance` is the
//! same from run to run.

use std::path::PathBuf;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::mistakes::Mistake;
use super::model::Model;
use super::percentile::StageTimes;
use super::provenance::Provenance;
use super::sequence::SequenceSummary;
use super::source::Source;
use super::tally::{Coverage, Scored};
use super::warnings::Warnings;
use crate::metrics::{
    Calibration, ClassificationReport, Confusion, PrecisionRecall, RocCurve, calibration,
    classification_report, mean_of_defined, precision_recall_curve, roc_curve,
};
use rapport_vocabulary::Emotion;

/// Bins of the reliability diagram and the calibration error, as the model cards have them.
pub const CALIBRATION_BINS: usize = 15;

/// A quotient without a denominator, as scikit-learn has it by default.
const ZERO_DIVISION: f64 = 0.0;

const NAMES: [&str; Emotion::COUNT] = {
    let mut names = [""; Emotion::COUNT];
    let mut i = 0;
    while i < names.len() {
        names[i] = Emotion::ALL[i].as_str();
        i += 1;
    }
    names
};

/// All of it.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// Goes up when keys change their meaning.
    pub format_version: u32,
    /// What was evaluated.
    pub source: &'a Source,
    /// What says what was shown.
    pub labels: &'a LabelSummary,
    /// The first model's, where notebooks look for it.
    #[serde(serialize_with = "report_of_first")]
    pub classification_report: &'a [ModelReport<'a>],
    /// Each model.
    pub models: &'a [ModelReport<'a>],
    /// What went wrong.
    pub warnings: &'a Warnings,
    /// Where the time went.
    pub timing: &'a Timing,
    /// Where the figures come from.
    pub provenance: &'a Provenance,
}

fn report_of_first<S: Serializer>(models: &[ModelReport<'_>], to: S) -> Result<S::Ok, S::Error> {
    models.first().and_then(|m| m.classification_report.as_ref()).map(Named).serialize(to)
}

/// Where the labels came from.
#[derive(Debug, Default, Serialize)]
pub struct LabelSummary {
    /// `folders`, `fer2013`, `intervals`, `frames`, `topic` or `none`.
    pub kind: &'static str,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What times of intervals count from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_base: Option<super::labels::TimeBase>,
    /// How many there are.
    pub count: u64,
    /// The names, in the order of every list and matrix.
    pub names: [&'static str; Emotion::COUNT],
}

impl LabelSummary {
    /// Of so many labels of a kind.
    pub fn new(kind: &'static str, count: u64) -> Self {
        Self { kind, count, names: NAMES, ..Self::default() }
    }
}

/// Everything about one model.
#[derive(Debug, Serialize)]
pub struct ModelReport<'a> {
    /// Its name in this report and in `frames.csv`.
    pub name: &'a str,
    /// Its file.
    pub path: &'a PathBuf,
    /// What is in the file.
    pub sha256: &'a str,
    /// Labelled faces that were found.
    pub coverage: Coverage,
    /// Of the labels as reported; nothing where no face has a label.
    #[serde(serialize_with = "named")]
    pub classification_report: Option<ClassificationReport>,
    /// Of each frame alone, without smoothing; recordings only.
    #[serde(serialize_with = "named", skip_serializing_if = "Option::is_none")]
    pub classification_report_raw: Option<ClassificationReport>,
    /// Rows true, columns predicted, in the order of `labels.names`.
    pub confusion_matrix: Confusion,
    /// One class against the rest; null where a class, or the rest, is absent.
    #[serde(serialize_with = "by_class")]
    pub roc: Vec<Option<RocCurve>>,
    /// The area under each curve.
    #[serde(serialize_with = "by_class")]
    pub roc_auc: Vec<Option<f64>>,
    /// The mean over the classes that have one (one vs. rest, macro).
    pub roc_auc_macro: Option<f64>,
    /// Precision over recall; null where a class is absent.
    #[serde(serialize_with = "by_class")]
    pub precision_recall: Vec<Option<PrecisionRecall>>,
    /// The mean over the classes that have one.
    pub average_precision_macro: Option<f64>,
    /// Confidence against accuracy.
    pub calibration: Calibration,
    /// What only a sequence shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<SequenceSummary>,
    /// The most confident wrong answers.
    pub worst_mistakes: Vec<&'a Mistake>,
}

impl<'a> ModelReport<'a> {
    /// Works out the figures.
    pub fn of(model: &'a Model) -> Self {
        let tally = &model.tally;
        let scored = &tally.scored;
        let report = |label: fn(&Scored) -> Emotion| {
            let confusion = tally.confusion(label);
            let classes = confusion.classes_seen();
            (!scored.is_empty()).then(|| classification_report(&confusion, &classes, ZERO_DIVISION))
        };
        let against_rest = |class: Emotion| -> Vec<(bool, f64)> {
            let pair = |s: &Scored| (s.truth == class, f64::from(s.probabilities.of(class)));
            scored.iter().map(pair).collect()
        };
        let roc: Vec<_> = Emotion::ALL.map(|class| roc_curve(&against_rest(class))).into();
        let precision_recall: Vec<_> =
            Emotion::ALL.map(|class| precision_recall_curve(&against_rest(class))).into();
        let roc_auc: Vec<_> = roc.iter().map(|roc| roc.as_ref().map(RocCurve::auc)).collect();
        let confidence = |s: &Scored| (f64::from(s.probabilities.of(s.label)), s.label == s.truth);
        let predictions: Vec<_> = scored.iter().map(confidence).collect();
        let average = |pr: &Option<PrecisionRecall>| pr.as_ref().map(|pr| pr.average_precision);
        Self {
            name: &model.name,
            path: &model.path,
            sha256: &model.sha256,
            coverage: tally.coverage,
            classification_report: report(|s| s.label),
            classification_report_raw: match tally.sequence {
                Some(_) => report(|s| s.instant_label),
                None => None,
            },
            confusion_matrix: tally.confusion(|s| s.label),
            roc_auc_macro: mean_of_defined(roc_auc.iter().copied()),
            average_precision_macro: mean_of_defined(precision_recall.iter().map(average)),
            roc,
            roc_auc,
            precision_recall,
            calibration: calibration(&predictions, CALIBRATION_BINS),
            sequence: tally.sequence.as_ref().map(|sequence| sequence.summary()),
            worst_mistakes: tally.mistakes.iter().collect(),
        }
    }
}

struct Named<'a>(&'a ClassificationReport);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.named(&NAMES).serialize(to)
    }
}

fn named<S: Serializer>(report: &Option<ClassificationReport>, to: S) -> Result<S::Ok, S::Error> {
    report.as_ref().map(Named).serialize(to)
}

fn by_class<S: Serializer, T: Serialize>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(values.len()))?;
    for (name, value) in NAMES.iter().zip(values) {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// Where the time went.
#[derive(Debug, Serialize)]
pub struct Timing {
    /// From the first frame to the last figure, in seconds.
    pub wall_secs: f64,
    /// Frames worked on a second.
    pub frames_per_sec: f64,
    /// The recording's length over that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_real_time: Option<f64>,
    /// Reading and decoding over that time.
    pub read_and_decode_share: f64,
    /// Getting the bytes of each frame; for pictures, pixels too.
    pub read: StageTimes,
    /// Making pixels of them.
    pub decode: StageTimes,
    /// Each model's stages.
    pub models: Vec<ModelTiming>,
}

/// The stages of one model.
#[derive(Debug, Serialize)]
pub struct ModelTiming {
    /// Which model.
    pub name: String,
    /// Scaling, finding, suppressing overlaps.
    pub detect: StageTimes,
    /// Confirming faces, finding landmarks.
    pub verify: StageTimes,
    /// Following and cutting out.
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
