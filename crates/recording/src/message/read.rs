//! The messages that are read: images and labels.

use std::time::Duration;

use super::cdr::{CdrError, CdrReader};

/// std_msgs/msg/Header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Seconds of the stamp, since the epoch of the camera's clock.
    pub stamp_secs: i32,
    /// Nanoseconds of the stamp beyond its seconds.
    pub stamp_nanosecs: u32,
    /// Where the camera is.
    pub frame_id: &'a str,
}

impl<'a> Header<'a> {
    pub(super) fn read(reader: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            stamp_secs: reader.i32("header.stamp.sec")?,
            stamp_nanosecs: reader.u32("header.stamp.nanosec")?,
            frame_id: reader.text("header.frame_id")?,
        })
    }

    /// Time since the clock's epoch; nothing for the zero stamp, which means that none was set, and
    /// for stamps before the epoch.
    pub fn stamp(&self) -> Option<Duration> {
        let secs = u64::try_from(self.stamp_secs).ok()?;
        let stamp = Duration::new(secs, self.stamp_nanosecs.min(999_999_999));
        (!stamp.is_zero()).then_some(stamp)
    }
}

/// sensor_msgs/msg/Image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageMessage<'a> {
    /// When and where it was taken.
    pub header: Header<'a>,
    /// Rows.
    pub height_px: u32,
    /// Pixels in a row.
    pub width_px: u32,
    /// How a pixel is stored.
    pub encoding: &'a str,
    /// Whether numbers of more than a byte have the highest byte first.
    pub is_bigendian: bool,
    /// Bytes from one row to the next.
    pub step_bytes: u32,
    /// The rows.
    pub data: &'a [u8],
}

impl<'a> ImageMessage<'a> {
    /// The type's name in a recording.
    pub const TYPE_NAME: &'static str = "sensor_msgs/msg/Image";

    /// Reads a message in CDR.
    ///
    /// # Errors
    /// If it is none, with the field where that shows.
    pub fn read(cdr: &'a [u8]) -> Result<Self, CdrError> {
        let reader = &mut CdrReader::new(cdr)?;
        Ok(Self {
            header: Header::read(reader)?,
            height_px: reader.u32("height")?,
            width_px: reader.u32("width")?,
            encoding: reader.text("encoding")?,
            is_bigendian: reader.u8("is_bigendian")? != 0,
            step_bytes: reader.u32("step")?,
            data: reader.bytes("data")?,
        })
    }
}

/// sensor_msgs/msg/CompressedImage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressedImageMessage<'a> {
    /// When and where it was taken.
    pub header: Header<'a>,
    /// The format as the sender names it, for example `jpeg` or `rgb8; png compressed bgr8`.
    pub format: &'a str,
    /// The file.
    pub data: &'a [u8],
}

impl<'a> CompressedImageMessage<'a> {
    /// The type's name in a recording.
    pub const TYPE_NAME: &'static str = "sensor_msgs/msg/CompressedImage";

    /// Reads a message in CDR.
    ///
    /// # Errors
    /// If it is none, with the field where that shows.
    pub fn read(cdr: &'a [u8]) -> Result<Self, CdrError> {
        let reader = &mut CdrReader::new(cdr)?;
        Ok(Self {
            header: Header::read(reader)?,
            format: reader.text("format")?,
            data: reader.bytes("data")?,
        })
    }
}

/// std_msgs/msg/String.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StringMessage<'a> {
    /// The text.
    pub data: &'a str,
}

impl<'a> StringMessage<'a> {
    /// The type's name in a recording.
    pub const TYPE_NAME: &'static str = "std_msgs/msg/String";

    /// Reads a message in CDR.
    ///
    /// # Errors
    /// If it is none, with the field where that shows.
    pub fn read(cdr: &'a [u8]) -> Result<Self, CdrError> {
        Ok(Self { data: CdrReader::new(cdr)?.text("data")? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cdr::CdrWriter;
    use super::*;

    fn image(encoding: &str, step_bytes: u32, data: &[u8]) -> Vec<u8> {
        let mut writer = CdrWriter::default();
        writer.i32(5).u32(6).text("camera").u32(2).u32(3).text(encoding);
        writer.u8(0).u32(step_bytes).bytes(data);
        writer.finish()
    }

    #[test]
    fn an_image_is_borrowed_as_it_was_sent() {
        let cdr = image("rgb8", 9, &[7; 18]);
        let message = ImageMessage::read(&cdr).unwrap();
        assert_eq!((message.width_px, message.height_px, message.step_bytes), (3, 2, 9));
        assert_eq!(message.header.stamp(), Some(Duration::new(5, 6)));
        assert_eq!(message.header.frame_id, "camera");
        assert_eq!(message.data, [7; 18]);
    }

    #[test]
    fn every_cut_of_an_image_names_a_field() {
        let cdr = image("bgr8", 9, &[7; 18]);
        for length in 0..cdr.len() {
            let error = ImageMessage::read(&cdr[..length]).unwrap_err();
            assert!(matches!(error, CdrError::Header { .. } | CdrError::End { .. }), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(
            mut bytes in prop::collection::vec(any::<u8>(), 0..200), is_plain: bool, order in 0u8..2,
        ) {
            if is_plain && bytes.len() > 4 {
                bytes[..4].copy_from_slice(&[0, order, 0, 0]);
            }
            let _ = ImageMessage::read(&bytes);
            let _ = CompressedImageMessage::read(&bytes);
            let _ = StringMessage::read(&bytes);
        }

        #[test]
        fn an_image_with_wrong_bytes_is_read_or_refused(at in 4usize..70, value: u8) {
            let mut cdr = image("rgb8", 9, &[7; 18]);
            if let Some(byte) = cdr.get_mut(at) {
                *byte = value;
            }
            let _ = ImageMessage::read(&cdr);
        }
    }
}
