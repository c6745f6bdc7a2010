//! The figures that have intervals.

use serde::{Serialize, Serializer};

/// A figure of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// The share of faces whose label is read right.
    Accuracy,
    /// The same of each frame alone, without smoothing; recordings only.
    AccuracyRaw,
    /// The mean F1 over the classes that occur.
    MacroF1,
    /// The mean area under the ROC curves.
    MacroAuc,
    /// The mean average precision.
    MacroAveragePrecision,
    /// The expected calibration error.
    CalibrationError,
    /// The share of labelled faces that were found.
    Coverage,
    /// Label changes a minute, of each frame alone; recordings only.
    FlipsRaw,
    /// Label changes a minute, as reported; recordings only.
    Flips,
    /// The share of labelled expressions that were detected; recordings only.
    Detected,
    /// The median time from onset to detection in seconds; recordings only.
    OnsetMedian,
    /// Against the votes: the share of pictures read as most people see them.
    VotesAccuracy,
    /// Against the votes: the mean F1 over all eight classes.
    VotesMacroF1,
    /// Against the votes: neutral faces that are read as negative.
    VotesNeutralAsNegative,
    /// Against the votes: the same, and sure.
    VotesNeutralAsNegativeSure,
    /// Against the votes: the accuracy where it is sure.
    VotesAccuracySure,
    /// Against the votes: the calibration error.
    VotesCalibrationError,
    /// Against the votes: cross-entropy in nats.
    VotesCrossEntropy,
    /// The entropy of the votes in nats: no model's figure, but one that hangs on the pictures.
    VotesEntropy,
    /// Against the votes as soft labels: cross-entropy in nats.
    SoftCrossEntropy,
    /// The entropy of the votes as soft labels in nats.
    SoftEntropy,
    /// Against the votes as soft labels: Jensen-Shannon divergence.
    SoftJensenShannon,
    /// The share of the votes that are for the label that is read.
    SoftVotesForLabel,
    /// The concordance correlation of valence.
    Valence,
    /// The concordance correlation of arousal.
    Arousal,
}

impl Figure {
    /// All of them; each figure is the index of its place.
    pub const ALL: [Self; 25] = [
        Self::Accuracy,
        Self::AccuracyRaw,
        Self::MacroF1,
        Self::MacroAuc,
        Self::MacroAveragePrecision,
        Self::CalibrationError,
        Self::Coverage,
        Self::FlipsRaw,
        Self::Flips,
        Self::Detected,
        Self::OnsetMedian,
        Self::VotesAccuracy,
        Self::VotesMacroF1,
        Self::VotesNeutralAsNegative,
        Self::VotesNeutralAsNegativeSure,
        Self::VotesAccuracySure,
        Self::VotesCalibrationError,
        Self::VotesCrossEntropy,
        Self::VotesEntropy,
        Self::SoftCrossEntropy,
        Self::SoftEntropy,
        Self::SoftJensenShannon,
        Self::SoftVotesForLabel,
        Self::Valence,
        Self::Arousal,
    ];

    /// Its key in `report.json`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::AccuracyRaw => "accuracy_raw",
            Self::MacroF1 => "macro_f1",
            Self::MacroAuc => "roc_auc_macro",
            Self::MacroAveragePrecision => "average_precision_macro",
            Self::CalibrationError => "expected_calibration_error",
            Self::Coverage => "coverage",
            Self::FlipsRaw => "label_flips_per_minute_raw",
            Self::Flips => "label_flips_per_minute",
            Self::Detected => "expressions_detected",
            Self::OnsetMedian => "onset_to_detection_median_secs",
            Self::VotesAccuracy => "ferplus_accuracy",
            Self::VotesMacroF1 => "ferplus_macro_f1",
            Self::VotesNeutralAsNegative => "ferplus_neutral_as_negative",
            Self::VotesNeutralAsNegativeSure => "ferplus_neutral_as_negative_sure",
            Self::VotesAccuracySure => "ferplus_accuracy_sure",
            Self::VotesCalibrationError => "ferplus_expected_calibration_error",
            Self::VotesCrossEntropy => "ferplus_cross_entropy",
            Self::VotesEntropy => "ferplus_entropy_of_votes",
            Self::SoftCrossEntropy => "soft_cross_entropy",
            Self::SoftEntropy => "soft_entropy_of_votes",
            Self::SoftJensenShannon => "soft_jensen_shannon",
            Self::SoftVotesForLabel => "soft_votes_for_label",
            Self::Valence => "valence_ccc",
            Self::Arousal => "arousal_ccc",
        }
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::AccuracyRaw => "accuracy, each frame alone",
            Self::MacroF1 => "macro F1",
            Self::MacroAuc => "macro AUC",
            Self::MacroAveragePrecision => "macro average precision",
            Self::CalibrationError => "calibration error",
            Self::Coverage => "labelled faces found",
            Self::FlipsRaw => "label flips a minute, raw",
            Self::Flips => "label flips a minute, smoothed",
            Self::Detected => "expressions detected",
            Self::OnsetMedian => "onset to detection, median",
            Self::VotesAccuracy => "FER+: accuracy",
            Self::VotesMacroF1 => "FER+: macro F1, eight classes",
            Self::VotesNeutralAsNegative => "FER+: neutral read as negative",
            Self::VotesNeutralAsNegativeSure => "FER+: the same, and sure",
            Self::VotesAccuracySure => "FER+: accuracy where sure",
            Self::VotesCalibrationError => "FER+: calibration error",
            Self::VotesCrossEntropy => "FER+: cross-entropy to votes",
            Self::VotesEntropy => "FER+: entropy of the votes",
            Self::SoftCrossEntropy => "soft labels: cross-entropy",
            Self::SoftEntropy => "soft labels: entropy of votes",
            Self::SoftJensenShannon => "soft labels: Jensen-Shannon",
            Self::SoftVotesForLabel => "soft labels: votes for the label",
            Self::Valence => "valence: concordance",
            Self::Arousal => "arousal: concordance",
        }
    }

    /// Whether drawing with replacement raises it: noise in a bin of confidence always adds to the
    /// calibration error, and a sample has more of it than all units together.
    pub fn is_biased(self) -> bool {
        matches!(self, Self::CalibrationError | Self::VotesCalibrationError)
    }

    /// Whether less is better; `None` where a figure says nothing about which model is better.
    pub fn less_is_better(self) -> Option<bool> {
        match self {
            Self::VotesEntropy | Self::SoftEntropy => None,
            Self::CalibrationError
            | Self::FlipsRaw
            | Self::Flips
            | Self::OnsetMedian
            | Self::VotesNeutralAsNegative
            | Self::VotesNeutralAsNegativeSure
            | Self::VotesCalibrationError
            | Self::VotesCrossEntropy
            | Self::SoftCrossEntropy
            | Self::SoftJensenShannon => Some(true),
            _ => Some(false),
        }
    }

    /// How it is written.
    pub fn format(self) -> Format {
        match self {
            Self::Accuracy
            | Self::AccuracyRaw
            | Self::CalibrationError
            | Self::Coverage
            | Self::Detected
            | Self::VotesAccuracy
            | Self::VotesNeutralAsNegative
            | Self::VotesNeutralAsNegativeSure
            | Self::VotesAccuracySure
            | Self::VotesCalibrationError
            | Self::SoftVotesForLabel => Format::Percent,
            Self::FlipsRaw | Self::Flips => Format::Rate,
            Self::OnsetMedian => Format::Seconds,
            _ => Format::Number,
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.key())
    }
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A share, as percent with two decimals.
    Percent,
    /// With four decimals.
    Number,
    /// With one decimal.
    Rate,
    /// Seconds, with two decimals.
    Seconds,
}

impl Format {
    /// The figure with its unit.
    pub fn text(self, value: Option<f64>) -> String {
        let Some(value) = value else {
            return "-".to_owned();
        };
        match self {
            Self::Percent => format!("{} %", self.digits(value)),
            Self::Seconds => format!("{} s", self.digits(value)),
            Self::Number | Self::Rate => self.digits(value),
        }
    }

    /// The figure without its unit.
    pub fn digits(self, value: f64) -> String {
        let (value, decimals) = match self {
            Self::Percent => (value * 100.0, 2),
            Self::Number => (value, 4),
            Self::Rate => (value, 1),
            Self::Seconds => (value, 2),
        };
        let text = format!("{value:.decimals$}");
        // No figure is minus nothing.
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
            _ => text,
        }
    }

    /// A difference: with its sign, shares in percentage points.
    pub fn difference(self, value: f64) -> String {
        let digits = self.digits(value);
        if value > 0.0 && !digits.starts_with('-') { format!("+{digits}") } else { digits }
    }

    /// An interval without its unit.
    pub fn interval(self, (lower, upper): (f64, f64)) -> String {
        format!("{} to {}", self.digits(lower), self.digits(upper))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_the_index_of_its_place() {
        for (index, figure) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(figure as usize, index, "{figure:?}");
        }
        let mut keys: Vec<_> = Figure::ALL.map(Figure::key).to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Figure::ALL.len());
    }

    #[test]
    fn figures_are_written_with_their_units() {
        assert_eq!(Format::Percent.text(Some(0.56789)), "56.79 %");
        assert_eq!(Format::Seconds.text(Some(0.5)), "0.50 s");
        assert_eq!(Format::Number.text(None), "-");
        assert_eq!(Format::Percent.difference(0.0123), "+1.23");
        assert_eq!(Format::Percent.difference(-0.0123), "-1.23");
        assert_eq!(Format::Percent.difference(-0.000001), "0.00");
        assert_eq!(Format::Number.interval((0.1, 0.25)), "0.1000 to 0.2500");
    }
}
