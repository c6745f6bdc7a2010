//! What one model saw, beside what was there.

use std::time::Duration;

use serde::Serialize;

use super::labels::FrameLabels;
use super::mistakes::{Mistake, Mistakes};
use super::sequence::Sequence;
use super::timeline::Timeline;
use crate::metrics::Confusion;
use rapport_perception::geometry::Rect;
use rapport_perception::pipeline::{Person, Timings};
use rapport_vocabulary::{Distribution, Emotion};

/// A face as a model saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Who; empty in pictures.
    pub face_id: String,
    /// Where.
    pub roi_in_image: Rect,
    /// The expression shown, as the node would report it: smoothed in a sequence.
    pub label: Emotion,
    /// The distribution that goes with it.
    pub probabilities: Distribution,
    /// The distribution of this frame alone.
    pub instant_probabilities: Distribution,
}

impl Seen {
    /// The probability of the label, 0 to 1.
    pub fn confidence(&self) -> f32 {
        self.probabilities.of(self.label)
    }
}

impl From<&Person> for Seen {
    fn from(person: &Person) -> Self {
        Self {
            face_id: person.id.to_string(),
            roi_in_image: person.face.roi_in_image,
            label: person.emotion,
            probabilities: person.probabilities,
            instant_probabilities: person.instant_probabilities,
        }
    }
}

/// Which frame or picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// Its number, from 0: of the image topic, of the picture, of the row.
    pub frame: u64,
    /// The picture's path or the line of the file; empty in recordings.
    pub source: String,
    /// Seconds since the recording's first message, by the recorder's clock.
    pub time_secs: Option<f64>,
    /// The image's stamp, on the camera's clock.
    pub stamp: Option<Duration>,
}

/// A face that was labelled and found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// What it shows.
    pub truth: Emotion,
    /// What the model says.
    pub label: Emotion,
    /// What the model says of the frame alone.
    pub instant_label: Emotion,
    /// The distribution behind `label`.
    pub probabilities: Distribution,
}

/// How many labelled faces were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Faces that somebody labelled, frame by frame.
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
    /// Found over labelled, where anything is labelled.
    pub fn share(&self) -> Option<f64> {
        (self.labelled > 0).then(|| self.found as f64 / self.labelled as f64)
    }
}

/// Everything about one model.
#[derive(Debug, Default)]
pub struct Tally {
    /// Faces with both a label and a prediction, in order.
    pub scored: Vec<Scored>,
    /// How many labelled faces were found.
    pub coverage: Coverage,
    /// The most confident wrong answers.
    pub mistakes: Mistakes,
    /// What only a sequence shows; nothing for pictures.
    pub sequence: Option<Sequence>,
    /// Who showed what when; nothing for pictures.
    pub timeline: Option<Timeline>,
    /// Where the time of each frame went.
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
        if let (Some(sequence), Some(stamp)) = (&mut self.sequence, place.stamp) {
            sequence.frame(stamp, labels, seen);
        }
        if let (Some(timeline), Some(secs)) = (&mut self.timeline, place.time_secs) {
            timeline.frame(secs, labels, seen);
        }
        for face in seen {
            let Some(truth) = labels.of(&face.face_id) else {
                continue;
            };
            self.scored.push(Scored {
                truth,
                label: face.label,
                instant_label: face.instant_probabilities.top(),
                probabilities: face.probabilities,
            });
            if truth != face.label {
                let mistake = Mistake {
                    truth,
                    label: face.label,
                    confidence: face.confidence(),
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

    /// Rows true, columns predicted; of the labels as reported or of each frame alone.
    pub fn confusion(&self, label: impl Fn(&Scored) -> Emotion) -> Confusion {
        let pair = |scored: &Scored| (scored.truth as usize, label(scored) as usize);
        Confusion::of(Emotion::COUNT, self.scored.iter().map(pair))
    }
}
