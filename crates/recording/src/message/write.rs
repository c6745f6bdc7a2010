//! The messages that are written: headers, lists of numbers, compressed images.

use super::cdr::CdrWriter;
use super::read::Header;

impl CdrWriter {
    /// A std_msgs/msg/Header.
    pub fn header(&mut self, header: &Header<'_>) -> &mut Self {
        self.i32(header.stamp_secs).u32(header.stamp_nanosecs).text(header.frame_id)
    }

    /// A sequence of 32-bit numbers.
    pub fn numbers(&mut self, numbers: &[f32]) -> &mut Self {
        self.length(numbers.len());
        numbers.iter().fold(self, |writer, &number| writer.f32(number))
    }
}

/// A sensor_msgs/msg/CompressedImage of a JPEG file, under the given header.
pub fn compressed_image_cdr(header: &Header<'_>, jpeg: &[u8]) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    // The sender's encoding, the codec, and how the file's pixels are stored, as
    // compressed_image_transport names them.
    writer.header(header).text("rgb8; jpeg compressed bgr8").bytes(jpeg);
    writer.finish()
}
