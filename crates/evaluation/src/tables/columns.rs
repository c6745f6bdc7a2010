//! The columns of the table of faces. Every file has all of them, whatever its models tell apart.

use rapport_tables::{Column, Kind, Value};
use rapport_vocabulary::{Emotion, LabelSet};

use crate::labels::FrameLabels;
use crate::seen::{Details, Place, Seen};

/// Goes up when columns change their meaning.
pub const FORMAT_VERSION: u32 = 1;

/// The landmarks, in the order of the detector; left and right as seen in the image.
const LANDMARKS: [&str; 5] = ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"];

/// The columns in order.
pub fn columns() -> Vec<Column> {
    let text = |name: &str| Column::new(name, Kind::Text);
    let float = |name: &str| Column::new(name, Kind::Float);
    let share = |name: String| Column::new(name, Kind::Float).unit("0 to 1");
    let mut columns = vec![
        text("recording").required().about("name of the recording, folder or file"),
        text("model").required().about("name of the emotion network"),
        text("model_sha256").required().about("hash of its file, in hexadecimal"),
        Column::new("frame", Kind::Count).required().about("number of the image, from 0"),
        text("source").about("picture or line; null in recordings"),
        Column::new("time_secs", Kind::Double)
            .unit("s")
            .about("since the recording's first message, by the recorder's clock"),
        Column::new("stamp", Kind::TimeNanos).unit("ns").about("when the image was taken, UTC"),
        text("face_id").about("the same while a person stays in view; null in pictures"),
        text("label").about("the label that was given; null where there is none"),
        text("predicted").required().about("the expression shown, smoothed in a recording"),
        text("predicted_raw").required().about("the label of the frame alone"),
        share("confidence".into()).required().about("probability of the column predicted"),
        Column::new("sure", Kind::Flag).required().about("whether it is more than a guess"),
        float("valence").required().unit("-1 to 1").about("mean over the probabilities"),
        float("arousal").required().unit("-1 to 1").about("mean over the probabilities"),
        float("roi_x_px").required().unit("px").about("left edge of the box"),
        float("roi_y_px").required().unit("px").about("upper edge of the box"),
        float("roi_width_px").required().unit("px"),
        float("roi_height_px").required().unit("px"),
        share("detection_confidence".into()).about("of the face detector"),
        float("yaw_deg").unit("deg").about("head to the side; positive: right in the image"),
        float("pitch_deg").unit("deg").about("head up or down; positive: up"),
        float("distance_m").unit("m").about("camera to head; null where the camera is not known"),
        text("engagement").about("whether the person attends; null where that is unknown"),
    ];
    for landmark in LANDMARKS {
        columns.push(float(&format!("{landmark}_x_px")).unit("px"));
        columns.push(float(&format!("{landmark}_y_px")).unit("px"));
    }
    columns.extend(Emotion::ALL.map(|label| {
        share(format!("p_{label}")).about("smoothed; null where the network lacks the label")
    }));
    columns.extend(Emotion::ALL.map(|label| {
        share(format!("p_raw_{label}")).about("of the last frame in which the face was classified")
    }));
    columns
}

/// What is the same in all rows of a frame.
pub struct OfFrame<'a> {
    pub recording: &'a str,
    pub model: &'a str,
    pub sha256: &'a str,
    pub has: &'a LabelSet,
    pub place: &'a Place,
    pub labels: &'a FrameLabels,
}

/// One row, in the order of [`columns`].
pub fn row<'a>(of: &OfFrame<'a>, face: &'a Seen) -> Vec<Value<'a>> {
    let place = of.place;
    let some = |text: &'a str| (!text.is_empty()).then_some(text);
    let stamp_ns = place.stamp.and_then(|stamp| i64::try_from(stamp.as_nanos()).ok());
    let affect = of.has.affect(&face.probabilities);
    let roi = face.roi_in_image;
    let details = face.details.as_deref();
    let degrees = |of: fn((f64, f64)) -> f64| {
        details.and_then(|found| found.yaw_pitch_deg).map(|both| of(both) as f32)
    };
    let mut row: Vec<Value<'a>> = vec![
        of.recording.into(),
        of.model.into(),
        of.sha256.into(),
        Value::count(place.frame),
        some(&place.source).into(),
        place.time_secs.into(),
        stamp_ns.map_or(Value::Absent, Value::Integer),
        some(&face.face_id).into(),
        of.labels.of(&face.face_id).map(Emotion::as_str).into(),
        face.label.as_str().into(),
        face.instant_label.as_str().into(),
        face.confidence().into(),
        face.sure.into(),
        affect.valence.into(),
        affect.arousal.into(),
        roi.x.into(),
        roi.y.into(),
        roi.width.into(),
        roi.height.into(),
        details.map(|found| found.detection_confidence).into(),
        degrees(|(yaw, _)| yaw).into(),
        degrees(|(_, pitch)| pitch).into(),
        details.and_then(|found| found.distance_m).map(|metres| metres as f32).into(),
        details.and_then(|found: &Details| found.engagement).map(|e| e.as_str()).into(),
    ];
    for point in 0..LANDMARKS.len() {
        let point = details.and_then(|found| found.landmarks.get(point));
        row.push(point.map(|point| point.x).into());
        row.push(point.map(|point| point.y).into());
    }
    for distribution in [&face.probabilities, &face.instant_probabilities] {
        row.extend(
            Emotion::ALL.map(|label| of.has.contains(label).then(|| distribution.of(label)).into()),
        );
    }
    row
}
