//! Messages of a robot as viewers get them.

use std::collections::BTreeMap;

use r2r::rapport::msg::Response;
use rapport_perception::pose::HeadPose;
use rapport_perception::report::{BoxReport, FaceReport, PointReport, PoseReport};
use rapport_recording::message::{EmotionsMessage, FaceMessage};
use rapport_vocabulary::Engagement;
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
            pose: pose(face),
            probabilities: by_label(&face.probabilities),
            roi: BoxReport { height, width, x, y },
            sure: face.sure,
            valence: face.valence,
        },
        engagement: Engagement::from_word(face.engagement).map(Engagement::as_str),
        instant_probabilities: by_label(&face.instant_probabilities),
        first_seen_secs: secs(face.first_seen.0, face.first_seen.1),
        heat: Vec::new(),
    }
}

/// Where the head is; nothing where the robot does not know it.
fn pose(face: &FaceMessage<'_>) -> Option<PoseReport> {
    let pose = HeadPose {
        position_m: face.pose.position_m,
        orientation: face.pose.orientation,
        distance_std_m: f64::from(face.distance_std_m),
    };
    let numbers = pose.position_m.iter().chain(&pose.orientation).chain([&pose.distance_std_m]);
    let known = numbers.into_iter().all(|value| value.is_finite());
    let facing = known.then(|| pose.facing()).flatten()?;
    Some(PoseReport::new(&pose, &facing))
}

fn secs(secs: i32, nanosecs: u32) -> f64 {
    f64::from(secs) + f64::from(nanosecs) * 1e-9
}
