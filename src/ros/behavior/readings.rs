//! What the node is told about people, as the engine takes it.

use r2r::rapport::msg::{FaceEmotion, FaceEmotionArray};

use crate::ros::logging::RateLimitedLog;
use rapport_behavior::{FaceBox, FaceReading};
use rapport_vocabulary::{Emotion, Engagement};

/// The faces of a message; those that show a label that is unknown here are skipped, which is logged.
pub fn readings<'a>(
    message: &'a FaceEmotionArray,
    log: &mut RateLimitedLog,
) -> Vec<FaceReading<'a>> {
    let mut readings = Vec::with_capacity(message.faces.len());
    for face in &message.faces {
        match Emotion::from_word(&face.label) {
            Ok(emotion) => readings.push(reading(face, emotion, message.image_width)),
            Err(error) => log.warn(&format!("face skipped: {error}")),
        }
    }
    readings
}

fn reading(face: &FaceEmotion, emotion: Emotion, image_width_px: u32) -> FaceReading<'_> {
    let roi = &face.roi;
    let [left, top, width, height] =
        [roi.x_offset, roi.y_offset, roi.width, roi.height].map(|px| px as f32);
    let position = &face.pose.position;
    let position_m = [position.x, position.y, position.z].map(|metres| metres as f32);
    // Of a node that does not know it, all are zero or NaN.
    let is_known = position_m.iter().all(|metres| metres.is_finite()) && position_m != [0.0; 3];
    FaceReading {
        sure: face.sure,
        valence: face.valence,
        arousal: face.arousal,
        engagement: Engagement::from_word(&face.engagement),
        position_m: is_known.then_some(position_m),
        face_box: FaceBox::new(left, top, width, height)
            .map(|found| found.in_image(image_width_px)),
        ..FaceReading::new(&face.face_id, emotion, face.confidence)
    }
}
