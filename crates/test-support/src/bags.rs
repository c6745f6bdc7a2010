//! Recordings made in memory: camera images and labels, as a recorder would have them.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use image::RgbImage;
use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions, Writer};
use rapport_recording::message::CdrWriter;

/// The log time of the first message, in nanoseconds since 1970.
pub const START_NS: u64 = 1_760_000_000_000_000_000;

pub const IMAGE: &str = "sensor_msgs/msg/Image";
pub const COMPRESSED_IMAGE: &str = "sensor_msgs/msg/CompressedImage";
pub const STRING: &str = "std_msgs/msg/String";

/// Writes messages into an MCAP file.
pub struct BagWriter {
    writer: Writer<Cursor<Vec<u8>>>,
    channels: BTreeMap<String, u16>,
}

impl BagWriter {
    pub fn new() -> Self {
        let options = WriteOptions::new()
            .profile("ros2")
            .compression(Some(Compression::Zstd))
            .chunk_size(Some(1 << 20));
        let writer = Writer::with_options(Cursor::new(Vec::new()), options).unwrap();
        Self { writer, channels: BTreeMap::new() }
    }

    /// Adds a message `ms` after the first.
    pub fn add(&mut self, topic: &str, type_name: &str, ms: u64, data: &[u8]) {
        let writer = &mut self.writer;
        let channel_id = *self.channels.entry(topic.to_owned()).or_insert_with(|| {
            let schema = writer.add_schema(type_name, "ros2msg", b"").unwrap();
            writer.add_channel(schema, topic, "cdr", &BTreeMap::new()).unwrap()
        });
        let log_time = START_NS + ms * 1_000_000;
        // Two milliseconds on the way.
        let publish_time = log_time - 2_000_000;
        let header = MessageHeader { channel_id, sequence: 0, log_time, publish_time };
        self.writer.write_to_known_channel(&header, data).unwrap();
    }

    pub fn bytes(mut self) -> Vec<u8> {
        self.writer.finish().unwrap();
        self.writer.into_inner().into_inner()
    }

    pub fn save(self, path: &Path) {
        std::fs::write(path, self.bytes()).unwrap();
    }
}

fn header(writer: &mut CdrWriter, ms: u64) {
    let ns = START_NS + ms * 1_000_000;
    writer.i32((ns / 1_000_000_000) as i32).u32((ns % 1_000_000_000) as u32).text("camera");
}

/// An rgb8 image stamped `ms` after the first message.
pub fn image_cdr(picture: &RgbImage, ms: u64) -> Vec<u8> {
    image_cdr_as("rgb8", picture, ms)
}

/// An image that claims another encoding.
pub fn image_cdr_as(encoding: &str, picture: &RgbImage, ms: u64) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    header(&mut writer, ms);
    writer.u32(picture.height()).u32(picture.width()).text(encoding).u8(0);
    writer.u32(picture.width() * 3).bytes(picture.as_raw());
    writer.finish()
}

/// A JPEG or PNG file as a message.
pub fn compressed_cdr(format: &str, file: &[u8], ms: u64) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    header(&mut writer, ms);
    writer.text(format).bytes(file);
    writer.finish()
}

pub fn string_cdr(text: &str) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    writer.text(text);
    writer.finish()
}
