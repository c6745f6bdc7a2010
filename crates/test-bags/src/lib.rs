//! Recordings for the tests, as a recorder would have them: MCAP made in memory, sqlite3 in a file,
//! and the messages in them.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use image::RgbImage;
use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions, Writer};
use rapport_recording::message::CdrWriter;
use rusqlite::Connection;

/// The log time of the first message, in nanoseconds since 1970.
pub const START_NS: u64 = 1_760_000_000_000_000_000;

pub const IMAGE: &str = "sensor_msgs/msg/Image";
pub const COMPRESSED_IMAGE: &str = "sensor_msgs/msg/CompressedImage";
pub const STRING: &str = "std_msgs/msg/String";

/// What a recording says about a topic, apart from its messages.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// How its messages are written.
    pub encoding: &'a str,
    /// The definition of the type, in the language `ros2msg`.
    pub definition: &'a str,
    /// The offers of its publishers, as YAML.
    pub offered_qos: &'a str,
}

impl Default for About<'_> {
    fn default() -> Self {
        Self { encoding: "cdr", definition: "", offered_qos: "" }
    }
}

/// Writes messages into an MCAP file.
pub struct BagWriter {
    writer: Writer<Cursor<Vec<u8>>>,
    channels: BTreeMap<String, u16>,
}

impl Default for BagWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl BagWriter {
    pub fn new() -> Self {
        Self::with_options(
            WriteOptions::new().compression(Some(Compression::Zstd)).chunk_size(Some(1 << 20)),
        )
    }

    pub fn with_options(options: WriteOptions) -> Self {
        let cursor = Cursor::new(Vec::new());
        let writer = Writer::with_options(cursor, options.profile("ros2")).unwrap();
        Self { writer, channels: BTreeMap::new() }
    }

    /// Says more about a topic than a message would.
    pub fn declare(&mut self, topic: &str, type_name: &str, about: About<'_>) -> u16 {
        let writer = &mut self.writer;
        *self.channels.entry(topic.to_owned()).or_insert_with(|| {
            let definition = about.definition.as_bytes();
            let schema = writer.add_schema(type_name, "ros2msg", definition).unwrap();
            let qos = ("offered_qos_profiles".to_owned(), about.offered_qos.to_owned());
            writer.add_channel(schema, topic, about.encoding, &BTreeMap::from([qos])).unwrap()
        })
    }

    /// Adds a message `ms` after the first, which was two milliseconds on its way.
    pub fn add(&mut self, topic: &str, type_name: &str, ms: u64, data: &[u8]) {
        let log_time = START_NS + ms * 1_000_000;
        self.add_at(topic, type_name, log_time, log_time - 2_000_000, data);
    }

    /// Adds a message with the times at which it was received and sent.
    pub fn add_at(
        &mut self,
        topic: &str,
        type_name: &str,
        log_time: u64,
        publish_time: u64,
        data: &[u8],
    ) {
        let channel_id = self.declare(topic, type_name, About::default());
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

/// Writes messages into a sqlite3 file with the tables of ROS 2 Jazzy's rosbag2.
pub struct Db3Writer {
    database: Connection,
}

impl Db3Writer {
    pub fn create(path: &Path) -> Self {
        let database = Connection::open(path).unwrap();
        database
            .execute_batch(
                "CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
                 CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL,
                   metadata TEXT NOT NULL);
                 CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL,
                   type TEXT NOT NULL, serialization_format TEXT NOT NULL,
                   offered_qos_profiles TEXT NOT NULL, type_description_hash TEXT NOT NULL);
                 CREATE TABLE message_definitions(id INTEGER PRIMARY KEY,
                   topic_type TEXT NOT NULL, encoding TEXT NOT NULL,
                   encoded_message_definition TEXT NOT NULL,
                   type_description_hash TEXT NOT NULL);
                 CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
                   timestamp INTEGER NOT NULL, data BLOB NOT NULL);
                 CREATE INDEX timestamp_idx ON messages (timestamp ASC);
                 INSERT INTO schema VALUES (4, 'jazzy'); BEGIN;",
            )
            .unwrap();
        Self { database }
    }

    /// Adds a topic and returns its number.
    pub fn declare(&mut self, topic: &str, type_name: &str, about: About<'_>) -> i64 {
        self.database
            .execute(
                "INSERT INTO topics(name, type, serialization_format, offered_qos_profiles,
                   type_description_hash) VALUES (?1, ?2, ?3, ?4, 'RIHS01_0')",
                (topic, type_name, about.encoding, about.offered_qos),
            )
            .unwrap();
        let id = self.database.last_insert_rowid();
        if !about.definition.is_empty() {
            self.database
                .execute(
                    "INSERT INTO message_definitions(topic_type, encoding,
                       encoded_message_definition, type_description_hash)
                       VALUES (?1, 'ros2msg', ?2, 'RIHS01_0')",
                    (type_name, about.definition),
                )
                .unwrap();
        }
        id
    }

    /// Adds a message on the topic of this number.
    pub fn add_at(&mut self, topic: i64, log_time_ns: i64, data: &[u8]) {
        self.database
            .execute(
                "INSERT INTO messages(topic_id, timestamp, data) VALUES (?1, ?2, ?3)",
                (topic, log_time_ns, data),
            )
            .unwrap();
    }

    pub fn finish(self) {
        self.database.execute_batch("COMMIT").unwrap();
        self.database.close().unwrap();
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
