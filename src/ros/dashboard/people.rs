//! Messages of a robot as viewers get them.

use std::collections::BTreeMap;

use r2r::rapport::msg::Response;
use rapport_perception::report::{BoxReport, FaceReport, PointReport};
use rapport_recording::message::{EmotionsMessage, FaceMessage};
use rapport_web::messages::PersonReport;
use rapport_web::robot::{Model, RobotEmotions, RobotResponse};

/// Who is in view.
pub fn emotions(message: &EmotionsMessage<'_>) -> RobotEmotions {
    let header = &message.header;
    RobotEmotions {
        stamp_secs: secs(header.stamp_secs, header.stamp_nanosecs),
        width: message.image_width_px,
        height: message.image_height_px,
        people: message.faces.iter().map(|face| person(face, &message.labels)).collect(),
    }
}

/// The network that they were seen by.
pub fn model(message: &EmotionsMessage<'_>) -> Model {
    Model { name: message.model.to_owned(), sha256: message.model_sha256.to_owned() }
}

/// What the robot did.
pub fn response(message: Response) -> RobotResponse {
    let stamp = &message.header.stamp;
    RobotResponse {
        stamp_secs: secs(stamp.sec, stamp.nanosec),
        rule: message.rule,
        face_id: message.face_id,
        reason: message.reason,
        speech: message.speech,
        gesture: message.gesture,
        expression: message.expression,
    }
}

fn person(face: &FaceMessage<'_>, labels: &[&str]) -> PersonReport {
    let by_label = |values: &[f32]| -> BTreeMap<String, f32> {
        labels.iter().zip(values).map(|(label, value)| ((*label).to_owned(), *value)).collect()
    };
    let (x, y, width, height) = face.roi_px;
    PersonReport {
        face: FaceReport {
            arousal: face.arousal,
            confidence: face.confidence,
            detection_confidence: face.detection_confidence,
            face_id: face.face_id.to_string(),
            label: face.label.to_owned(),
            landmarks: face.landmarks_px.map(|[x, y]| PointReport { x, y }),
            // The robot's page shows none.
            pose: None,
            probabilities: by_label(&face.probabilities),
            roi: BoxReport { height, width, x, y },
            sure: face.sure,
            valence: face.valence,
        },
        instant_probabilities: by_label(&face.instant_probabilities),
        first_seen_secs: secs(face.first_seen.0, face.first_seen.1),
        heat: Vec::new(),
    }
}

fn secs(secs: i32, nanosecs: u32) -> f64 {
    f64::from(secs) + f64::from(nanosecs) * 1e-9
}
