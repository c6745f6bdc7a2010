//! The emotion message of one image, as bytes: the node publishes them, `rapport record` writes
//! them.

use std::borrow::Cow;

use rapport_perception::pipeline::{Person, Pipeline};
use rapport_recording::message::{EmotionsMessage, FaceMessage, Header, Pose};
use rapport_vocabulary::LabelSet;

/// The network that the emotions come from, as messages name it.
#[derive(Debug, Clone, Copy)]
pub struct EmotionModel<'a> {
    /// Its labels, in the order of its distributions.
    pub labels: &'a LabelSet,
    /// Its name.
    pub name: &'a str,
    /// The SHA-256 of its file, in hexadecimal.
    pub sha256: &'a str,
}

impl<'a> EmotionModel<'a> {
    /// The emotion network of a pipeline. Its hash is not known here: empty.
    pub fn of(pipeline: &'a Pipeline) -> Self {
        let name = pipeline.emotion_model().file_stem().and_then(|name| name.to_str());
        Self { labels: pipeline.labels(), name: name.unwrap_or_default(), sha256: "" }
    }
}

/// A rapport/msg/FaceEmotionArray in CDR about an image of this size, under the image's own header.
pub fn emotions_cdr(
    header: &Header<'_>,
    width_px: u32,
    height_px: u32,
    people: &[Person],
    model: EmotionModel<'_>,
) -> Vec<u8> {
    let face = |person: &Person| FaceMessage {
        face_id: Cow::Owned(person.id.to_string()),
        roi_px: person.face.roi_in_image.clipped(width_px, height_px),
        detection_confidence: person.face.score,
        landmarks_px: person.face.landmarks.map(|point| [point.x, point.y]),
        // Neither is estimated: what the message's definition says for unknown.
        pose: Pose::UNKNOWN,
        distance_std_m: f32::NAN,
        first_seen: (0, 0),
        label: person.emotion.as_str(),
        confidence: person.confidence(),
        sure: person.sure,
        probabilities: model.labels.values(&person.probabilities),
        instant_probabilities: model.labels.values(&person.instant_probabilities),
        // Every face is classified in every image.
        distribution_age_secs: 0.0,
        valence: person.affect.valence,
        arousal: person.affect.arousal,
    };
    EmotionsMessage {
        header: *header,
        image_width_px: width_px,
        image_height_px: height_px,
        labels: model.labels.names(),
        affect_source: model.labels.affect_source(),
        model: model.name,
        model_sha256: model.sha256,
        faces: people.iter().map(face).collect(),
    }
    .to_cdr()
}
