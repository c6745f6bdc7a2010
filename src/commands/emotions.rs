//! The emotion message of one image, as bytes: the node publishes them, `rapport record` writes
//! them.

use std::borrow::Cow;
use std::time::Duration;

use rapport_perception::{ModelIdentity, Networks, Person};
use rapport_recording::message::{EmotionsMessage, FaceMessage, Header, Pose};
use rapport_vocabulary::Engagement;

/// A rapport/msg/FaceEmotionArray in CDR about an image of this size, under the image's own header.
/// `networks` are those that saw the people.
pub fn emotions_cdr(
    header: &Header<'_>,
    width_px: u32,
    height_px: u32,
    people: &[Person],
    networks: &Networks,
) -> Vec<u8> {
    let (labels, ModelIdentity { name, sha256, .. }) =
        (networks.labels(), networks.emotion_model());
    let face = |person: &Person| FaceMessage {
        face_id: Cow::Owned(person.id.to_string()),
        roi_px: person.face.roi_in_image.clipped(width_px, height_px),
        detection_confidence: person.face.score,
        landmarks_px: person.face.landmarks.map(|point| [point.x, point.y]),
        pose: person.pose.map_or(Pose::UNKNOWN, |pose| Pose {
            position_m: pose.position_m,
            orientation: pose.orientation,
        }),
        distance_std_m: person.pose.map_or(f32::NAN, |pose| pose.distance_std_m as f32),
        first_seen: stamp_of(person.first_seen),
        engagement: person.engagement.map_or("", Engagement::as_str),
        label: person.emotion.as_str(),
        confidence: person.confidence(),
        sure: person.sure,
        probabilities: labels.values(&person.probabilities),
        instant_probabilities: labels.values(&person.instant_probabilities),
        distribution_age_secs: person.distribution_age.as_secs_f32(),
        valence: person.affect.valence,
        arousal: person.affect.arousal,
    };
    EmotionsMessage {
        header: *header,
        image_width_px: width_px,
        image_height_px: height_px,
        labels: labels.names(),
        affect_source: labels.affect_source(),
        model: name,
        model_sha256: sha256,
        faces: people.iter().map(face).collect(),
    }
    .to_cdr()
}

/// A time as stamps have it; zero, which means unknown, where it is beyond what they can hold.
fn stamp_of(time: Duration) -> (i32, u32) {
    i32::try_from(time.as_secs()).map_or((0, 0), |secs| (secs, time.subsec_nanos()))
}
