//! Between ROS messages and the crates' plain types.

use std::time::Duration;

use r2r::builtin_interfaces::msg::Time;
use r2r::sensor_msgs::msg::Image;
use r2r::std_msgs::msg::Header;

use crate::ros::raw::Native;
use rapport_perception::frame::{Encoding, Frame, FrameError};
use rapport_recording::message;

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

/// A stamp as recordings have it too: time since the clock's epoch; nothing for the zero stamp, which
/// means that none was set, and for stamps before the epoch.
pub fn stamp(time: &Time) -> Option<Duration> {
    message::Header { stamp_secs: time.sec, stamp_nanosecs: time.nanosec, frame_id: "" }.stamp()
}

/// A time as messages carry it; the seconds end at what they can hold.
pub fn time(since_1970: Duration) -> Time {
    Time {
        sec: i32::try_from(since_1970.as_secs()).unwrap_or(i32::MAX),
        nanosec: since_1970.subsec_nanos(),
    }
}

/// A view of a header, as messages are written under it that r2r does not make.
pub fn header(header: &Header) -> message::Header<'_> {
    message::Header {
        stamp_secs: header.stamp.sec,
        stamp_nanosecs: header.stamp.nanosec,
        frame_id: &header.frame_id,
    }
}

/// A bgr8 image message of packed RGB rows under the given header.
pub fn bgr_image(header: &Header, width_px: u32, height_px: u32, mut rgb: Vec<u8>) -> Image {
    rgb.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
    let encoding = Encoding::Bgr8.as_str().to_owned();
    Image { encoding, ..rgb_image(header, width_px, height_px, rgb) }
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
