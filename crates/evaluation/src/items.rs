//! Which picture or stretch of a recording, which face and which groups an answer belongs to: what
//! intervals, tests between models and tables of groups count by.

use std::collections::HashMap;

use serde::Serialize;

use crate::labels::{Details, FrameLabels};
use crate::seen::Place;

/// Frames of one recording are alike for as long as somebody keeps a face, and smoothing lasts about
/// a second: a stretch of so many seconds is drawn as a whole.
pub const STRETCH_SECS: f64 = 10.0;

/// What an answer of a model belongs to. Numbers are those of [`Items`], the same for all models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Item {
    /// What is drawn as a whole when intervals are made.
    pub unit: u32,
    /// The frame or picture, from 0.
    pub frame: u64,
    /// The face; 0 in pictures.
    pub face: u32,
    /// The groups that the face is in.
    pub groups: u32,
}

/// Answers of one kind, each with what it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers<T> {
    items: Vec<Item>,
    values: Vec<T>,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self { items: Vec::new(), values: Vec::new() }
    }
}

impl<T> Answers<T> {
    /// Takes the next answer.
    pub fn push(&mut self, item: Item, value: T) {
        self.items.push(item);
        self.values.push(value);
    }

    /// The answers in order.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The answers in order, each with what it belongs to.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Item, &T)> + Clone {
        self.items.iter().zip(&self.values)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// What is drawn as a whole when intervals are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// A picture.
    #[default]
    Picture,
    /// All pictures of a person.
    Subject,
    /// [`STRETCH_SECS`] of a recording.
    Stretch,
}

impl UnitKind {
    /// So many of them, in words.
    pub fn count(self, units: usize) -> String {
        let s = if units == 1 { "" } else { "s" };
        match self {
            UnitKind::Picture => format!("{units} picture{s}"),
            UnitKind::Subject => format!("{units} subject{s}"),
            UnitKind::Stretch => {
                format!("{units} stretch{} of 10 s", if s.is_empty() { "" } else { "es" })
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum UnitKey {
    Picture(u64),
    Subject(String),
    Stretch(i64),
}

/// Gives numbers to units, faces and sets of groups, from 0 in the order in which they come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Items {
    columns: Vec<String>,
    kind: UnitKind,
    units: HashMap<UnitKey, u32>,
    faces: HashMap<String, u32>,
    groups: HashMap<Vec<String>, u32>,
}

impl Items {
    /// Without anything yet. `columns`: the names of the labels' columns of groups.
    pub fn new(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// The unit that a frame belongs to.
    pub fn unit(&mut self, place: &Place, labels: &FrameLabels) -> u32 {
        let subject = labels.details_of("").map(|details| details.subject.as_str());
        let (kind, key) = match (place.time_secs, subject.unwrap_or_default()) {
            (Some(secs), _) => {
                (UnitKind::Stretch, UnitKey::Stretch((secs / STRETCH_SECS).floor() as i64))
            }
            (None, "") => (self.kind, UnitKey::Picture(place.frame)),
            (None, subject) => (UnitKind::Subject, UnitKey::Subject(subject.to_owned())),
        };
        self.kind = kind;
        number(&mut self.units, key)
    }

    /// What an answer about a face belongs to.
    pub fn of(&mut self, unit: u32, frame: u64, face_id: &str, details: Option<&Details>) -> Item {
        let face = match self.faces.get(face_id) {
            Some(&face) => face,
            None => number(&mut self.faces, face_id.to_owned()),
        };
        let none = || vec![String::new(); self.columns.len()];
        let groups = details.map_or_else(none, |details| details.groups.clone());
        Item { unit, frame, face, groups: number(&mut self.groups, groups) }
    }

    /// What kind of units there are.
    pub fn kind(&self) -> UnitKind {
        self.kind
    }

    /// How many units there are.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// The names of the columns of groups.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// For each set of groups, by its number, the group of one of the columns; empty where the labels
    /// name none.
    pub fn groups_by(&self, column: usize) -> Vec<&str> {
        let mut found = vec![""; self.groups.len()];
        for (groups, &set) in &self.groups {
            if let (Some(place), Some(group)) = (found.get_mut(set as usize), groups.get(column)) {
                *place = group;
            }
        }
        found
    }
}

fn number<K: std::hash::Hash + Eq>(known: &mut HashMap<K, u32>, key: K) -> u32 {
    let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
    *known.entry(key).or_insert(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(frame: u64) -> Place {
        Place { frame, ..Place::default() }
    }

    fn at(secs: f64) -> Place {
        Place { time_secs: Some(secs), ..Place::default() }
    }

    #[test]
    fn pictures_are_units_unless_their_subjects_are_told() {
        let (mut items, none) = (Items::default(), FrameLabels::default());
        assert_eq!([3, 5, 3].map(|frame| items.unit(&picture(frame), &none)), [0, 1, 0]);
        assert_eq!((items.kind(), items.units()), (UnitKind::Picture, 2));
        let of = |subject: &str| FrameLabels {
            details: vec![(
                String::new(),
                Details { subject: subject.to_owned(), ..Details::default() },
            )],
            ..FrameLabels::default()
        };
        let mut items = Items::default();
        let units = [(0, "ann"), (1, "bo"), (2, "ann"), (3, "")];
        let units = units.map(|(frame, subject)| items.unit(&picture(frame), &of(subject)));
        assert_eq!((units, items.kind()), ([0, 1, 0, 2], UnitKind::Subject));
    }

    #[test]
    fn a_recording_is_divided_into_stretches() {
        let (mut items, none) = (Items::default(), FrameLabels::default());
        let units = [0.0, 9.99, 10.0, 35.0, -0.5].map(|secs| items.unit(&at(secs), &none));
        assert_eq!((units, items.kind()), ([0, 0, 1, 2, 3], UnitKind::Stretch));
        assert_eq!(items.kind().count(items.units()), "4 stretches of 10 s");
    }

    #[test]
    fn faces_and_groups_have_one_number_each() {
        let mut items = Items::new(vec!["light".into(), "age".into()]);
        let details = |groups: [&str; 2]| Details {
            groups: groups.map(str::to_owned).to_vec(),
            ..Details::default()
        };
        let dim = items.of(0, 0, "face_1", Some(&details(["dim", ""])));
        let bright = items.of(0, 0, "face_2", Some(&details(["bright", "30 to 39"])));
        assert_eq!((dim.face, bright.face, dim.groups, bright.groups), (0, 1, 0, 1));
        assert_eq!(items.of(1, 1, "face_1", Some(&details(["dim", ""]))).groups, 0);
        assert_eq!(items.of(1, 2, "face_1", None).groups, 2);
        assert_eq!(items.groups_by(0), ["dim", "bright", ""]);
        assert_eq!(items.groups_by(1), ["", "30 to 39", ""]);
    }
}
