//! How sure figures are, and whether one model is better than another.
//!
//! A bootstrap: as many units as there are, drawn with replacement, again and again; of each sample
//! all figures are worked out anew by the definitions of [`metrics`](crate::metrics). The middle 95
//! of 100 make a figure's interval. A unit is what may be alike in itself and not to another: a
//! picture, all pictures of a subject, or a stretch of a recording, with every face in it.
//!
//! - [`resample`]: which units are drawn. [`sample`]: one model's answers, and the [`figure`]s of
//!   them for any sample; [`ranking`]: those that need answers in order.
//! - [`interval`]: from the figures of all samples to an interval and a probability.
//! - [`compare`], [`mcnemar`]: models side by side. [`groups`]: groups of faces side by side.

mod compare;
mod figure;
mod groups;
mod interval;
mod mcnemar;
mod ranking;
mod resample;
mod sample;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub use compare::Comparison;
pub use figure::{Figure, Format};
pub use groups::{Column, Groups, MOST_GROUPS, too_many};
pub use interval::{Estimate, FEWEST_UNITS};
pub use mcnemar::McNemar;

use crate::items::{Items, UnitKind};
use crate::tally::Tally;
use compare::{Side, compare};
use interval::{LEVEL_PERCENT, without_bias};
use rapport_vocabulary::LabelSet;
use resample::Resamples;
use sample::{Figures, Sample};

/// How intervals were made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// What is drawn as a whole.
    pub unit: UnitKind,
    /// How many there are.
    pub units: usize,
    /// How many samples were drawn; 0 where there are too few units, or none were asked for.
    pub resamples: u32,
    /// What they were drawn by.
    pub seed: u64,
    /// The share of samples inside an interval.
    pub confidence_level: f64,
}

impl Statistics {
    /// Of the units of an evaluation.
    pub fn of(items: &Items, resamples: u32, seed: u64) -> Self {
        let units = items.units();
        Self {
            unit: items.kind(),
            units,
            resamples: if units < FEWEST_UNITS { 0 } else { resamples },
            seed,
            confidence_level: LEVEL_PERCENT / 100.0,
        }
    }

    fn samples(&self) -> Resamples {
        Resamples { units: self.units, count: self.resamples, seed: self.seed }
    }

    /// What intervals are, for people.
    pub fn text(&self) -> String {
        let units = self.unit.count(self.units);
        if self.resamples > 0 {
            return format!(
                "Intervals: 95 %, bootstrap, {} samples of {units}, seed {}.",
                self.resamples, self.seed
            );
        }
        if self.units < FEWEST_UNITS {
            return format!("No intervals: {units}, expected at least {FEWEST_UNITS}.");
        }
        "No intervals: none were asked for.".to_owned()
    }
}

/// The figures of a model with their intervals, by their keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intervals(pub Vec<(Figure, Estimate)>);

impl Intervals {
    /// A figure with its interval; `None` where it is not defined.
    pub fn get(&self, figure: Figure) -> Option<&Estimate> {
        self.0.iter().find(|(known, _)| *known == figure).map(|(_, estimate)| estimate)
    }
}

impl Serialize for Intervals {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (figure, estimate) in &self.0 {
            map.serialize_entry(figure.key(), estimate)?;
        }
        map.end()
    }
}

/// A model that is drawn.
#[derive(Clone, Copy)]
pub struct Answered<'a> {
    /// Its name.
    pub name: &'a str,
    /// The labels that it tells apart.
    pub labels: &'a LabelSet,
    /// What it answered.
    pub tally: &'a Tally,
}

/// What a bootstrap says of all models.
pub struct Bootstrap {
    /// How it was made.
    pub statistics: Statistics,
    /// Of each model, in order.
    pub intervals: Vec<Intervals>,
    /// Of each model, where labels name groups.
    pub groups: Vec<Option<Groups>>,
    /// Each model but the first beside the first.
    pub comparisons: Vec<Comparison>,
}

impl Bootstrap {
    /// Draws the samples. `classes`: the labels of the report.
    pub fn of(
        models: &[Answered<'_>],
        classes: &LabelSet,
        items: &Items,
        statistics: Statistics,
    ) -> Self {
        let resamples = statistics.samples();
        let samples: Vec<_> =
            models.iter().map(|model| Sample::of(model.tally, model.labels, classes)).collect();
        let once = vec![1; resamples.units];
        let whole: Vec<Figures> = samples.iter().map(|sample| sample.figures(&once)).collect();
        let mut drawn: Vec<Vec<Figures>> = vec![Vec::new(); models.len()];
        let mut counts = Vec::new();
        for number in 0..resamples.count {
            resamples.draw(number, &mut counts);
            for (drawn, sample) in drawn.iter_mut().zip(&samples) {
                drawn.push(sample.figures(&counts));
            }
        }
        let intervals = whole.iter().zip(&drawn).map(|(whole, drawn)| intervals(whole, drawn));
        let sides: Vec<Side<'_>> = models
            .iter()
            .zip(whole.iter().zip(&drawn))
            .map(|(model, (whole, samples))| Side {
                name: model.name,
                tally: model.tally,
                whole,
                samples,
            })
            .collect();
        let comparisons = match sides.split_first() {
            Some((first, others)) => {
                others.iter().map(|other| compare(*first, *other, statistics.unit)).collect()
            }
            None => Vec::new(),
        };
        let groups = models.iter();
        let groups = groups.map(|model| groups::groups(model.tally, classes, items, &resamples));
        Self { intervals: intervals.collect(), groups: groups.collect(), comparisons, statistics }
    }
}

fn intervals(whole: &Figures, drawn: &[Figures]) -> Intervals {
    let estimates = Figure::ALL.into_iter().filter_map(|figure| {
        let at = |figures: &Figures| figures[figure as usize];
        let (whole, mut samples) = (at(whole)?, drawn.iter().map(at).collect::<Vec<_>>());
        if figure.is_biased() {
            without_bias(whole, &mut samples);
            // An error is never less than none.
            samples.iter_mut().flatten().for_each(|error| *error = error.max(0.0));
        }
        Some((figure, Estimate::of(whole, &samples)))
    });
    Intervals(estimates.collect())
}
