//! Which picture or stretch of a recording, which face and which groups an answer belongs to: what
//! intervals, tests between models and tables of groups count by.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::labels::{FrameLabels, LabelDetails};
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
    /// A recording, where there are several.
    Recording,
}

impl UnitKind {
    /// So many of them, in words.
    pub fn count(self, units: usize) -> String {
        let s = if units == 1 { "" } else { "s" };
        match self {
            UnitKind::Picture => format!("{units} picture{s}"),
            UnitKind::Subject => format!("{units} subject{s}"),
            UnitKind::Stretch if units == 1 => "1 stretch of 10 s".to_owned(),
            UnitKind::Stretch => format!("{units} stretches of 10 s"),
            UnitKind::Recording => format!("{units} recording{s}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum UnitKey {
    Picture(u64),
    Subject(String),
    Stretch(i64),
    Recording(String),
}

/// Gives numbers to units, faces and sets of groups, from 0 in the order in which they come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Items {
    /// The recording that frames are of, where there are several.
    recording: Option<String>,
    kind: UnitKind,
    units: HashMap<UnitKey, u32>,
    faces: HashMap<String, u32>,
    groups: HashMap<Vec<(String, String)>, u32>,
}

impl Items {
    /// Says that the next frames are of another recording of several: from here on a recording is
    /// drawn as a whole.
    pub fn next_recording(&mut self, name: &str) {
        self.recording = Some(name.to_owned());
    }

    /// The unit that a frame belongs to.
    pub fn unit(&mut self, place: &Place, labels: &FrameLabels) -> u32 {
        let subject = labels.details_of("").map(|details| details.subject.as_str());
        let stretch = |secs: f64| UnitKey::Stretch((secs / STRETCH_SECS).floor() as i64);
        let (kind, key) = match (&self.recording, place.time_secs, subject.unwrap_or_default()) {
            (Some(name), ..) => (UnitKind::Recording, UnitKey::Recording(name.clone())),
            (None, Some(secs), _) => (UnitKind::Stretch, stretch(secs)),
            (None, None, "") => (self.kind, UnitKey::Picture(place.frame)),
            (None, None, subject) => (UnitKind::Subject, UnitKey::Subject(subject.to_owned())),
        };
        self.kind = kind;
        number(&mut self.units, key)
    }

    /// What an answer about a face belongs to.
    pub fn of(
        &mut self,
        unit: u32,
        frame: u64,
        face_id: &str,
        details: Option<&LabelDetails>,
    ) -> Item {
        let face = match self.faces.get(face_id) {
            Some(&face) => face,
            None => number(&mut self.faces, face_id.to_owned()),
        };
        let groups = details.map_or_else(Vec::new, |details| details.groups.clone());
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

    /// The names of the columns of groups, in alphabetical order.
    pub fn columns(&self) -> Vec<&str> {
        let columns = self.groups.keys().flatten().map(|(column, _)| column.as_str());
        columns.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// For each set of groups, by its number, the group of one of the columns; empty where the labels
    /// name none.
    pub fn groups_by(&self, column: &str) -> Vec<&str> {
        let mut found = vec![""; self.groups.len()];
        for (groups, &set) in &self.groups {
            let group = groups.iter().find(|(known, _)| known == column);
            if let (Some(place), Some((_, group))) = (found.get_mut(set as usize), group) {
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
                LabelDetails { subject: subject.to_owned(), ..LabelDetails::default() },
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
    fn of_several_recordings_each_is_a_unit() {
        let (mut items, none) = (Items::default(), FrameLabels::default());
        let units = ["a", "b", "a"].map(|name| {
            items.next_recording(name);
            [0.0, 25.0].map(|secs| items.unit(&at(secs), &none))
        });
        assert_eq!((units, items.kind()), ([[0, 0], [1, 1], [0, 0]], UnitKind::Recording));
        assert_eq!(items.kind().count(items.units()), "2 recordings");
    }

    #[test]
    fn faces_and_groups_have_one_number_each() {
        let mut items = Items::default();
        let details = |groups: &[(&str, &str)]| LabelDetails {
            groups: groups.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            ..LabelDetails::default()
        };
        let dim = items.of(0, 0, "face_1", Some(&details(&[("light", "dim")])));
        let old = [("light", "bright"), ("age", "80 to 89")];
        let bright = items.of(0, 0, "face_2", Some(&details(&old)));
        assert_eq!((dim.face, bright.face, dim.groups, bright.groups), (0, 1, 0, 1));
        assert_eq!(items.of(1, 1, "face_1", Some(&details(&[("light", "dim")]))).groups, 0);
        assert_eq!(items.of(1, 2, "face_1", None).groups, 2);
        assert_eq!(items.columns(), ["age", "light"]);
        assert_eq!(items.groups_by("light"), ["dim", "bright", ""]);
        assert_eq!(items.groups_by("age"), ["", "80 to 89", ""]);
    }
}
