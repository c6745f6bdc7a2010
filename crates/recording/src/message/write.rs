//! The messages that are written: emotions and annotated images.

use super::cdr::CdrWriter;
use super::read::Header;
use crate::emotion::{AFFECT_SOURCE, Emotion};
use crate::pipeline::Person;

impl CdrWriter {
    fn header(&mut self, header: &Header<'_>) -> &mut Self {
        self.i32(header.stamp_secs).u32(header.stamp_nanosecs).text(header.frame_id)
    }

    fn labels(&mut self) -> &mut Self {
        self.length(Emotion::COUNT);
        Emotion::ALL.iter().fold(self, |writer, emotion| writer.text(emotion.as_str()))
    }

    fn numbers(&mut self, numbers: &[f32]) -> &mut Self {
        self.length(numbers.len());
        numbers.iter().fold(self, |writer, &number| writer.f32(number))
    }
}

/// A rapport/msg/FaceEmotionArray about an image of this size, under the image's own header.
pub fn emotions_cdr(
    header: &Header<'_>,
    width_px: u32,
    height_px: u32,
    people: &[Person],
) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    writer.header(header).u32(width_px).u32(height_px).length(people.len());
    for person in people {
        let (x, y, width, height) = person.face.roi_in_image.clipped(width_px, height_px);
        let affect = person.probabilities.affect();
        writer.text(&person.id.to_string());
        // The order of sensor_msgs/msg/RegionOfInterest, do_rectify last.
        writer.u32(x).u32(y).u32(height).u32(width).u8(0);
        writer.f32(person.face.score);
        writer.text(person.emotion.as_str()).f32(person.confidence()).u8(person.sure.into());
        writer.labels().numbers(&person.probabilities.0).numbers(&person.instant_probabilities.0);
        writer.f32(affect.valence).f32(affect.arousal).text(AFFECT_SOURCE);
    }
    writer.finish()
}

/// A sensor_msgs/msg/CompressedImage of a JPEG file, under the given header.
pub fn compressed_image_cdr(header: &Header<'_>, jpeg: &[u8]) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    // The sender's encoding, the codec, and how the file's pixels are stored, as
    // compressed_image_transport names them.
    writer.header(header).text("rgb8; jpeg compressed bgr8").bytes(jpeg);
    writer.finish()
}
