//! What one model saw, beside the labels that were given.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::items::{Answers, Item, Items};
use crate::labels::{FrameLabels, LabelDetails};
use crate::metrics::{Confusion, PeopleAnswer, SoftAnswer};
use crate::mistakes::{Mistake, Mistakes};
use crate::seen::{Place, Seen};
use crate::sequence::Sequence;
use crate::timeline::Timeline;
use rapport_perception::Timings;
use rapport_perception::geometry::Rect;
use rapport_vocabulary::{Affect, Distribution, Emotion, LabelSet};

/// A face that was labelled and found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The label that was given.
    pub truth: Emotion,
    /// The label that the model reports.
    pub label: Emotion,
    /// The label of this frame alone.
    pub instant_label: Emotion,
    /// The distribution that `label` comes from.
    pub probabilities: Distribution,
}

/// Valence and arousal of a face: for each that was given, the number given and the one read, both -1
/// to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffectAnswer {
    /// Unpleasant -1 to pleasant 1.
    pub valence: Option<(f64, f64)>,
    /// Calm -1 to activated 1.
    pub arousal: Option<(f64, f64)>,
}

impl AffectAnswer {
    fn of(details: &LabelDetails, read: Affect) -> Self {
        let pair = |given: Option<f32>, read: f32| Some((f64::from(given?), f64::from(read)));
        Self {
            valence: pair(details.valence, read.valence),
            arousal: pair(details.arousal, read.arousal),
        }
    }
}

/// What is counted of one unit: a picture, or a stretch of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UnitCounts {
    /// Labelled faces, counted in each frame.
    pub labelled: u64,
    /// Those that were found.
    pub found: u64,
    /// The time for which faces were in view, in seconds.
    pub face_secs: f64,
    /// Changes of the label as reported.
    pub flips: u64,
    /// Changes of the label of each frame alone.
    pub instant_flips: u64,
}

impl UnitCounts {
    /// Adds those of another, so many times.
    pub fn add(&mut self, other: &Self, times: u32) {
        let whole = u64::from(times);
        self.labelled += whole * other.labelled;
        self.found += whole * other.found;
        self.face_secs += f64::from(times) * other.face_secs;
        self.flips += whole * other.flips;
        self.instant_flips += whole * other.instant_flips;
    }
}

/// How many labelled faces were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Labelled faces, counted in each frame.
    pub labelled: u64,
    /// Those that were found.
    pub found: u64,
}

impl Serialize for Coverage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut coverage = serializer.serialize_struct("Coverage", 3)?;
        coverage.serialize_field("labelled", &self.labelled)?;
        coverage.serialize_field("found", &self.found)?;
        coverage.serialize_field("share", &self.share())?;
        coverage.end()
    }
}

impl Coverage {
    /// Found over labelled, 0 to 1; `None` where nothing is labelled.
    pub fn share(&self) -> Option<f64> {
        (self.labelled > 0).then(|| self.found as f64 / self.labelled as f64)
    }
}

/// All that is counted for one model.
#[derive(Debug, Default)]
pub struct Tally {
    /// Faces with both a label and a prediction, in order.
    pub scored: Answers<Scored>,
    /// Labels that were given for any frame, whether or not a face was found there.
    pub labels_given: BTreeSet<Emotion>,
    /// How many labelled faces were found.
    pub coverage: Coverage,
    /// The mistakes with the highest confidence.
    pub mistakes: Mistakes,
    /// What the model answers on pictures that people voted on and agree about.
    pub people: Answers<PeopleAnswer>,
    /// Pictures with votes that do not count: no majority, or most say unknown or no face.
    pub people_left_out: u64,
    /// What the model answers on pictures in which people see an expression, if not the same.
    pub soft: Answers<SoftAnswer>,
    /// Pictures with votes in which people see none: most say unknown or no face.
    pub soft_left_out: u64,
    /// Faces whose valence or arousal was given.
    pub affect: Answers<AffectAnswer>,
    /// What is counted of each unit, by its number.
    pub units: Vec<UnitCounts>,
    /// What only a sequence shows; nothing for pictures.
    pub sequence: Option<Sequence>,
    /// The labels over time; nothing for pictures.
    pub timeline: Option<Timeline>,
    /// The recording that frames come from, where there are several; empty elsewhere.
    pub recording: String,
    /// How long each stage of each frame took.
    pub timings: Vec<Timings>,
}

impl Tally {
    /// Takes what was seen in a frame by a model that tells these labels apart. `items` says what it
    /// belongs to, `crop` cuts a face out for the report, where it may.
    pub fn frame(
        &mut self,
        of_model: &LabelSet,
        place: &Place,
        labels: &FrameLabels,
        seen: &[Seen],
        items: &mut Items,
        crop: impl Fn(&Rect) -> Option<Vec<u8>>,
    ) {
        let unit = items.unit(place, labels);
        let coverage_before = self.coverage;
        self.count_labels(labels, seen);
        let mut now = UnitCounts {
            labelled: self.coverage.labelled - coverage_before.labelled,
            found: self.coverage.found - coverage_before.found,
            ..UnitCounts::default()
        };
        if let (Some(sequence), Some(time)) = (&mut self.sequence, place.time) {
            let before = sequence.counts();
            sequence.enter(unit);
            sequence.frame(time, labels, seen);
            let after = sequence.counts();
            now.face_secs = after.face_secs - before.face_secs;
            now.flips = after.flips - before.flips;
            now.instant_flips = after.instant_flips - before.instant_flips;
        }
        let known = self.units.len().max(unit as usize + 1);
        self.units.resize(known, UnitCounts::default());
        if let Some(counts) = self.units.get_mut(unit as usize) {
            counts.add(&now, 1);
        }
        if let (Some(timeline), Some(secs)) = (&mut self.timeline, place.time_secs) {
            timeline.frame(secs, labels, seen);
        }
        for face in seen {
            let details = labels.details_of(&face.face_id);
            let item = items.of(unit, place.frame, &face.face_id, details);
            self.compare_with_votes(item, labels, face);
            if let Some(details) = details.filter(|details| details.has_affect()) {
                let read = of_model.affect(&face.probabilities);
                self.affect.push(item, AffectAnswer::of(details, read));
            }
            let Some(truth) = labels.of(&face.face_id) else {
                continue;
            };
            let (label, instant_label) = (face.label, face.instant_label);
            let probabilities = face.probabilities;
            self.scored.push(item, Scored { truth, label, instant_label, probabilities });
            if truth != face.label {
                let mistake = Mistake {
                    truth,
                    label: face.label,
                    confidence: face.confidence(),
                    recording: self.recording.clone(),
                    frame: place.frame,
                    source: place.source.clone(),
                    time_secs: place.time_secs,
                    face_id: face.face_id.clone(),
                    crop_png: None,
                };
                self.mistakes.add(mistake, || crop(&face.roi_in_image));
            }
        }
    }

    fn count_labels(&mut self, labels: &FrameLabels, seen: &[Seen]) {
        let given = labels.of_face.iter().filter_map(|(_, label)| *label).chain(labels.anyone);
        self.labels_given.extend(given);
        let has_own = |id: &str| labels.of_face.iter().any(|(face_id, _)| face_id == id);
        let in_view = |id: &str| seen.iter().any(|face| face.face_id == id);
        let own = || labels.of_face.iter().filter(|(_, label)| label.is_some());
        self.coverage.labelled += own().count() as u64;
        self.coverage.found += own().filter(|(face_id, _)| in_view(face_id)).count() as u64;
        if labels.anyone.is_some() {
            let others = seen.iter().any(|face| !has_own(&face.face_id));
            // Nobody is missed where all in view, and all who are meant, have labels of their own.
            self.coverage.labelled += u64::from(others || labels.of_face.is_empty());
            self.coverage.found += u64::from(others);
        }
    }

    fn compare_with_votes(&mut self, item: Item, labels: &FrameLabels, face: &Seen) {
        let Some(votes) = &labels.votes else {
            return;
        };
        let (label, sure, probabilities) = (face.label, face.sure, face.probabilities);
        match votes.agreed() {
            Some(agreed) => {
                self.people.push(item, PeopleAnswer { agreed, label, sure, probabilities });
            }
            None => self.people_left_out += 1,
        }
        match votes.soft_label() {
            Some(people) => self.soft.push(item, SoftAnswer { people, label, probabilities }),
            None => self.soft_left_out += 1,
        }
    }

    /// Rows true, columns predicted, in the order of `classes`, which has every label that occurs;
    /// of the labels as reported or of each frame alone.
    pub fn confusion(&self, classes: &LabelSet, label: impl Fn(&Scored) -> Emotion) -> Confusion {
        let pair = |scored: &Scored| {
            Some((classes.index_of(scored.truth)?, classes.index_of(label(scored))?))
        };
        Confusion::of(classes.len(), self.scored.values().iter().filter_map(pair))
    }
}
