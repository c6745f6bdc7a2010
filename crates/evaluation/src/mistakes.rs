//! The mistakes with the highest confidence.

use serde::Serialize;

use rapport_vocabulary::Emotion;

/// How many are kept.
const KEPT: usize = 24;

/// A face that was read as something else than its label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// The face's label.
    pub truth: Emotion,
    /// The label that the model reports.
    #[serde(rename = "predicted")]
    pub label: Emotion,
    /// The model's confidence in it, 0 to 1.
    pub confidence: f32,
    /// The recording, where there are several; empty elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recording: String,
    /// The frame's number.
    pub frame: u64,
    /// The picture or line; empty in recordings.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Seconds since the recording's first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_secs: Option<f64>,
    /// The track's id; empty in pictures.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub face_id: String,
    /// The face as PNG, for the report that asks for it.
    #[serde(skip)]
    pub crop_png: Option<Vec<u8>>,
}

/// The worst of all mistakes; of one face and one confusion in a recording only the worst.
#[derive(Debug, Default)]
pub struct Mistakes {
    worst: Vec<Mistake>,
}

impl Mistakes {
    /// Takes a mistake, and cuts out its face if it is among the worst so far.
    pub fn add(&mut self, mut mistake: Mistake, crop: impl FnOnce() -> Option<Vec<u8>>) {
        let is_same = |other: &Mistake| {
            !mistake.face_id.is_empty()
                && (&other.recording, &other.face_id, other.truth, other.label)
                    == (&mistake.recording, &mistake.face_id, mistake.truth, mistake.label)
        };
        if let Some(known) = self.worst.iter().position(is_same) {
            if self.worst[known].confidence >= mistake.confidence {
                return;
            }
            self.worst.remove(known);
        }
        let place = self.worst.partition_point(|other| other.confidence >= mistake.confidence);
        if place < KEPT {
            mistake.crop_png = crop();
            self.worst.insert(place, mistake);
            self.worst.truncate(KEPT);
        }
    }

    /// Gives the mistakes of a recording the faces that were cut out of it.
    pub fn show(&mut self, recording: &str, crop: impl Fn(&Mistake) -> Option<Vec<u8>>) {
        for mistake in self.worst.iter_mut().filter(|mistake| mistake.recording == recording) {
            mistake.crop_png = crop(mistake);
        }
    }

    /// Worst first.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.worst.iter()
    }
}
