//! The parameters of perception_node, and the options that they stand for.

use std::path::PathBuf;
use std::time::Duration;

use r2r::ParameterValue;

use crate::ros::hri::Source;
use crate::ros::image_topic::Transport;
use crate::ros::parameters::{Change, Kind, Spec, Values, parameter};
use rapport_perception::detect::{DetectOptions, WorkingSize};
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::pose::PoseOptions;
use rapport_perception::smooth::SmoothOptions;
use rapport_perception::track::TrackOptions;
use rapport_perception::zones::{ZoneError, Zones};
use rapport_perception::{AttentionOptions, ModelFiles, RateOptions, SessionOptions};

/// The table of parameters, but for the QoS overrides, which are named after the topic.
pub fn specs() -> Vec<Spec> {
    use Change::{Live, Never, Unconfigured};
    vec![
        parameter(
            "autostart",
            Kind::Flag(true),
            Never,
            "Configure and activate at start; false: wait for a lifecycle manager",
        ),
        parameter(
            "image_transport",
            Kind::Choice(&Transport::NAMES),
            Never,
            "How images come: raw, or compressed (JPEG or PNG on the topic image/compressed)",
        ),
        parameter(
            "expected_rate_hz",
            Kind::Number(0.0, 0.0..=1000.0),
            Live,
            "How many images a second the camera sends, by which lost ones are noticed; 0: learnt \
             from their stamps",
        ),
        parameter(
            "emotion_model",
            Kind::Text(""),
            Unconfigured,
            "Emotion network (ONNX); empty: models/emotion.onnx of the package",
        ),
        parameter(
            "calibration",
            Kind::Text(""),
            Unconfigured,
            "Calibration of the emotion network, as `rapport adapt` writes it; empty: none",
        ),
        parameter(
            "place",
            Kind::Text(""),
            Unconfigured,
            "What the place is called, for the calibration's thresholds of places; empty: none of \
             them",
        ),
        parameter(
            "detector_model",
            Kind::Text(""),
            Unconfigured,
            "Face detector (ONNX); empty: models/yunet.onnx of the package",
        )
        .formerly(&["yunet_model"]),
        parameter(
            "landmarks_model",
            Kind::Text(""),
            Unconfigured,
            "Face classifier, which confirms a face and sets its landmarks (ONNX); empty: \
             models/onet.onnx of the package",
        )
        .formerly(&["onet_model"]),
        parameter(
            "onnxruntime_library",
            Kind::Text(""),
            Never,
            "ONNX Runtime's libonnxruntime.so; empty: found by itself",
        ),
        parameter(
            "threads",
            Kind::Integer(1, 1..=64),
            Unconfigured,
            "Threads that ONNX Runtime computes with",
        ),
        parameter(
            "publish_hri",
            Kind::Flag(false),
            Unconfigured,
            "Publish the people as REP-155 has it, below /humans/faces",
        ),
        parameter(
            "faces_from",
            Kind::Choice(&Source::NAMES),
            Never,
            "Where faces come from: image, in which this node finds them; cropped or aligned: what \
             another face detector publishes below /humans/faces (REP-155), of which this node \
             publishes the expression",
        ),
        parameter(
            "deterministic_ids",
            Kind::Flag(false),
            Unconfigured,
            "Call faces face_1, face_2 and so on; false: by five letters, as by chance (REP-155)",
        ),
        parameter(
            "working_width",
            Kind::Integer(480, 32..=4096),
            Live,
            "Greatest width in pixels at which faces are looked for",
        ),
        parameter(
            "working_height",
            Kind::Integer(360, 32..=4096),
            Live,
            "Greatest height in pixels at which faces are looked for",
        ),
        parameter("min_score", Kind::Number(0.5, 0.1..=1.0), Live, "Least score of a face, 0 to 1"),
        parameter(
            "min_face_probability",
            Kind::Number(0.7, 0.0..=1.0),
            Live,
            "Least probability that the face classifier gives a face, 0 to 1",
        ),
        parameter(
            "search_hz",
            Kind::Number(5.0, 0.0..=1000.0),
            Live,
            "How many images a second are searched for faces; the others follow the known ones; 0: all",
        ),
        parameter(
            "classify_hz",
            Kind::Number(10.0, 0.0..=1000.0),
            Live,
            "How often a second each face is classified; 0: in every image",
        ),
        parameter(
            "confirm_hits",
            Kind::Integer(2, 1..=100),
            Live,
            "How many searches must find a face before it is reported (min_hits)",
        ),
        parameter(
            "hold_secs",
            Kind::Number(1.0, 0.0..=60.0),
            Live,
            "For how many seconds a face may be missed and keep its id (max_age)",
        ),
        parameter(
            "smoothing_secs",
            Kind::Number(0.25, 0.0..=60.0),
            Live,
            "Time constant of the smoothing of probabilities in seconds; 0: none",
        ),
        parameter(
            "switch_margin",
            Kind::Number(0.2, 0.0..=1.0),
            Live,
            "Lead in probability from which another label gathers evidence against the present one",
        ),
        parameter(
            "switch_secs",
            Kind::Number(0.33, 0.0..=60.0),
            Live,
            "For how many seconds another label must lead by 1 to replace the present one; a smaller \
             lead takes longer",
        ),
        parameter(
            "min_confidence",
            Kind::Number(-1.0, -1.0..=1.0),
            Live,
            "Least confidence from which any label is called sure, 0 to 1; below 0: as the emotion \
             network's own decision rule has it",
        ),
        parameter(
            "max_yaw_deg",
            Kind::Number(45.0, 0.0..=90.0),
            Live,
            "Beyond which turn of the head to the side, in degrees, no label is called sure",
        ),
        parameter(
            "horizontal_fov_deg",
            Kind::Number(0.0, 0.0..=175.0),
            Live,
            "How wide the image is, in degrees, where the topic camera_info does not say; 0: unknown, \
             and with it where heads are",
        ),
        parameter(
            "ignore_zones",
            Kind::Texts,
            Live,
            "Parts of the image in which nothing is looked for, shown or counted: each a polygon of \
             corners X,Y X,Y X,Y in shares of width and height",
        )
        .checked(check_zones),
        parameter(
            "publish_tf",
            Kind::Flag(false),
            Unconfigured,
            "Publish the frames face_<id> and gaze_<id> on /tf (REP-155)",
        ),
        parameter(
            "engagement_window_secs",
            Kind::Number(10.0, 0.2..=60.0),
            Live,
            "Over how many seconds it is averaged whether a person attends; nothing is said before \
             half of it",
        ),
        parameter(
            "engagement_field_deg",
            Kind::Number(60.0, 1.0..=89.0),
            Live,
            "Half of the field in which a person attends to the camera, in degrees; the score is 0 at \
             its edge",
        ),
        parameter(
            "engagement_distance_m",
            Kind::Number(4.0, 0.1..=20.0),
            Live,
            "Farther away than this, in metres, nobody attends",
        ),
        parameter(
            "engagement_score",
            Kind::Number(0.5, 0.0..=1.0),
            Live,
            "Score of head direction and distance above which a person attends at the moment, 0 to 1",
        ),
        parameter(
            "engagement_enter",
            Kind::Number(0.5, -1.0..=1.0),
            Live,
            "Mean over the window, -1 (never attended) to 1 (always), above which a person is engaged",
        ),
        parameter(
            "engagement_leave",
            Kind::Number(0.4, -1.0..=1.0),
            Live,
            "Mean over the window below which an engaged person is disengaging",
        ),
        parameter(
            "publish_engagement",
            Kind::Flag(false),
            Unconfigured,
            "Publish attention on /humans/persons/<face_id>/engagement_status; off where \
             hri_engagement does so",
        ),
        parameter(
            "near_distance_m",
            Kind::Number(1.2, 0.0..=20.0),
            Live,
            "Nearer than this, in metres, somebody has come near (person_events)",
        ),
        parameter(
            "look_at_distance_m",
            Kind::Number(3.6, 0.0..=20.0),
            Live,
            "Farther away than this, in metres, nobody is looked at (look_at)",
        ),
        parameter(
            "look_at_margin_m",
            Kind::Number(0.3, 0.0..=5.0),
            Live,
            "By how many metres another person must be nearer to be looked at instead",
        ),
        parameter(
            "look_at_dwell_secs",
            Kind::Number(1.0, 0.0..=60.0),
            Live,
            "For how many seconds another person must lead to be looked at instead",
        ),
        parameter(
            "publish_detections",
            Kind::Flag(false),
            Unconfigured,
            "Publish the faces as vision_msgs/Detection2DArray on detections",
        ),
        parameter(
            "publish_annotations",
            Kind::Flag(false),
            Unconfigured,
            "Publish boxes and captions as foxglove_msgs/ImageAnnotations on annotations",
        ),
    ]
}

/// The zones of the parameter `ignore_zones`.
///
/// # Errors
/// If a text describes none.
pub fn zones(parameters: &Values) -> Result<Zones, ZoneError> {
    Zones::read(parameters.texts("ignore_zones").iter().map(String::as_str))
}

fn check_zones(value: &ParameterValue) -> Result<(), String> {
    let ParameterValue::StringArray(texts) = value else { return Ok(()) };
    Zones::read(texts.iter().map(String::as_str)).map(|_| ()).map_err(|error| error.to_string())
}

/// The networks' files.
pub fn model_files(parameters: &Values) -> ModelFiles {
    let path = |name| PathBuf::from(parameters.text(name));
    ModelFiles {
        detector: path("detector_model"),
        landmarks: path("landmarks_model"),
        emotion: path("emotion_model"),
        calibration: path("calibration"),
        place: parameters.text("place").to_owned(),
    }
}

/// How networks are run.
pub fn runtime_options(parameters: &Values) -> RuntimeOptions {
    let library = parameters.text("onnxruntime_library");
    RuntimeOptions {
        library: (!library.is_empty()).then(|| library.into()),
        threads: parameters.number("threads") as usize,
    }
}

/// How frames are processed.
pub fn session_options(parameters: &Values) -> SessionOptions {
    let secs = |name| Duration::from_secs_f64(parameters.number(name));
    let number = |name| parameters.number(name) as f32;
    let ignore_zones = zones(parameters).unwrap_or_else(|error| {
        // Checked at start and whenever it is set.
        tracing::error!("ignore_zones: {error}");
        Zones::default()
    });
    SessionOptions {
        detect: DetectOptions {
            working_size: WorkingSize {
                width_px: parameters.number("working_width") as u32,
                height_px: parameters.number("working_height") as u32,
            },
            min_score: parameters.number("min_score") as f32,
            min_face_probability: parameters.number("min_face_probability") as f32,
            ignore_zones,
        },
        rates: RateOptions {
            search_hz: parameters.number("search_hz") as f32,
            classify_hz: parameters.number("classify_hz") as f32,
        },
        min_confidence: Some(parameters.number("min_confidence") as f32).filter(|&c| c >= 0.0),
        track: TrackOptions {
            hold: secs("hold_secs"),
            confirm_hits: parameters.number("confirm_hits") as u32,
        },
        smooth: SmoothOptions {
            time_constant: secs("smoothing_secs"),
            switch_margin: parameters.number("switch_margin") as f32,
            switch_after: secs("switch_secs"),
        },
        pose: PoseOptions {
            horizontal_fov_deg: Some(parameters.number("horizontal_fov_deg")).filter(|&f| f > 0.0),
            max_yaw_deg: number("max_yaw_deg"),
            ..PoseOptions::default()
        },
        attention: AttentionOptions {
            window: secs("engagement_window_secs"),
            half_field_deg: number("engagement_field_deg"),
            max_distance_m: number("engagement_distance_m"),
            min_score: number("engagement_score"),
            enter: number("engagement_enter"),
            leave: number("engagement_leave"),
            near_m: number("near_distance_m"),
            look_at_m: number("look_at_distance_m"),
            look_margin_m: number("look_at_margin_m"),
            look_dwell: secs("look_at_dwell_secs"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ros::parameters::Parameters;

    #[test]
    fn the_defaults_of_the_node_are_those_of_the_library() {
        let values = Parameters::declare(&[], specs()).unwrap().values();
        assert_eq!(session_options(&values), SessionOptions::default());
        assert!(runtime_options(&values).library.is_none());
    }
}
