//! Precision, recall and F1, per class and in all.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::confusion::Confusion;

/// The figures of one class, or of an average over classes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Scores {
    /// Of what was predicted as this class, the share that was it.
    pub precision: f64,
    /// Of what was this class, the share that was predicted as it.
    pub recall: f64,
    /// The harmonic mean of both.
    #[serde(rename = "f1-score")]
    pub f1: f64,
    /// How often the class was there.
    pub support: u64,
}

/// All predictions together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Overall {
    /// The share of right predictions, where the report covers every class that occurs.
    Accuracy(f64),
    /// Precision, recall and F1 over the pooled counts, where it leaves some out: then the three
    /// differ, and none of them is the accuracy.
    MicroAverage(Scores),
}

/// What scikit-learn's `classification_report(output_dict=True)` says.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    /// Each class that the report covers, with its figures.
    pub classes: Vec<(usize, Scores)>,
    /// All predictions together.
    pub overall: Overall,
    /// The mean over the classes.
    pub macro_average: Scores,
    /// The mean over the classes, weighted by their support.
    pub weighted_average: Scores,
}

/// Reports on some of the classes, in the given order.
///
/// A quotient without a denominator (the precision of a class that was never predicted) is
/// `zero_division`: 0, 1, or NaN, which averages leave out.
pub fn classification_report(
    confusion: &Confusion,
    classes: &[usize],
    zero_division: f64,
) -> ClassificationReport {
    let scores = |right: u64, predicted: u64, support: u64| {
        let share = |part: u64, whole: u64| {
            if whole == 0 { zero_division } else { part as f64 / whole as f64 }
        };
        Scores {
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, predicted + support),
            support,
        }
    };
    let of_class = |class: usize| {
        scores(confusion.count(class, class), confusion.predicted(class), confusion.support(class))
    };
    let per_class: Vec<_> = classes.iter().map(|&class| (class, of_class(class))).collect();
    let sum = |count: &dyn Fn(usize) -> u64| classes.iter().map(|&class| count(class)).sum();
    let pooled = scores(
        sum(&|class| confusion.count(class, class)),
        sum(&|class| confusion.predicted(class)),
        sum(&|class| confusion.support(class)),
    );
    let is_complete = confusion.classes_seen().iter().all(|class| classes.contains(class));
    let overall = if is_complete {
        Overall::Accuracy(pooled.precision)
    } else {
        Overall::MicroAverage(pooled)
    };
    let support = pooled.support;
    ClassificationReport {
        overall,
        macro_average: averaged(&per_class, support, |_| 1.0),
        weighted_average: averaged(&per_class, support, |scores| scores.support as f64),
        classes: per_class,
    }
}

/// Means over the classes, undefined figures left out; unweighted where all weights are 0.
fn averaged(classes: &[(usize, Scores)], support: u64, weight: impl Fn(&Scores) -> f64) -> Scores {
    let mean = |figure: fn(&Scores) -> f64| {
        let defined = || classes.iter().map(|(_, s)| s).filter(|s| !figure(s).is_nan());
        let weights: f64 = defined().map(&weight).sum();
        if weights > 0.0 {
            defined().map(|s| figure(s) * weight(s)).sum::<f64>() / weights
        } else {
            defined().map(figure).sum::<f64>() / defined().count() as f64
        }
    };
    Scores {
        precision: mean(|s| s.precision),
        recall: mean(|s| s.recall),
        f1: mean(|s| s.f1),
        support,
    }
}

impl ClassificationReport {
    /// The share of right predictions, where the report covers every class.
    pub fn accuracy(&self) -> Option<f64> {
        match self.overall {
            Overall::Accuracy(accuracy) => Some(accuracy),
            Overall::MicroAverage(_) => None,
        }
    }

    /// The report under the names of its classes, to be serialised with scikit-learn's keys.
    pub fn named<'a>(&'a self, names: &'a [&'a str]) -> impl Serialize + 'a {
        Named { report: self, names }
    }
}

struct Named<'a> {
    report: &'a ClassificationReport,
    names: &'a [&'a str],
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.report;
        let mut map = serializer.serialize_map(Some(report.classes.len() + 3))?;
        for (class, scores) in &report.classes {
            let number = class.to_string();
            map.serialize_entry(self.names.get(*class).copied().unwrap_or(&number), scores)?;
        }
        match &report.overall {
            Overall::Accuracy(accuracy) => map.serialize_entry("accuracy", accuracy)?,
            Overall::MicroAverage(scores) => map.serialize_entry("micro avg", scores)?,
        }
        map.serialize_entry("macro avg", &report.macro_average)?;
        map.serialize_entry("weighted avg", &report.weighted_average)?;
        map.end()
    }
}
