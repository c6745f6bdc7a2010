//! Models side by side: whether one is better, or whether it only looks so on these pictures.

use std::collections::HashMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::figure::Figure;
use super::groups::Difference;
use super::interval::{Estimate, p_value, without_bias};
use super::mcnemar::McNemar;
use super::sample::Figures;
use crate::items::{Answers, Item, UnitKind};
use crate::tally::Tally;

/// A model beside the first one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The first model, by its name.
    pub baseline: String,
    /// The other.
    pub model: String,
    /// McNemar's test of the labels, `first` being the baseline; `None` where faces are not
    /// independent of each other, as in a recording, or none is labelled.
    pub mcnemar: Option<McNemar>,
    /// The same against what most people see (FER+).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcnemar_ferplus: Option<McNemar>,
    /// What the model has more than the baseline, of each figure that both have.
    pub differences: Differences,
}

/// The differences of the figures, by their keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differences(pub Vec<(Figure, Difference)>);

impl Differences {
    /// Those that are not 0 in every sample.
    pub fn that_vary(&self) -> impl Iterator<Item = &(Figure, Difference)> {
        let varies = |found: &Difference| {
            found.difference.estimate != 0.0 || found.difference.interval().is_some()
        };
        self.0.iter().filter(move |(_, found)| varies(found))
    }
}

impl Serialize for Differences {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (figure, difference) in &self.0 {
            map.serialize_entry(figure.key(), difference)?;
        }
        map.end()
    }
}

/// One side of a comparison: a model's answers, its figures, and these in each sample.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The model's name.
    pub name: &'a str,
    /// What it answered.
    pub tally: &'a Tally,
    /// Its figures.
    pub whole: &'a Figures,
    /// Its figures in each sample; the same samples on both sides.
    pub samples: &'a [Figures],
}

/// Compares a model with the first one.
pub fn compare(baseline: Side<'_>, model: Side<'_>, kind: UnitKind) -> Comparison {
    let differences = Figure::ALL.into_iter().filter(|figure| figure.less_is_better().is_some());
    let differences = differences.filter_map(|figure| {
        let at = |figures: &Figures| figures[figure as usize];
        let less = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a - b);
        let whole = less(at(model.whole), at(baseline.whole))?;
        let samples = model.samples.iter().zip(baseline.samples);
        let mut samples: Vec<_> = samples.map(|(a, b)| less(at(a), at(b))).collect();
        if figure.is_biased() {
            without_bias(whole, &mut samples);
        }
        let difference = Estimate::of(whole, &samples);
        Some((figure, Difference { difference, p: p_value(&samples) }))
    });
    Comparison {
        baseline: baseline.name.to_owned(),
        model: model.name.to_owned(),
        mcnemar: mcnemar(kind, &baseline.tally.scored, &model.tally.scored, |scored| {
            scored.truth == scored.label
        }),
        mcnemar_ferplus: mcnemar(kind, &baseline.tally.people, &model.tally.people, |answer| {
            answer.is_right()
        }),
        differences: Differences(differences.collect()),
    }
}

/// The test over the pictures that both models answered.
fn mcnemar<T>(
    kind: UnitKind,
    baseline: &Answers<T>,
    model: &Answers<T>,
    is_right: impl Fn(&T) -> bool,
) -> Option<McNemar> {
    if kind != UnitKind::Picture {
        return None;
    }
    let key = |item: &Item| (item.frame, item.face);
    let first: HashMap<_, _> =
        baseline.iter().map(|(item, answer)| (key(item), is_right(answer))).collect();
    let pairs: Vec<(bool, bool)> = model
        .iter()
        .filter_map(|(item, answer)| Some((*first.get(&key(item))?, is_right(answer))))
        .collect();
    (!pairs.is_empty()).then(|| McNemar::of(pairs))
}
