//! What one model saw, beside the labels that were given.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::labels::FrameLabels;
use crate::metrics::{Confusion, PeopleAnswer};
use crate::mistakes::{Mistake, Mistakes};
use crate::seen::{Place, Seen};
use crate::sequence::Sequence;
use crate::timeline::Timeline;
use rapport_perception::Timings;
use rapport_perception::geometry::Rect;
use rapport_vocabulary::{Distribution, Emotion, LabelSet};

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
    pub scored: Vec<Scored>,
    /// Labels that were given for any frame, whether or not a face was found there.
    pub labels_given: BTreeSet<Emotion>,
    /// How many labelled faces were found.
    pub coverage: Coverage,
    /// The mistakes with the highest confidence.
    pub mistakes: Mistakes,
    /// What the model answers on pictures that people voted on and agree about.
    pub people: Vec<PeopleAnswer>,
    /// Pictures with votes that do not count: no majority, or most say unknown or no face.
    pub people_left_out: u64,
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
    /// Takes what was seen in a frame. `crop` cuts a face out for the report, where it may.
    pub fn frame(
        &mut self,
        place: &Place,
        labels: &FrameLabels,
        seen: &[Seen],
        crop: impl Fn(&Rect) -> Option<Vec<u8>>,
    ) {
        self.count_labels(labels, seen);
        if let (Some(sequence), Some(time)) = (&mut self.sequence, place.time) {
            sequence.frame(time, labels, seen);
        }
        if let (Some(timeline), Some(secs)) = (&mut self.timeline, place.time_secs) {
            timeline.frame(secs, labels, seen);
        }
        self.compare_with_votes(labels, seen);
        for face in seen {
            let Some(truth) = labels.of(&face.face_id) else {
                continue;
            };
            self.scored.push(Scored {
                truth,
                label: face.label,
                instant_label: face.instant_label,
                probabilities: face.probabilities,
            });
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

    fn compare_with_votes(&mut self, labels: &FrameLabels, seen: &[Seen]) {
        let Some(votes) = &labels.votes else {
            return;
        };
        let Some(agreed) = votes.agreed() else {
            self.people_left_out += 1;
            return;
        };
        self.people.extend(seen.iter().map(|face| PeopleAnswer {
            agreed,
            label: face.label,
            sure: face.sure,
            probabilities: face.probabilities,
        }));
    }

    /// Rows true, columns predicted, in the order of `classes`, which has every label that occurs;
    /// of the labels as reported or of each frame alone.
    pub fn confusion(&self, classes: &LabelSet, label: impl Fn(&Scored) -> Emotion) -> Confusion {
        let pair = |scored: &Scored| {
            Some((classes.index_of(scored.truth)?, classes.index_of(label(scored))?))
        };
        Confusion::of(classes.len(), self.scored.iter().filter_map(pair))
    }
}
