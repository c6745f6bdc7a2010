//! What was found in a picture, as JSON: `rapport analyze --json` prints it, the web API answers with
//! it. Names and order of the keys are a promise to both their readers.

use std::collections::BTreeMap;

use rapport_vocabulary::{Distribution, LabelSet};
use serde::Serialize;

use crate::geometry::Point;
use crate::pose::{Facing, HeadPose};
use crate::session::Person;

/// A box in whole pixels of the picture, inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BoxReport {
    /// Extent down.
    pub height: u32,
    /// Extent to the right.
    pub width: u32,
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
}

/// A point in pixels of the picture; the centre of its top left pixel is at (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PointReport {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A head in the camera's optical frame: x right, y down, z forward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PoseReport {
    /// From the camera to the point between the eyes, in metres, of an adult's head.
    pub distance_m: f64,
    /// Standard deviation of the distance, in metres.
    pub distance_std_m: f64,
    /// x, y, z and w of the turn from the camera's axes to the head's: x out of the face, y to the
    /// person's left, z up.
    pub orientation: [f64; 4],
    /// How far the face points up from the camera, in degrees.
    pub pitch_deg: f64,
    /// The point between the eyes, in metres.
    pub position_m: [f64; 3],
    /// How far the face points to the right of the picture from the camera, in degrees.
    pub yaw_deg: f64,
}

/// One face.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FaceReport {
    /// Calm -1 to activated 1.
    pub arousal: f32,
    /// Probability of the label, 0 to 1.
    pub confidence: f32,
    /// How sure the detector is that it is a face, 0 to 1.
    pub detection_confidence: f32,
    /// Whose face; the same while it stays in view.
    pub face_id: String,
    /// The expression shown.
    pub label: String,
    /// Left eye, right eye, nose tip, left and right mouth corner; left and right of the picture.
    pub landmarks: [PointReport; 5],
    /// Where the head is, where the camera is known; absent else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose: Option<PoseReport>,
    /// The probability of every label of the model; their sum is 1.
    pub probabilities: BTreeMap<String, f32>,
    /// From forehead to chin.
    pub roi: BoxReport,
    /// Whether the label is more than the best guess.
    pub sure: bool,
    /// Unpleasant -1 to pleasant 1.
    pub valence: f32,
}

/// The faces of one picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PictureReport {
    /// The faces; none is no error.
    pub faces: Vec<FaceReport>,
    /// Height of the picture in pixels, upright.
    pub height: u32,
    /// What the picture is called.
    pub picture: String,
    /// Width of the picture in pixels, upright.
    pub width: u32,
}

impl FaceReport {
    /// Reports a person in a frame of this size; `labels` are those of the networks that saw them.
    pub fn new(person: &Person, labels: &LabelSet, width_px: u32, height_px: u32) -> Self {
        let (x, y, width, height) = person.face.roi_in_image.clipped(width_px, height_px);
        Self {
            arousal: person.affect.arousal,
            confidence: person.confidence(),
            detection_confidence: person.face.score,
            face_id: person.id.to_string(),
            label: person.emotion.to_string(),
            landmarks: person.face.landmarks.map(|Point { x, y }| PointReport { x, y }),
            pose: PoseReport::of(person),
            probabilities: probabilities(&person.probabilities, labels),
            roi: BoxReport { height, width, x, y },
            sure: person.sure,
            valence: person.affect.valence,
        }
    }
}

impl PoseReport {
    /// Reports where a person's head is; nothing where that is not known.
    fn of(person: &Person) -> Option<Self> {
        Some(Self::new(&person.pose?, &person.facing?))
    }

    /// Reports where a head is and what it turns to.
    pub fn new(pose: &HeadPose, facing: &Facing) -> Self {
        Self {
            distance_m: pose.distance_m(),
            distance_std_m: pose.distance_std_m,
            orientation: pose.orientation,
            pitch_deg: facing.pitch_deg,
            position_m: pose.position_m,
            yaw_deg: facing.yaw_deg,
        }
    }
}

impl PictureReport {
    /// Reports the people in a picture of this size.
    pub fn new(
        picture: String,
        people: &[Person],
        labels: &LabelSet,
        width_px: u32,
        height_px: u32,
    ) -> Self {
        let face = |person| FaceReport::new(person, labels, width_px, height_px);
        Self {
            faces: people.iter().map(face).collect(),
            height: height_px,
            picture,
            width: width_px,
        }
    }
}

/// The probability of each label by its name.
pub fn probabilities(distribution: &Distribution, labels: &LabelSet) -> BTreeMap<String, f32> {
    labels.iter().map(|label| (label.to_string(), distribution.of(label))).collect()
}
