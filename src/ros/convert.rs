//! Between ROS messages and the library's plain types.

use std::time::Duration;

use r2r::builtin_interfaces::msg::Time;
use r2r::rapport::msg::{FaceEmotion, FaceEmotionArray};
use r2r::sensor_msgs::msg::{Image, RegionOfInterest};
use r2r::std_msgs::msg::Header;

use crate::ros::raw::Native;
use rapport_perception::Person;
use rapport_perception::frame::{Encoding, Frame, FrameError};
use rapport_vocabulary::LabelSet;

/// A view of the message's pixels.
///
/// # Errors
/// If the encoding is not supported or size, step and data do not agree.
pub fn frame(image: &Native<Image>) -> Result<Frame<'_>, FrameError> {
    let encoding: Encoding = image.encoding().parse()?;
    let encoding = encoding.with_byte_order(image.is_bigendian());
    let (width_px, height_px, step_bytes) = image.size();
    Frame::new(width_px, height_px, step_bytes as usize, encoding, image.data())
}

/// Time since the clock's epoch; nothing for the zero stamp, which means that none was set, and
/// for stamps before the epoch.
pub fn stamp(time: &Time) -> Option<Duration> {
    let secs = u64::try_from(time.sec).ok()?;
    let stamp = Duration::new(secs, time.nanosec.min(999_999_999));
    (!stamp.is_zero()).then_some(stamp)
}

/// A time as messages carry it; the seconds end at what they can hold.
pub fn time(since_1970: Duration) -> Time {
    Time {
        sec: i32::try_from(since_1970.as_secs()).unwrap_or(i32::MAX),
        nanosec: since_1970.subsec_nanos(),
    }
}

/// The message about the people in an image of this size, under the image's own header.
pub fn emotions(
    header: &Header,
    width_px: u32,
    height_px: u32,
    people: &[Person],
    labels: &LabelSet,
) -> FaceEmotionArray {
    FaceEmotionArray {
        header: header.clone(),
        image_width: width_px,
        image_height: height_px,
        faces: people.iter().map(|person| face(person, width_px, height_px, labels)).collect(),
    }
}

fn face(person: &Person, width_px: u32, height_px: u32, labels: &LabelSet) -> FaceEmotion {
    let (x_offset, y_offset, width, height) = person.face.roi_in_image.clipped(width_px, height_px);
    let affect = person.affect;
    FaceEmotion {
        face_id: person.id.to_string(),
        roi: RegionOfInterest { x_offset, y_offset, width, height, do_rectify: false },
        detection_confidence: person.face.score,
        label: person.emotion.as_str().to_owned(),
        confidence: person.confidence(),
        sure: person.sure,
        labels: labels.names().into_iter().map(str::to_owned).collect(),
        probabilities: labels.values(&person.probabilities),
        instant_probabilities: labels.values(&person.instant_probabilities),
        valence: affect.valence,
        arousal: affect.arousal,
        affect_source: labels.affect_source().to_owned(),
    }
}

/// An rgb8 image message of packed rows under the given header.
pub fn rgb_image(header: &Header, width_px: u32, height_px: u32, rgb: Vec<u8>) -> Image {
    Image {
        header: header.clone(),
        width: width_px,
        height: height_px,
        encoding: Encoding::Rgb8.as_str().to_owned(),
        is_bigendian: 0,
        step: width_px * Encoding::Rgb8.bytes_per_pixel() as u32,
        data: rgb,
    }
}

/// Time since 1970 on this machine's clock: stands in for a stamp that a camera did not set.
pub fn time_of_day() -> Duration {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
