//! rapport/msg/FaceEmotionArray: the one place where it is written, live and offline, and read.

use std::borrow::Cow;

use super::cdr::{CdrError, CdrReader, CdrWriter};
use super::read::Header;

/// rapport/msg/FaceEmotionArray: the faces of one image. `msg/*.msg` say what each field means.
#[derive(Debug, Clone, PartialEq)]
pub struct EmotionsMessage<'a> {
    /// The image's.
    pub header: Header<'a>,
    /// Pixels in a row of the image.
    pub image_width_px: u32,
    /// Rows of the image.
    pub image_height_px: u32,
    /// The classes of the network, in the order of the distributions.
    pub labels: Vec<&'a str>,
    /// Where valence and arousal of the labels come from.
    pub affect_source: &'a str,
    /// Name of the emotion network.
    pub model: &'a str,
    /// SHA-256 of its file, in hexadecimal.
    pub model_sha256: &'a str,
    /// The confirmed faces.
    pub faces: Vec<FaceMessage<'a>>,
}

/// rapport/msg/FaceEmotion: one face.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceMessage<'a> {
    /// Who.
    pub face_id: Cow<'a, str>,
    /// Left, top, width and height of the box, in pixels of the image.
    pub roi_px: (u32, u32, u32, u32),
    /// How sure the detector is, 0 to 1.
    pub detection_confidence: f32,
    /// Left eye, right eye, nose, left and right corner of the mouth: x and y in pixels of the
    /// image; NaN where unknown.
    pub landmarks_px: [[f32; 2]; 5],
    /// The head in the camera's optical frame.
    pub pose: Pose,
    /// Standard deviation of the distance to the head, in metres; NaN where unknown.
    pub distance_std_m: f32,
    /// Seconds and nanoseconds of the stamp of the image in which it was seen first; zero where
    /// unknown.
    pub first_seen: (i32, u32),
    /// Whether the person attends to the robot, in REP-155's words; empty where unknown.
    pub engagement: &'a str,
    /// The expression shown.
    pub label: &'a str,
    /// Probability of the label, 0 to 1.
    pub confidence: f32,
    /// Whether the label is more than a guess.
    pub sure: bool,
    /// The distribution after smoothing.
    pub probabilities: Vec<f32>,
    /// The distribution of one image alone.
    pub instant_probabilities: Vec<f32>,
    /// For how long `instant_probabilities` was carried on, in seconds; 0 in the image in which it
    /// was computed.
    pub distribution_age_secs: f32,
    /// Unpleasant -1 to pleasant 1.
    pub valence: f32,
    /// Calm -1 to activated 1.
    pub arousal: f32,
}

/// geometry_msgs/msg/Pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// x, y and z in metres.
    pub position_m: [f64; 3],
    /// The quaternion's x, y, z and w.
    pub orientation: [f64; 4],
}

impl Pose {
    /// What stands for a pose that nobody knows.
    pub const UNKNOWN: Self = Self { position_m: [f64::NAN; 3], orientation: [f64::NAN; 4] };
}

impl<'a> EmotionsMessage<'a> {
    /// The type's name in a recording.
    pub const TYPE_NAME: &'static str = "rapport/msg/FaceEmotionArray";

    /// Reads a message in CDR, to its very end: a message of another definition of the type is
    /// refused.
    ///
    /// # Errors
    /// If it is none, with the field where that shows.
    pub fn read(cdr: &'a [u8]) -> Result<Self, CdrError> {
        let mut reader = CdrReader::new(cdr)?;
        let message = Self {
            header: Header::read(&mut reader)?,
            image_width_px: reader.u32("image_width")?,
            image_height_px: reader.u32("image_height")?,
            labels: reader.sequence("labels", |reader| reader.text("labels"))?,
            affect_source: reader.text("affect_source")?,
            model: reader.text("model")?,
            model_sha256: reader.text("model_sha256")?,
            faces: reader.sequence("faces", FaceMessage::read)?,
        };
        reader.finish("faces")?;
        Ok(message)
    }

    /// The message in little-endian CDR, as rmw sends it.
    pub fn to_cdr(&self) -> Vec<u8> {
        let mut writer = CdrWriter::default();
        writer.header(&self.header).u32(self.image_width_px).u32(self.image_height_px);
        writer.length(self.labels.len());
        for label in &self.labels {
            writer.text(label);
        }
        writer.text(self.affect_source).text(self.model).text(self.model_sha256);
        writer.length(self.faces.len());
        for face in &self.faces {
            face.write(&mut writer);
        }
        writer.finish()
    }
}

impl<'a> FaceMessage<'a> {
    fn read(reader: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            face_id: Cow::Borrowed(reader.text("face_id")?),
            roi_px: read_roi(reader)?,
            detection_confidence: reader.f32("detection_confidence")?,
            landmarks_px: read_landmarks(reader)?,
            pose: Pose::read(reader)?,
            distance_std_m: reader.f32("distance_std_m")?,
            first_seen: (reader.i32("first_seen.sec")?, reader.u32("first_seen.nanosec")?),
            engagement: reader.text("engagement")?,
            label: reader.text("label")?,
            confidence: reader.f32("confidence")?,
            sure: reader.u8("sure")? != 0,
            probabilities: reader.sequence("probabilities", |r| r.f32("probabilities"))?,
            instant_probabilities: reader
                .sequence("instant_probabilities", |r| r.f32("instant_probabilities"))?,
            distribution_age_secs: reader.f32("distribution_age")?,
            valence: reader.f32("valence")?,
            arousal: reader.f32("arousal")?,
        })
    }

    fn write(&self, writer: &mut CdrWriter) {
        let (x, y, width, height) = self.roi_px;
        writer.text(&self.face_id);
        // The order of sensor_msgs/msg/RegionOfInterest, do_rectify last.
        writer.u32(x).u32(y).u32(height).u32(width).u8(0);
        writer.f32(self.detection_confidence);
        for [x, y] in self.landmarks_px {
            writer.f32(x).f32(y).f32(0.0);
        }
        self.pose.write(writer);
        let (first_sec, first_nanosec) = self.first_seen;
        writer.f32(self.distance_std_m).i32(first_sec).u32(first_nanosec);
        writer.text(self.engagement).text(self.label).f32(self.confidence).u8(self.sure.into());
        writer.numbers(&self.probabilities).numbers(&self.instant_probabilities);
        writer.f32(self.distribution_age_secs).f32(self.valence).f32(self.arousal);
    }
}

impl Pose {
    fn read(reader: &mut CdrReader<'_>) -> Result<Self, CdrError> {
        let mut number = || reader.f64("pose");
        Ok(Self {
            position_m: [number()?, number()?, number()?],
            orientation: [number()?, number()?, number()?, number()?],
        })
    }

    fn write(&self, writer: &mut CdrWriter) {
        for number in self.position_m.iter().chain(&self.orientation) {
            writer.f64(*number);
        }
    }
}

fn read_roi(reader: &mut CdrReader<'_>) -> Result<(u32, u32, u32, u32), CdrError> {
    let mut number = || reader.u32("roi");
    let (x, y, height, width) = (number()?, number()?, number()?, number()?);
    reader.u8("roi.do_rectify")?;
    Ok((x, y, width, height))
}

fn read_landmarks(reader: &mut CdrReader<'_>) -> Result<[[f32; 2]; 5], CdrError> {
    let mut landmarks = [[0.0; 2]; 5];
    for landmark in &mut landmarks {
        *landmark = [reader.f32("landmarks")?, reader.f32("landmarks")?];
        reader.f32("landmarks")?;
    }
    Ok(landmarks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> EmotionsMessage<'static> {
        let face = |face_id: &'static str, sure| FaceMessage {
            face_id: Cow::Borrowed(face_id),
            roi_px: (10, 20, 30, 40),
            detection_confidence: 0.9,
            landmarks_px: [[1.5, 2.5], [3.5, 4.5], [5.5, 6.5], [7.5, 8.5], [9.5, -1.0]],
            pose: Pose { position_m: [0.1, 0.2, 1.5], orientation: [0.0, 0.0, 0.5, 0.25] },
            distance_std_m: 0.125,
            first_seen: (1_700_000_000, 5),
            engagement: "engaged",
            label: "happy",
            confidence: 0.75,
            sure,
            probabilities: vec![0.25, 0.75],
            instant_probabilities: vec![0.5, 0.5],
            distribution_age_secs: 0.0625,
            valence: 0.5,
            arousal: -0.5,
        };
        EmotionsMessage {
            header: Header { stamp_secs: 7, stamp_nanosecs: 8, frame_id: "camera" },
            image_width_px: 640,
            image_height_px: 480,
            labels: vec!["neutral", "happy"],
            affect_source: "somebody 1977",
            model: "emotion",
            model_sha256: "0123abcd",
            faces: vec![face("face_1", true), face("face_22", false)],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let cdr = message().to_cdr();
        assert_eq!(EmotionsMessage::read(&cdr), Ok(message()));
        let nobody = EmotionsMessage { faces: Vec::new(), ..message() };
        assert_eq!(EmotionsMessage::read(&nobody.to_cdr()), Ok(nobody));
    }

    #[test]
    fn every_cut_and_every_addition_names_a_field() {
        let cdr = message().to_cdr();
        for length in 0..cdr.len() {
            let error = EmotionsMessage::read(&cdr[..length]).unwrap_err();
            assert!(matches!(error, CdrError::Header { .. } | CdrError::End { .. }), "{error}");
        }
        let mut longer = cdr;
        longer.extend([0; 8]);
        let error = EmotionsMessage::read(&longer).unwrap_err().to_string();
        assert_eq!(error, "message has 8 bytes after `faces`, expected its end there");
    }

    #[test]
    fn a_message_of_the_definition_before_is_refused() {
        // Labels and their source stood in each face, and there was nothing after the size.
        for faces in 0..3 {
            let mut writer = CdrWriter::default();
            writer.header(&message().header).u32(640).u32(480).length(faces);
            for face in 0..faces {
                writer.text(&format!("face_{face}")).u32(1).u32(2).u32(3).u32(4).u8(0).f32(0.9);
                writer.text("happy").f32(0.75).u8(1).length(2).text("neutral").text("happy");
                writer.numbers(&[0.25, 0.75]).numbers(&[0.5, 0.5]).f32(0.5).f32(0.5);
                writer.text("somebody 1977");
            }
            assert!(EmotionsMessage::read(&writer.finish()).is_err(), "{faces} faces");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn wrong_bytes_are_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut cdr = message().to_cdr();
            for (at, value) in changes {
                let at = at.index(cdr.len());
                cdr[at] = value;
            }
            let _ = EmotionsMessage::read(&cdr);
        }
    }
}
