//! How good a classifier is: the figures that papers cite.
//!
//! Pure functions of labels, predictions and scores. Classes are numbers from 0, in the order that
//! the caller chooses; names come in where a report is written. Definitions, names and edge cases are those of scikit-learn, so that
//! a figure here and a figure from a notebook are one figure; `tests/metrics.rs` holds them to
//! scikit-learn's own results. A figure that is not defined (the area under the curve of a class
//! that nobody shows) is `None`, never a number.
//!
//! ```
//! use rapport_evaluation::metrics::{Confusion, classification_report, roc_curve};
//! let confusion = Confusion::of(3, [(0, 0), (0, 1), (1, 1), (1, 1)]);
//! let report = classification_report(&confusion, &confusion.classes_seen(), 0.0);
//! assert_eq!(report.accuracy(), Some(0.75));
//! let roc = roc_curve(&[(true, 0.9), (false, 0.4), (true, 0.3)]).unwrap();
//! assert_eq!(roc.auc(), 0.5);
//! ```

mod agreement;
mod calibration;
mod confusion;
mod curves;
mod ferplus;
mod report;
mod soft;

pub use agreement::{Agreement, agreement, weighted_ccc};
pub use calibration::{Calibration, ReliabilityBin, calibration};
pub use confusion::Confusion;
pub use curves::{PrecisionRecall, RocCurve, precision_recall_curve, roc_curve};
pub use ferplus::{
    Agreed, NEGATIVE, PeopleAnswer, PeopleScores, RuleScores, VOTE_COLUMNS, Votes, people_scores,
};
pub use report::{ClassificationReport, Overall, Scores, classification_report};
pub use soft::{SoftAnswer, SoftLabel, SoftScores, jensen_shannon, soft_scores};

/// The mean of the figures that are defined; `None` where none is.
pub fn mean_of_defined(figures: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let defined: Vec<f64> = figures.into_iter().flatten().collect();
    (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
}
