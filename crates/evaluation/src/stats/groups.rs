//! Figures for each group of faces, as the labels name them: by age, light, site.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::interval::{Estimate, FEWEST_UNITS, p_value};
use super::resample::Resamples;
use super::sample::macro_f1;
use crate::items::Items;
use crate::tally::Tally;
use rapport_vocabulary::LabelSet;

/// More are no groups but numbers, names or notes.
pub const MOST_GROUPS: usize = 30;

/// The groups of one column of the labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// The groups in alphabetical order.
    pub groups: Vec<(String, Group)>,
    /// Faces without a group.
    pub without: u64,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Labelled faces that were found, counted in each frame.
    pub faces: u64,
    /// Of how many units they are: pictures, subjects, stretches of a recording.
    pub units: u64,
    /// The share whose label is read right.
    pub accuracy: Estimate,
    /// The mean F1 over the classes that occur in the group.
    pub macro_f1: Estimate,
    /// The accuracy less that of the faces in all other groups of the column; `None` where there are
    /// none.
    pub accuracy_less_others: Option<Difference>,
}

/// A difference, and how often one so large comes about where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The difference and its interval.
    #[serde(flatten)]
    pub difference: Estimate,
    /// Two-sided, by the bootstrap; `None` with too few units.
    pub p: Option<f64>,
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.groups.len()))?;
        for (name, group) in &self.groups {
            map.serialize_entry(name, group)?;
        }
        map.end()
    }
}

/// All columns, by their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Groups(pub Vec<Column>);

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for column in &self.0 {
            map.serialize_entry(&column.name, column)?;
        }
        map.end()
    }
}

/// Columns with too many different values, and how many these are.
pub fn too_many(items: &Items) -> Vec<(String, usize)> {
    let columns = items.columns().into_iter().map(|column| {
        let values: BTreeSet<&str> = items.groups_by(column).into_iter().collect();
        (column.to_owned(), values.into_iter().filter(|group| !group.is_empty()).count())
    });
    columns.filter(|(_, values)| *values > MOST_GROUPS).collect()
}

/// The figures of each group in the answers of one model.
pub fn groups(
    tally: &Tally,
    classes: &LabelSet,
    items: &Items,
    resamples: &Resamples,
) -> Option<Groups> {
    let left_out: Vec<String> = too_many(items).into_iter().map(|(name, _)| name).collect();
    let columns = items.columns().into_iter();
    let columns = columns.filter(|name| left_out.iter().all(|other| other != name));
    let columns = columns.filter_map(|name| {
        let of_sets = items.groups_by(name);
        let faces: Vec<Face> = tally
            .scored
            .iter()
            .filter_map(|(item, scored)| {
                Some(Face {
                    unit: item.unit,
                    group: of_sets.get(item.groups as usize).copied().unwrap_or_default(),
                    truth: classes.index_of(scored.truth)?,
                    label: classes.index_of(scored.label)?,
                })
            })
            .collect();
        column(name, &faces, classes.len(), resamples)
    });
    let columns: Vec<Column> = columns.collect();
    (!columns.is_empty()).then_some(Groups(columns))
}

struct Face<'a> {
    unit: u32,
    group: &'a str,
    truth: usize,
    label: usize,
}

fn column(name: &str, faces: &[Face], classes: usize, resamples: &Resamples) -> Option<Column> {
    let names: BTreeSet<&str> = faces.iter().map(|f| f.group).filter(|g| !g.is_empty()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return None;
    }
    // Each face with the number of its group.
    let grouped: Vec<(usize, &Face)> = faces
        .iter()
        .filter_map(|face| Some((names.binary_search(&face.group).ok()?, face)))
        .collect();
    let figures = |counts: Option<&[u32]>| {
        let mut confusions = vec![vec![0u64; classes * classes]; names.len()];
        for (group, face) in &grouped {
            let count = counts.map_or(Some(1), |counts| counts.get(face.unit as usize).copied());
            confusions[*group][face.truth * classes + face.label] +=
                u64::from(count.unwrap_or_default());
        }
        of_confusions(&confusions, classes)
    };
    let whole = figures(None);
    let mut samples: Vec<Vec<Figures>> = vec![Vec::new(); names.len()];
    let mut counts = Vec::new();
    for sample in 0..resamples.count {
        resamples.draw(sample, &mut counts);
        let found = figures(Some(&counts));
        samples.iter_mut().zip(found).for_each(|(of_group, figures)| of_group.push(figures));
    }
    let groups = names.iter().enumerate().filter_map(|(index, name)| {
        let of_group = || grouped.iter().filter(move |(group, _)| *group == index);
        let units = of_group().map(|(_, face)| face.unit).collect::<BTreeSet<_>>().len();
        let drawn = if units < FEWEST_UNITS { &[][..] } else { samples.get(index)? };
        let estimate = |pick: fn(&Figures) -> Option<f64>| {
            let drawn: Vec<_> = drawn.iter().map(pick).collect();
            Some((Estimate::of(pick(whole.get(index)?)?, &drawn), p_value(&drawn)))
        };
        let difference = estimate(|figures| figures.less_others);
        let group = Group {
            faces: of_group().count() as u64,
            units: units as u64,
            accuracy: estimate(|figures| figures.accuracy)?.0,
            macro_f1: estimate(|figures| figures.macro_f1)?.0,
            accuracy_less_others: difference.map(|(difference, p)| Difference { difference, p }),
        };
        Some(((*name).to_owned(), group))
    });
    let without = (faces.len() - grouped.len()) as u64;
    Some(Column { name: name.to_owned(), groups: groups.collect(), without })
}

#[derive(Debug, Clone, Copy)]
struct Figures {
    accuracy: Option<f64>,
    macro_f1: Option<f64>,
    less_others: Option<f64>,
}

/// The figures of each group from its confusion matrix.
fn of_confusions(confusions: &[Vec<u64>], classes: usize) -> Vec<Figures> {
    let right_of = |confusion: &Vec<u64>| confusion.iter().step_by(classes + 1).sum::<u64>();
    let counts: Vec<(u64, u64)> =
        confusions.iter().map(|c| (right_of(c), c.iter().sum())).collect();
    let (all_right, all) = counts.iter().fold((0, 0), |(right, all), (r, n)| (right + r, all + n));
    let share = |right: u64, all: u64| (all > 0).then(|| right as f64 / all as f64);
    let of_group = |(confusion, &(right, count)): (&Vec<u64>, &(u64, u64))| {
        let accuracy = share(right, count);
        let others = share(all_right - right, all - count);
        Figures {
            accuracy,
            macro_f1: macro_f1(confusion, classes, false),
            less_others: accuracy.zip(others).map(|(accuracy, others)| accuracy - others),
        }
    };
    confusions.iter().zip(&counts).map(of_group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(unit: u32, group: &'static str, is_right: bool) -> Face<'static> {
        Face { unit, group, truth: 0, label: usize::from(!is_right) }
    }

    #[test]
    fn groups_are_compared_with_all_others() {
        // 20 bright faces, all but two right; 20 dim ones, half right; two without a group.
        let bright = (0..20).map(|unit| face(unit, "bright", unit >= 2));
        let dim = (20..40).map(|unit| face(unit, "dim", unit % 2 == 0));
        let faces: Vec<_> =
            bright.chain(dim).chain([face(40, "", true), face(41, "", false)]).collect();
        let resamples = Resamples { units: 42, count: 500, seed: 1 };
        let found = column("light", &faces, 2, &resamples).unwrap();
        assert_eq!(found.without, 2);
        let [(bright, of_bright), (dim, of_dim)] = &found.groups[..] else { panic!("{found:?}") };
        assert_eq!((bright.as_str(), dim.as_str()), ("bright", "dim"));
        assert_eq!((of_bright.accuracy.estimate, of_dim.accuracy.estimate), (0.9, 0.5));
        let difference = of_dim.accuracy_less_others.unwrap();
        assert!((difference.difference.estimate + 0.4).abs() < 1e-12);
        let (lower, upper) = difference.difference.interval().unwrap();
        assert!(-0.75 < lower && lower < -0.4 && -0.4 < upper && upper < 0.0, "{difference:?}");
        assert!(difference.p.unwrap() < 0.05);
        // Neither class is read right where the truth is always the other.
        assert!(of_dim.macro_f1.estimate < of_dim.accuracy.estimate);
    }

    #[test]
    fn a_group_of_few_has_a_figure_and_no_interval() {
        let faces: Vec<_> = (0..10)
            .map(|unit| face(unit, if unit < 3 { "few" } else { "many" }, unit % 3 == 0))
            .collect();
        let resamples = Resamples { units: 10, count: 100, seed: 1 };
        let found = column("site", &faces, 2, &resamples).unwrap();
        let few = &found.groups[0].1;
        assert_eq!((few.faces, few.accuracy.interval()), (3, None));
        assert_eq!(few.accuracy_less_others.unwrap().p, None);
        assert!(found.groups[1].1.accuracy.interval().is_some());
        assert_eq!(column("site", &[face(0, "", true)], 2, &resamples), None);
    }
}
