//! The emotion message of one image, as bytes.

use rapport_perception::pipeline::Person;
use rapport_recording::message::{CdrWriter, Header};
use rapport_vocabulary::LabelSet;

/// A rapport/msg/FaceEmotionArray about an image of this size, under the image's own header.
pub fn emotions_cdr(
    header: &Header<'_>,
    width_px: u32,
    height_px: u32,
    people: &[Person],
    labels: &LabelSet,
) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    writer.header(header).u32(width_px).u32(height_px).length(people.len());
    for person in people {
        let (x, y, width, height) = person.face.roi_in_image.clipped(width_px, height_px);
        let affect = person.affect;
        writer.text(&person.id.to_string());
        // The order of sensor_msgs/msg/RegionOfInterest, do_rectify last.
        writer.u32(x).u32(y).u32(height).u32(width).u8(0);
        writer.f32(person.face.score);
        writer.text(person.emotion.as_str()).f32(person.confidence()).u8(person.sure.into());
        writer.length(labels.len());
        labels.iter().for_each(|label| {
            writer.text(label.as_str());
        });
        writer
            .numbers(&labels.values(&person.probabilities))
            .numbers(&labels.values(&person.instant_probabilities));
        writer.f32(affect.valence).f32(affect.arousal).text(labels.affect_source());
    }
    writer.finish()
}
