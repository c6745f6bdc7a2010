//! What a model saw in a frame, and which frame that was: the types that all figures are made of.

use std::time::Duration;

use rapport_perception::Person;
use rapport_perception::geometry::{Point, Rect};
use rapport_perception::pose::HeadPose;
use rapport_vocabulary::{Distribution, Emotion, Engagement, ImageTime};
use serde::{Deserialize, Serialize};

/// A face as a model saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The track's id; empty in pictures.
    pub face_id: String,
    /// The face's box in pixels of the image.
    pub roi_in_image: Rect,
    /// The expression shown, as the node would report it: smoothed in a sequence.
    pub label: Emotion,
    /// The label of this frame alone.
    pub instant_label: Emotion,
    /// Whether the confidence is enough to report the label as more than a guess.
    pub sure: bool,
    /// The distribution that `label` comes from.
    pub probabilities: Distribution,
    /// The distribution of this frame alone.
    pub instant_probabilities: Distribution,
    /// Where the face was found; nothing where the frame is a face. No figure is made of it.
    #[serde(skip)]
    pub details: Option<Box<Details>>,
}

/// What was found of a face beside its expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// How sure the detector is, 0 to 1.
    pub detection_confidence: f32,
    /// Left eye, right eye, nose tip, left and right mouth corner, as seen in the image, in pixels.
    pub landmarks: [Point; 5],
    /// To the side and up, in degrees; nothing where the landmarks are those of no head.
    pub yaw_pitch_deg: Option<(f64, f64)>,
    /// From the camera to the point between the eyes, in metres, where the camera is known.
    pub distance_m: Option<f64>,
    /// Whether the person attends to the camera, where that is known.
    pub engagement: Option<Engagement>,
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
            instant_label: person.instant_emotion,
            sure: person.sure,
            probabilities: person.probabilities,
            instant_probabilities: person.instant_probabilities,
            details: Some(Box::new(Details {
                detection_confidence: person.face.score,
                landmarks: person.face.landmarks,
                yaw_pitch_deg: person.facing.map(|facing| (facing.yaw_deg, facing.pitch_deg)),
                distance_m: person.pose.as_ref().map(HeadPose::distance_m),
                engagement: person.engagement,
            })),
        }
    }
}

/// Which frame or picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its number, from 0: of the image topic, of the picture, of the row.
    pub frame: u64,
    /// The picture's path inside the folder, or the line of the file; empty in recordings.
    pub source: String,
    /// Seconds since the recording's first message, by the recorder's clock.
    pub time_secs: Option<f64>,
    /// The image's stamp, or the time of its arrival where it has none; nothing for pictures.
    pub stamp: Option<Duration>,
    /// The image's time as perception counts it; nothing for pictures.
    pub time: Option<ImageTime>,
}
